"""A mailbox goes to another owner: what the old one held is dead, the new one is invited, both hear of it."""

from datetime import UTC, datetime, timedelta

import pytest

from cast import (
    MIA,
    House,
    again,
    app_password,
    at,
    do,
    kind,
    owner_of,
    person,
    reachable,
    reasons,
    redeemed,
    the,
    tick,
    with_consent,
)
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.batch import submit_batch
from postroom.changes.errors import NotLikeThat, Problems
from postroom.changes.kinds.resets import CANCEL_WITHIN
from postroom.changes.notices import stop
from postroom.changes.pipeline import submit
from postroom.models import (
    Change,
    Credential,
    Forward,
    Invite,
    Letter,
    Mailbox,
    RecoveryChannel,
    RouteException,
    Secret,
    Verification,
)

BOX, OLD, NEW = "lea@acme.example", "lea@home.test", "lou@home.test"


@pytest.fixture
def owned(house: House) -> House:
    do("mailboxes.create", house.olive, address=BOX, contact=OLD)
    redeemed(BOX)
    return house


def test_the_old_owners_secrets_die_and_the_new_one_is_invited(owned: House) -> None:
    before = the(Mailbox, address__address=BOX)
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW, name="Lou")
    assert held.stage == "held" and f"gives a mailbox, its mail in it, to {NEW}" in reasons(held)
    with acting_as(SYSTEM):
        assert Secret.objects.filter(owner_row=before.pk).count() == 2, "nothing happens before a second person agrees"
    done = approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash)
    assert done.version, reasons(done)
    after = the(Mailbox, address__address=BOX)
    assert (after.contact, after.name, after.access_epoch) == (NEW, "Lou", before.access_epoch + 1)
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(owner_row=before.pk).exists()
        links = Invite.objects.filter(mailbox=before.pk, used_at=None, ended_at=None)
        assert [one.contact for one in links] == [NEW]
        told = Letter.objects.filter(says="transferred", about=BOX).values_list("contact", flat=True)
        assert sorted(told) == sorted([BOX, OLD, NEW]), "each once"


def test_app_passwords_and_ways_back_in_end_with_the_old_owner(owned: House) -> None:
    app_password(BOX, "phone")
    reachable(owned, BOX, "old@private.test", link="0d" * 32)
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    assert held.stage == "held", reasons(held)
    assert approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash).version
    with acting_as(SYSTEM):
        assert not Credential.objects.filter(mailbox__address__address=BOX, ended_at=None).exists()
        assert not RecoveryChannel.objects.filter(mailbox__address__address=BOX, ended_at=None).exists()
        assert Letter.objects.filter(mailbox__address__address=BOX, contact="old@private.test").exists()


def test_where_the_old_owner_sent_the_mail_it_goes_no_more_and_what_they_asked_for_is_agreed_to_no_more(
    owned: House,
) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
    assert do("forwards.create", owner_of(BOX), address=BOX, to=MIA, until=until).version
    waits_still = do("forwards.create", owner_of(BOX), address=BOX, to="lea@gmail.com", until=until)
    assert waits_still.stage == "held"
    with_consent(owned, do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW))
    assert the(Forward, to=MIA).disabled_at, "the new owner says where their mail goes on to"
    late = approve(waits_still.pk, actor=owned.ada, plan_hash=waits_still.plan_hash)
    assert not late.version and "its owner asks anew" in reasons(late), reasons(late)
    with acting_as(SYSTEM):
        assert not RouteException.objects.exists()


def test_what_somebody_else_stopped_its_owner_starts_by_no_detour(owned: House) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
    asked = {"address": BOX, "to": "lea@gmail.com", "until": until}
    with_consent(owned, do("forwards.create", owner_of(BOX), **asked))
    gone = str(the(Forward).pk)
    assert do("forwards.disable", owned.olive, forward=gone).version
    assert do("forwards.end", owner_of(BOX), forward=gone).version
    with pytest.raises(Problems, match="it was disabled before it ended"):
        do("forwards.create", owner_of(BOX), **asked)
    again_ = with_consent(owned, do("forwards.create", owned.olive, **asked, owner="Lea"))
    assert again_.version, "whoever runs it says it anew, by another exception"
    assert do("forwards.end", owned.olive, forward=gone).version
    assert do("forwards.create", owner_of(BOX), **asked).stage == "held", "by one of its own"


