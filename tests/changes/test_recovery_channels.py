"""Ways back into a mailbox: who names one, who is told, when it is confirmed, when it is asked about again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from cast import MIA, House, do, do_all, kind, reasons, the, tick, together
from postroom.access.acting import SYSTEM, Actor, NoSuchLink, acting_as
from postroom.changes import channels, pipeline
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Invite, Letter, RecoveryChannel
from postroom.models.recovery import ALIVE, REMINDED

HOME, OTHER, NUMBER = "mia@home.example", "mia@other.example", "+442079460123"
LINK = "8" * 64


def named(house: House, value: str = HOME, *, by: Actor | None = None, mailbox: str = MIA) -> RecoveryChannel:
    change = do("recovery_channels.name", by or house.olive, mailbox=mailbox, value=value)
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        return RecoveryChannel.objects.filter(mailbox__address__address=mailbox, ended_at=None).latest("id")


def issued(channel: RecoveryChannel, link: str = LINK) -> Change:
    invite = the(Invite, confirms=channel, used_at=None, ended_at=None)
    asked = kind("recovery_channels.issue", confirmation=str(invite.pk))
    return submit(asked, actor=SYSTEM, why="a test", secrets={"link": link})


def confirmed(channel: RecoveryChannel, link: str = LINK) -> RecoveryChannel:
    issued(channel, link)
    assert channels.confirm(link).version
    return the(RecoveryChannel, pk=channel.pk)


def told(change: Change | None = None) -> list[tuple[str, str]]:
    """(whom, of what), of every letter about a mailbox."""
    with acting_as(SYSTEM):
        return list(Letter.objects.exclude(mailbox=None).order_by("id").values_list("contact", "says"))


def test_a_channel_is_named_in_one_form_and_its_holder_is_asked(house: House) -> None:
    channel = named(house, " Mia@HOME.example ")
    assert (channel.value, channel.sort, channel.confirmed_at) == (HOME, "address", None)
    asked = the(Invite, confirms=channel)
    assert (asked.contact, asked.mailbox_id, asked.until) == (HOME, None, None)
    number = named(house, "0044 20 7946-0123")
    assert (number.value, number.sort) == (NUMBER, "contact")
    assert the(Invite, confirms=number).contact == MIA, "of a number, whoever owns the mailbox is asked"


NEITHER = ("", "mia", "mia@", "@home.example", "020 7946 0123", "+0123456789", "+44", "+44x20794", "+1234567890123456",
           "a\nb@home.example")  # fmt: skip


@pytest.mark.parametrize("value", NEITHER)
def test_what_is_neither_address_nor_number_is_refused(house: House, value: str) -> None:
    with pytest.raises(ValidationError):
        kind("recovery_channels.name", mailbox=MIA, value=value)


def test_not_the_mailbox_itself_not_a_shared_one_not_the_seventh(house: House) -> None:
    with pytest.raises(Problems, match="cannot read it there"):
        named(house, MIA)
    do("mailboxes.create", house.olive, address="desk@acme.example", kind="shared")
    with pytest.raises(Problems, match="it is shared"):
        named(house, mailbox="desk@acme.example")
    for n in range(6):
        named(house, f"m{n}@home.example")
    with pytest.raises(Problems, match="has 6 already"):
        named(house, "m7@home.example")
    with pytest.raises(NothingToDo):
        named(house, "m1@home.example")


def test_two_who_name_the_same_at_once_name_one(house: House) -> None:
    jobs = [lambda: do("recovery_channels.name", house.olive, mailbox=MIA, value=HOME)] * 4
    came = together(*jobs)
    assert sum(isinstance(one, Change) and one.version is not None for one in came) == 1, came
    assert the(RecoveryChannel, value=HOME).ended_at is None


def test_the_mailbox_and_the_other_channels_are_told_of_a_new_one_and_of_its_end(house: House) -> None:
    named(house)
    assert told() == [(MIA, "channel named")], "the new one itself is asked, with what it is for"
    other = named(house, OTHER)
    named(house, NUMBER)
    assert told()[1:] == [(MIA, "channel named"), (HOME, "channel named"),
                          (MIA, "channel named"), (HOME, "channel named"), (OTHER, "channel named")]  # fmt: skip
    do("recovery_channels.end", house.olive, channel=str(other.pk))
    assert sorted(told()[-3:]) == sorted((who, "channel ended") for who in (MIA, HOME, OTHER)), "who goes is told too"


def test_no_undo_names_or_ends_one_in_silence(house: House) -> None:
    change = do("recovery_channels.name", house.olive, mailbox=MIA, value=HOME)
    back = undo(change.pk, actor=house.olive, why="a slip")
    assert back.stage == "refused" and "recovery_channels.end" in reasons(back)
    ended = do("recovery_channels.end", house.olive, channel=str(the(RecoveryChannel, value=HOME).pk))
    with pytest.raises(NothingToDo):
        undo(ended.pk, actor=house.olive, why="a slip")


def test_one_click_confirms_it_for_half_a_year_and_the_link_works_once(house: House) -> None:
    channel = named(house)
    issued(channel)
    assert channels.confirm(LINK).kind == "recovery_channels.confirm"
    channel = the(RecoveryChannel, pk=channel.pk)
    assert channel.confirmed_at and channel.ask_at == channel.confirmed_at + ALIVE - REMINDED
    with pytest.raises(NoSuchLink):
        channels.confirm(LINK)


def test_a_link_that_was_replaced_or_whose_channel_ended_confirms_nothing(house: House) -> None:
    channel = named(house)
    issued(channel)
    issued(channel, "9" * 64)
    with pytest.raises(NoSuchLink):
        channels.confirm(LINK)
    do("recovery_channels.end", house.olive, channel=str(channel.pk))
    with pytest.raises(NoSuchLink):
        channels.confirm("9" * 64)
    assert the(RecoveryChannel, pk=channel.pk).confirmed_at is None


def test_its_link_is_no_invite_and_an_invite_is_no_confirmation(house: House) -> None:
    issued(named(house))
    holder = channels.holder(LINK)
    secrets = {"password": "{HASH}p", "recovery code": "{HASH}c"}
    with pytest.raises(Problems, match="no invite"):
        submit(kind("invites.redeem"), actor=holder, why="x", secrets=secrets)
    invite = str(the(Invite, confirms__value=HOME).pk)
    for permission, more in (("invites.cancel", {}), ("invites.resend", {}), ("invites.redirect", {"contact": OTHER})):
        with pytest.raises(Problems, match="no invite"):
            do(permission, house.olive, invite=invite, **more)
    with pytest.raises(Problems, match="no invite"):
        do("invites.issue", house.olive, secrets={"link": "9" * 64}, invite=invite)
    do("invites.send", house.olive, mailbox=MIA, contact=OTHER)
    sent = the(Invite, contact=OTHER)
    do("invites.issue", SYSTEM, secrets={"link": "9" * 64}, invite=str(sent.pk))
    with pytest.raises(NoSuchLink):
        channels.opened("9" * 64)
    with pytest.raises(Problems):
        channels.confirm("9" * 64)


def test_the_clock_asks_again_two_weeks_before_half_a_year_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = confirmed(named(house))
    assert channel.ask_at is not None
    assert tick(channel.ask_at - timedelta(seconds=1)) == []
    monkeypatch.setattr(pipeline.timezone, "now", lambda: channel.ask_at)
    (asked,) = tick(channel.ask_at)
    assert asked.kind == "recovery_channels.ask" and asked.version, reasons(asked)
    assert the(Invite, confirms=channel, used_at=None).contact == HOME
    assert the(RecoveryChannel, pk=channel.pk).ask_at is None


def test_the_clock_asks_nothing_of_one_that_was_confirmed_since_or_has_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, gone = confirmed(named(house)), confirmed(named(house, OTHER), "7" * 64)
    do("recovery_channels.end", house.olive, channel=str(gone.pk))
    assert first.ask_at is not None
    later = first.ask_at - timedelta(days=1)
    do("recovery_channels.ask", house.olive, channel=str(first.pk))
    monkeypatch.setattr(pipeline.timezone, "now", lambda: later)
    issued(first, "9" * 64)
    assert channels.confirm("9" * 64).version
    monkeypatch.setattr(pipeline.timezone, "now", lambda: first.ask_at)
    assert tick(first.ask_at) == []


def test_a_freeze_lets_the_question_through_and_the_end_and_no_new_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = confirmed(named(house))
    do("freezes.start", house.olive, scope="acme", reason="a test")
    refused = do("recovery_channels.name", house.olive, mailbox=MIA, value=OTHER)
    assert refused.stage == "refused" and "frozen" in reasons(refused)
    asked = do("recovery_channels.ask", house.olive, channel=str(channel.pk))
    assert asked.version, reasons(asked)
    issued(channel, "9" * 64)
    assert channels.confirm("9" * 64).stage == "refused", "the answer waits"
    ended = do("recovery_channels.end", house.olive, channel=str(channel.pk))
    assert ended.version and "during freeze" in reasons(ended)


def test_a_vips_is_named_and_ended_by_two(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    held = do("recovery_channels.name", house.olive, mailbox=MIA, value=HOME)
    assert held.stage == "held" and "a way back into the mailbox of a VIP" in reasons(held)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    ended = do("recovery_channels.end", house.olive, channel=str(the(RecoveryChannel, value=HOME).pk))
    assert ended.stage == "held"


def test_nobody_names_a_way_into_the_mailbox_of_somebody_above_them(house: House) -> None:
    do("mailboxes.create", house.oskar, address="oskar@acme.example", owner="owner@northlight.example")
    refused = do("recovery_channels.name", house.olive, mailbox="oskar@acme.example", value=HOME)
    assert refused.stage == "refused" and "above you" in reasons(refused)


@pytest.mark.parametrize(("who", "may"), [("olive", True), ("carl", True), ("henry", False), ("audrey", False),
                                          ("ada", False)])  # fmt: skip
def test_operators_and_the_clients_admin_name_one_the_helpdesk_does_not(house: House, who: str, may: bool) -> None:
    change = do("recovery_channels.name", getattr(house, who), mailbox=MIA, value=HOME)
    assert (change.version is not None) is may, reasons(change)


def test_an_admin_at_one_client_names_none_at_another_and_sees_none(house: House) -> None:
    do("mailboxes.create", house.olive, address="gus@globex.example")
    channel = named(house, mailbox="gus@globex.example")
    with pytest.raises(Problems):
        do("recovery_channels.name", house.carl, mailbox="gus@globex.example", value=OTHER)
    with pytest.raises(Problems):
        do("recovery_channels.end", house.carl, channel=str(channel.pk))
    with acting_as(house.carl):
        assert not RecoveryChannel.objects.exists()


def test_many_at_once_are_one_change_and_are_counted_like_one_by_one(house: House) -> None:
    parts = [{"mailbox": MIA, "value": f"m{n}@home.example"} for n in range(4)]
    assert do_all("recovery_channels.name", house.olive, parts).version
    more = [{"mailbox": MIA, "value": f"n{n}@home.example"} for n in range(3)]
    with pytest.raises(Problems, match="has 6 already"):
        do_all("recovery_channels.name", house.olive, more)
