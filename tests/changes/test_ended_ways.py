"""A way back into a VIP's mailbox ends as it begins: with seven days in which whoever is told can object.

Whoever has a VIP's password signs in as its owner, and would end every way back in by which that owner is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cast import MIA, House, at, do, owner_of, reachable, reasons, redeemed, the, with_consent
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes.errors import NothingToDo, Problems
from postroom.models import Change, Invite, Mailbox, RecoveryChannel, ResetCode, Verification
from postroom.queries.mailboxes import whole
from postroom.queries.resets import Path, paths

HOME, NUMBER, YOUNG = "mia@home.example", "+442079460123", "mia@new.example"
DAY = timedelta(days=1)


@pytest.fixture
def owned(house: House) -> House:
    """Mia set her secret yesterday; a number and an address of hers count, and one six days old does not yet."""
    with at(datetime.now(UTC) - DAY):
        do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
        redeemed(MIA)
    for value, link, ago in ((HOME, "a", 8), (NUMBER, "b", 8), (YOUNG, "c", 6)):
        reachable(house, MIA, value, link=link * 64, ago=ago * DAY)
    return house


def vip(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)


def the_channel(value: str) -> str:
    with acting_as(SYSTEM):
        return str(RecoveryChannel.objects.filter(mailbox__address__address=MIA, value=value).latest("id").pk)


def all_ended() -> None:
    """By the owner, or by who signs in as they do."""
    for value in (HOME, NUMBER, YOUNG):
        done = do("recovery_channels.end", owner_of(MIA), channel=the_channel(value))
        assert done.version, reasons(done)


def started(house: House) -> str:
    change = do("resets.start", house.henry, mailbox=MIA, ticket="T-9")
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        return str(Verification.objects.latest("id").pk)


def called(house: House, session: str) -> Change:
    return do("resets.record_call", house.olive, verification=session, channel=the_channel(NUMBER), answer="right")


def test_a_vip_whose_ways_back_were_all_ended_is_verified_by_them_for_a_week(owned: House) -> None:
    vip(owned)
    all_ended()
    session = started(owned)
    assert do("resets.ask_code", owned.henry, verification=session, channel=the_channel(HOME)).version
    assert the(ResetCode).ended_at is None
    assert called(owned, session).version
    assert do("resets.vouch", owned.carl, verification=session, answer="right").version
    with pytest.raises(Problems, match="nobody was reached before"):
        do("resets.send_link", owned.olive, verification=session, contact=YOUNG)
    sent = do("resets.send_link", owned.olive, verification=session, contact=HOME)
    assert sent.stage == "held", reasons(sent)


def test_when_the_week_is_over_they_count_no_more(owned: House) -> None:
    vip(owned)
    all_ended()
    with at(datetime.now(UTC) + 7 * DAY + timedelta(minutes=1)):
        session = started(owned)
        with pytest.raises(Problems, match="it has ended"):
            called(owned, session)
        with pytest.raises(Problems, match="it has ended"):
            do("resets.ask_code", owned.henry, verification=session, channel=the_channel(HOME))


def test_one_that_did_not_count_when_it_ended_does_not_count_later(owned: House) -> None:
    vip(owned)
    all_ended()
    with at(datetime.now(UTC) + 2 * DAY):
        session = started(owned)
        with pytest.raises(Problems, match="named 6 days ago"):
            do("resets.ask_code", owned.henry, verification=session, channel=the_channel(YOUNG))


def test_of_others_an_end_counts_at_once(owned: House) -> None:
    all_ended()
    with pytest.raises(Problems, match="it has ended"):
        called(owned, started(owned))


def test_nothing_is_mailed_there_by_itself(owned: House) -> None:
    """A link by which one gets in alone goes where the owner says now; what ended counts where others look at it."""
    vip(owned)
    all_ended()
    with pytest.raises(NothingToDo):
        do("mailboxes.forgot", CLOCK, email=MIA)
    with acting_as(SYSTEM):
        assert not Invite.objects.filter(recovers="mailbox").exists()


def test_what_led_back_to_the_owner_before_is_none_of_the_new_ones(owned: House) -> None:
    with_consent(owned, do("mailboxes.transfer", owned.olive, mailbox=MIA, contact="next@home.test"))
    redeemed(MIA)
    vip(owned)
    with pytest.raises(Problems, match="it has ended"):
        called(owned, started(owned))
    assert not channels_of(owned)


def channels_of(house: House) -> list[Path]:
    which = the(Mailbox, address__address=MIA).pk
    with acting_as(house.olive):
        return [one for one in paths(house.olive, whole(house.olive, which)) if one.sort == "channel"]


def test_who_can_reset_this_says_so(owned: House) -> None:
    vip(owned)
    all_ended()
    (number, home) = sorted((one for one in channels_of(owned) if one.counts != "no"), key=lambda one: one.who)
    assert HOME in number.who + home.who and NUMBER in number.who + home.who
    assert all("which counts seven days later" in one.why and one.id is None for one in (number, home))


OWN = "mia.private@acme.example"


def test_an_address_at_the_clients_own_domain_counts_for_no_vip(owned: House) -> None:
    """One admin there could read the code and vouch: two proofs, one person. Nor is a link mailed there by itself."""
    do("domains.add", owned.oskar, client="acme", name="acme-two.example")
    for value, link in ((OWN, "d"), ("mia@acme-two.example", "e"), ("mia@sub.acme-two.example", "f")):
        reachable(owned, MIA, value, link=link * 64)
    vip(owned)
    do("mailboxes.forgot", CLOCK, email=MIA)
    with acting_as(SYSTEM):
        assert [one.contact for one in Invite.objects.filter(recovers="mailbox")] == [HOME]
    session = started(owned)
    for value in (OWN, "mia@acme-two.example", "mia@sub.acme-two.example"):
        with pytest.raises(Problems, match="is the client’s own"):
            do("resets.ask_code", owned.henry, verification=session, channel=the_channel(value))
    assert called(owned, session).version
    assert do("resets.vouch", owned.carl, verification=session, answer="right").version
    with pytest.raises(Problems, match="nobody was reached before"):
        do("resets.send_link", owned.olive, verification=session, contact=OWN)
    (one,) = [one for one in channels_of(owned) if OWN in one.who]
    assert one.counts == "no" and "acme.example is the client’s own" in one.why


def test_of_others_one_at_the_clients_own_domain_counts(owned: House) -> None:
    reachable(owned, MIA, OWN, link="d" * 64)
    assert do("resets.ask_code", owned.henry, verification=started(owned), channel=the_channel(OWN)).version


def test_no_alias_of_the_very_mailbox_is_a_way_back_into_it(owned: House) -> None:
    do("mailboxes.create", owned.olive, address="leo@acme.example")
    for address, targets in (("me@acme.example", [MIA]), ("us@acme.example", ["leo@acme.example", "me@acme.example"]),
                             ("leo2@acme.example", ["leo@acme.example"])):  # fmt: skip
        made = do("aliases.create", owned.olive, address=address, targets=targets)
        assert made.version, reasons(made)
    own = owner_of(MIA)
    for who, address in ((owned.olive, "me@acme.example"), (owned.olive, "us@acme.example"), (own, "me@acme.example")):
        with pytest.raises(Problems, match=r"lands in mia@acme\.example itself"):
            do("recovery_channels.name", who, mailbox=MIA, value=address)
    assert do("recovery_channels.name", owned.olive, mailbox=MIA, value="leo2@acme.example").version
    do("aliases.remove", owned.olive, alias="me@acme.example")
    assert do("recovery_channels.name", owned.olive, mailbox=MIA, value="us@acme.example").version