def test_what_was_found_out_about_the_old_owner_releases_nothing_for_the_new(owned: House) -> None:
    do("resets.start", owned.henry, mailbox=BOX, ticket="T")
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    assert held.stage == "held", reasons(held)
    assert approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash).version
    assert the(Verification, mailbox__address__address=BOX).ended_at is not None


def test_nobody_copies_the_new_owners_link_and_it_goes_nowhere_else(owned: House) -> None:
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash)
    invite = str(the(Invite, mailbox__address__address=BOX, ended_at=None, used_at=None).pk)
    assert do("invites.issue", owned.olive, invite=invite, secrets={"link": "x"}).stage == "refused"
    elsewhere = do("invites.redirect", owned.olive, invite=invite, contact="olive@home.test")
    assert elsewhere.stage == "refused" and "mailboxes.transfer" in reasons(elsewhere)


def test_an_owner_who_signs_in_here_is_told_at_their_own_address(house: House) -> None:
    do("people.invite", house.oskar, name="Lea", email="lea@acme.test", client="acme")
    do("mailboxes.create", house.olive, address=BOX, contact=OLD, owner="lea@acme.test")
    redeemed(BOX)
    held = do("mailboxes.transfer", house.olive, mailbox=BOX, contact=NEW)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="transferred").values_list("contact", flat=True))
    assert told == {BOX, OLD, NEW, "lea@acme.test"} and the(Mailbox, address__address=BOX).owner_id is None


@pytest.mark.parametrize("contact, words", [(BOX, "cannot read it there"), (OLD, "a reset, not a transfer")])
def test_no_transfer_to_the_mailbox_itself_or_to_whom_it_has(owned: House, contact: str, words: str) -> None:
    with pytest.raises(Problems, match=words):
        do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=contact)


def test_a_shared_mailbox_has_no_owner_to_change(house: House) -> None:
    do("mailboxes.create", house.olive, address="all@acme.example", kind="shared")
    with pytest.raises(Problems, match="it is shared"):
        do("mailboxes.transfer", house.olive, mailbox="all@acme.example", contact=NEW)


def test_an_owner_is_not_exchanged_by_a_mere_change(house: House) -> None:
    for name in ("lea", "lou"):
        do("people.invite", house.oskar, name=name, email=f"{name}@acme.test", client="acme")
    do("mailboxes.change", house.olive, mailbox=MIA, owner="lea@acme.test")
    with pytest.raises(Problems, match=r"mailboxes\.transfer"):
        do("mailboxes.change", house.olive, mailbox=MIA, owner="lou@acme.test")
    assert do("mailboxes.change", house.olive, mailbox=MIA, owner="lea@acme.test", quota_mb=7).version
    assert the(Mailbox, address__address=MIA).owner_id == person("lea@acme.test", house.oskar).person


def test_whose_a_mailbox_is_that_somebody_opens_already_is_said_by_two(owned: House) -> None:
    """Lea set it up and no person is named: whoever is named would be told in her place."""
    do("people.invite", owned.oskar, name="Lou", email="lou@acme.test", client="acme")
    held = do("mailboxes.change", owned.olive, mailbox=BOX, owner="lou@acme.test")
    assert held.stage == "held" and "says whose 1 mailbox would be that somebody opens already" in reasons(held)
    assert the(Mailbox, address__address=BOX).owner_id is None
    approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash)
    lou = person("lou@acme.test", owned.oskar).person
    assert the(Mailbox, address__address=BOX).owner_id == lou
    with_consent(owned, do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW))
    held = do("mailboxes.change", owned.olive, mailbox=BOX, owner="lou@acme.test")
    assert held.stage == "held", "it was set up once, whatever became of the secret"
    do("mailboxes.create", owned.olive, address="new@acme.example", contact="new@home.test")
    assert do("mailboxes.change", owned.olive, mailbox="new@acme.example", owner="lou@acme.test").version, (
        "nobody's yet"
    )


def test_who_set_it_up_by_a_link_sent_later_is_told_too(house: House) -> None:
    do("mailboxes.create", house.olive, address=BOX)
    do("invites.send", house.olive, mailbox=BOX, contact=OLD)
    redeemed(BOX)
    with_consent(house, do("mailboxes.transfer", house.olive, mailbox=BOX, contact=NEW))
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="transferred").values_list("contact", flat=True))
    assert told >= {OLD, NEW}


@pytest.fixture
def vip(owned: House) -> House:
    """Reached at an address that counts too; somebody watches over the client, and nobody is told twice."""
    do("clients.change", owned.olive, client="acme", security_contact="security@acme.test")
    reachable(owned, BOX, "lea@private.test", link="0d" * 32)
    old = reachable(owned, BOX, "lea@before.test", link="0e" * 32)
    do("recovery_channels.end", owned.olive, channel=str(old.pk))
    assert do("mailboxes.change", owned.olive, mailbox=BOX, vip=True).version
    return owned


HAD = {BOX, OLD, "lea@private.test", "lea@before.test", "security@acme.test"}


def notice(change: Change, contact: str, link: str) -> str:
    """The link of the notice that went there."""
    one = the(Invite, stops=change, contact=contact)
    do("notices.issue", SYSTEM, secrets={"link": link}, notice=str(one.pk))
    return link


def test_a_vips_waits_a_quarter_of_an_hour_in_which_whoever_had_it_is_told_and_stops_it(vip: House) -> None:
    held = do("mailboxes.transfer", vip.olive, mailbox=BOX, contact="thief@evil.test")
    assert held.stage == "held" and held.at == held.now + CANCEL_WITHIN, reasons(held)
    tick(datetime.now(UTC))
    with acting_as(SYSTEM):
        assert set(Invite.objects.filter(stops=held).values_list("contact", flat=True)) == HAD
    agreed = approve(held.pk, actor=vip.ada, plan_hash=held.plan_hash)
    assert agreed.stage == "scheduled" and agreed.version is None, "who agrees does not end the wait"
    assert stop(notice(held, "lea@before.test", "9" * 64)).stage == "withdrawn"
    with at(held.now + CANCEL_WITHIN):
        tick(held.now + CANCEL_WITHIN)
    assert again(held).version is None and the(Mailbox, address__address=BOX).contact == OLD
    with acting_as(SYSTEM):
        assert not Letter.objects.filter(says="transferred").exists()


def test_a_vips_that_nobody_stops_is_given_then_and_all_who_had_it_are_told(vip: House) -> None:
    held = do("mailboxes.transfer", vip.olive, mailbox=BOX, contact=NEW)
    approve(held.pk, actor=vip.ada, plan_hash=held.plan_hash)
    with at(held.now + CANCEL_WITHIN):
        tick(held.now + CANCEL_WITHIN)
    assert again(held).version and the(Mailbox, address__address=BOX).contact == NEW
    with acting_as(SYSTEM):
        told = list(Letter.objects.filter(says="transferred").values_list("contact", flat=True))
    assert sorted(told) == sorted(HAD - {"lea@before.test"} | {NEW})


def test_others_wait_for_a_second_person_alone_and_one_vip_among_them_makes_all_wait(vip: House) -> None:
    do("mailboxes.create", vip.olive, address="leo@acme.example", contact="leo@home.test")
    alone = kind("mailboxes.transfer", mailbox="leo@acme.example", contact=NEW)
    assert submit(alone, actor=vip.olive, why="a test").at is None
    both = submit([alone, kind("mailboxes.transfer", mailbox=BOX, contact=NEW)], actor=vip.olive, why="a test")
    assert both.stage == "held" and both.at == both.now + CANCEL_WITHIN
    tick(datetime.now(UTC))
    with acting_as(SYSTEM):
        assert set(Invite.objects.filter(stops=both).values_list("contact", flat=True)) >= HAD | {"leo@home.test"}


def test_no_batch_goes_round_the_wait(vip: House) -> None:
    with pytest.raises(NotLikeThat, match="propose it by itself"):
        submit_batch([kind("mailboxes.transfer", mailbox=BOX, contact=NEW)], actor=vip.olive, why="a test")
    with acting_as(SYSTEM):
        assert not Change.objects.filter(kind="mailboxes.transfer").exists()


def test_where_nobody_could_agree_who_had_it_is_told_besides_who_is_told_of_all_that_waits(vip: House) -> None:
    waits = do("mailboxes.transfer", vip.oskar, mailbox=BOX, contact=NEW)
    with acting_as(SYSTEM):
        Change.objects.filter(pk=waits.pk).update(stage="scheduled")
    do("notices.send", CLOCK, change=str(waits.pk))
    with acting_as(SYSTEM):
        told = set(Invite.objects.filter(stops=waits).values_list("contact", flat=True))
    assert told >= HAD | {"owner@northlight.example"}
