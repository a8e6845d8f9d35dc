"""Flow F3: a mailbox is reset after others found out that its owner asks; and each thing that must never happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from cast import (
    MIA,
    House,
    again,
    at,
    do,
    kind,
    owner_of,
    reachable,
    reasons,
    redeemed,
    the,
    tick,
    together,
    with_consent,
)
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve, undo, withdraw
from postroom.changes.batch import submit_batch
from postroom.changes.errors import NothingToDo, NotLikeThat, OwnChange, Problems
from postroom.changes.kind import KINDS
from postroom.changes.notices import stop
from postroom.changes.pipeline import dry_run
from postroom.models import (
    ApiToken,
    Change,
    Finding,
    Invite,
    Letter,
    Mailbox,
    Person,
    Proof,
    RecoveryChannel,
    Secret,
    Verification,
)
from postroom.posture import run
from postroom.posture.checks.locked import RESET_LOCKED

HOME, NUMBER, CONTACT = "mia@home.example", "+442079460123", "mia@desk.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def number(house: House) -> str:
    """Mia has set her secret; a number and an address of hers count since yesterday."""
    do("invites.send", house.olive, mailbox=MIA, contact=CONTACT)
    redeemed(MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    return str(reachable(house, MIA, NUMBER, link="b" * 64).pk)


def started(house: House, by: Actor | None = None, **more: Any) -> str:
    change = do("resets.start", by or house.henry, mailbox=MIA, ticket="T-7", **more)
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        return str(Verification.objects.latest("id").pk)


def called(house: House, session: str, number: str, answer: str = "right", by: Actor | None = None) -> Change:
    return do("resets.record_call", by or house.olive, verification=session, channel=number, answer=answer)


def sent(house: House, session: str, contact: str = HOME, by: Actor | None = None) -> Change:
    return do("resets.send_link", by or house.olive, verification=session, contact=contact)


def vip(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)


def both(house: House, number: str) -> str:
    """A VIP's two proofs: Olive called, Carl vouched; Henry had started it."""
    session = started(house)
    assert called(house, session, number).version
    assert not the(Verification, pk=session).passed_at, "one is not enough for a VIP"
    vouched = do("resets.vouch", house.carl, verification=session, answer="right")
    assert vouched.version, reasons(vouched)
    return session


def test_one_call_by_a_second_person_releases_one_link_and_the_owner_sets_a_secret(house: House, number: str) -> None:
    session = started(house)
    assert called(house, session, number).version
    change = sent(house, session)
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="mailbox reset").values_list("contact", flat=True))
    assert told == {MIA}, "and every other address that it has; HOME got the link"
    invite = the(Invite, contact=HOME, mailbox__address__address=MIA)
    before = the(Secret, purpose="password").made
    do("invites.issue", SYSTEM, secrets={"link": "9" * 64}, invite=str(invite.pk))
    done = do("invites.redeem", Actor(None, "Mia", "link", "9" * 64), secrets={"password": "p", "recovery code": "c"})
    assert done.version and the(Secret, purpose="password").made >= before


def test_without_a_verification_there_is_no_link(house: House, number: str) -> None:
    with pytest.raises(Problems, match="a link now would be a reset: the owner is verified first"):
        do("invites.send", house.olive, mailbox=MIA, contact=HOME)
    with pytest.raises(Problems, match="releases no link"):
        sent(house, started(house))
    do("mailboxes.create", house.olive, address="new@acme.example")
    with pytest.raises(Problems, match="has no secret yet"):
        do("resets.start", house.henry, mailbox="new@acme.example", ticket="T")


def test_who_started_it_proves_nothing_and_nobody_proves_twice(house: House, number: str) -> None:
    vip(house)
    session = started(house, house.olive)
    own = called(house, session, number)
    assert own.stage == "refused" and "who started" in reasons(own)
    assert called(house, session, number, by=house.henry).version
    twice = called(house, session, number, by=house.henry)
    assert twice.stage == "refused" and "another person's" in reasons(twice)
    mine = started(house, house.carl)
    own = do("resets.vouch", house.carl, verification=mine, answer="right")
    assert own.stage == "refused" and "who started" in reasons(own)


def test_the_same_method_twice_is_one_proof(house: House, number: str) -> None:
    vip(house)
    session = started(house)
    assert called(house, session, number).version and called(house, session, number, by=house.oskar).version
    with pytest.raises(Problems, match="releases no link"):
        sent(house, session)


def test_the_clients_admin_vouches_and_nobody_for_them_and_calls_nobody(house: House, number: str) -> None:
    session = started(house)
    for_them = do("resets.vouch", house.oskar, verification=session, answer="right")
    assert for_them.stage == "refused" and "nobody for them" in reasons(for_them)
    assert called(house, session, number, by=house.carl).stage == "refused"


def test_a_number_counts_after_seven_days_confirmed_and_of_this_mailbox(house: House, number: str) -> None:
    young = reachable(house, MIA, "+442079460777", link="c" * 64, ago=timedelta(days=6))
    session = started(house)
    with pytest.raises(Problems, match="named 6 days ago"):
        called(house, session, str(young.pk))
    do("recovery_channels.name", house.olive, mailbox=MIA, value="+442079460778")
    with pytest.raises(Problems, match="nobody has confirmed"):
        called(house, session, str(the(RecoveryChannel, value="+442079460778").pk))
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    other = reachable(house, "leo@acme.example", "+442079460779", link="d" * 64)
    for wrong in (str(other.pk), str(the(RecoveryChannel, value=HOME).pk)):
        with pytest.raises(Problems, match="no number on file"):
            called(house, session, wrong)


def test_a_link_goes_nowhere_new(house: House, number: str) -> None:
    reachable(house, MIA, "mia@new.example", link="c" * 64, ago=timedelta(days=6))
    session = started(house)
    called(house, session, number)
    for contact in ("thief@evil.example", "mia@new.example", MIA, CONTACT):
        with pytest.raises(Problems, match="nobody was reached before"):
            sent(house, session, contact)
    assert sent(house, session).version


def test_the_link_that_is_released_is_of_that_mailbox_and_opens_no_other(house: House, number: str) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    redeemed("leo@acme.example")
    leo = the(Mailbox, address__address="leo@acme.example").pk
    with acting_as(SYSTEM):
        before = set(Secret.objects.filter(owner_row=leo).values_list("pk", flat=True))
    session = started(house)
    called(house, session, number)
    assert sent(house, session).version
    with acting_as(SYSTEM):
        released = Invite.objects.get(verification=session)
    assert released.mailbox_id == the(Mailbox, address__address=MIA).pk != leo
    do("invites.issue", SYSTEM, secrets={"link": "9" * 64}, invite=str(released.pk))
    done = do("invites.redeem", Actor(None, "Mia", "link", "9" * 64), secrets={"password": "p", "recovery code": "c"})
    assert done.version, reasons(done)
    with acting_as(SYSTEM):
        assert set(Secret.objects.filter(owner_row=leo).values_list("pk", flat=True)) == before


def test_a_verification_names_the_ticket_that_it_is_about(house: House, number: str) -> None:
    for none in ({}, {"ticket": ""}, {"ticket": "  "}):
        with pytest.raises(ValidationError, match="ticket"):
            do("resets.start", house.henry, mailbox=MIA, **none)
    assert the(Verification, pk=started(house)).ticket == "T-7"


def test_three_wrong_answers_lock_it_for_an_hour_over_every_session_with_an_alarm(house: House, number: str) -> None:
    for _ in range(2):
        assert called(house, started(house), number, "wrong").version
    run.run(RESET_LOCKED)
    with acting_as(SYSTEM):
        assert not Finding.objects.filter(check_name="resets.locked").exists()
    session = started(house)
    third = called(house, session, number, "wrong")
    assert third.version and the(Verification, pk=session).ended_at
    with acting_as(SYSTEM):
        assert Proof.objects.filter(good=False).count() == 3, "each stands in the record"
    locked = do("resets.start", house.henry, mailbox=MIA, ticket="T", urgent=True)
    assert locked.stage == "refused" and "locked until" in reasons(locked)
    run.run(RESET_LOCKED)
    with acting_as(SYSTEM):
        assert Finding.objects.get(check_name="resets.locked", closed_at=None).severity == "critical"
    with at(datetime.now(UTC) + 61 * MINUTE):
        assert do("resets.start", house.henry, mailbox=MIA, ticket="T").version


def test_no_undo_takes_a_wrong_answer_or_a_proof_or_an_end_back(house: House, number: str) -> None:
    session = started(house)
    wrong = called(house, session, number, "wrong")
    back = undo(wrong.pk, actor=house.olive, why="a slip")
    assert back.stage == "refused" and "not taken back" in reasons(back)
    ended = do("resets.end", house.henry, verification=session)
    with pytest.raises(NothingToDo):
        undo(ended.pk, actor=house.olive, why="a slip")
    assert the(Verification, pk=session).ended_at


def test_ten_minutes_and_one_use(house: House, number: str) -> None:
    session = started(house)
    called(house, session, number)
    with at(datetime.now(UTC) + 11 * MINUTE), pytest.raises(Problems, match="ten minutes are over"):
        sent(house, session)
    came = together(*[lambda: sent(house, session)] * 8)
    assert sum(isinstance(one, Change) and one.version is not None for one in came) == 1
    with pytest.raises(Problems, match="releases no link"):
        sent(house, session)


def test_half_an_hour_and_no_proof_is_taken_any_more(house: House, number: str) -> None:
    session = started(house)
    with at(datetime.now(UTC) + 31 * MINUTE), pytest.raises(Problems, match="half hour is over"):
        called(house, session, number)
    with at(datetime.now(UTC) + 31 * MINUTE):
        (tidied,) = [one for one in tick(datetime.now(UTC) + 31 * MINUTE) if one.kind == "resets.end"]
    assert tidied.version and the(Verification, pk=session).ended_at


def test_a_newer_one_ends_the_one_before(house: House, number: str) -> None:
    first = started(house)
    started(house)
    with pytest.raises(Problems, match="waits for no proof"):
        called(house, first, number)


def test_a_vips_takes_two_methods_a_second_person_and_a_quarter_of_an_hour(house: House, number: str) -> None:
    vip(house)
    change = sent(house, both(house, number))
    assert change.stage == "held" and "a second person agrees" in reasons(change)
    assert change.at == change.now + 15 * MINUTE
    approved = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert approved.stage == "scheduled", "whoever is told can still stop it"
    with acting_as(SYSTEM):
        assert not Invite.objects.filter(contact=HOME, mailbox__isnull=False).exists()
    with at(change.now + 15 * MINUTE):
        tick(change.now + 15 * MINUTE)
    assert again(change).version and the(Invite, contact=HOME, mailbox__isnull=False)


def test_no_batch_goes_round_the_time_to_object(house: House, number: str) -> None:
    vip(house)
    asked = kind("resets.send_link", verification=both(house, number), contact=HOME)
    with pytest.raises(NotLikeThat, match="propose it by itself"):
        submit_batch([asked], actor=house.olive, why="a test")


def test_urgent_skips_nothing(house: House, number: str) -> None:
    vip(house)
    session = started(house, urgent=True)
    called(house, session, number)
    with pytest.raises(Problems, match="releases no link"):
        sent(house, session)
    do("resets.vouch", house.carl, verification=session, answer="right")
    change = sent(house, session)
    assert change.stage == "held" and change.at == change.now + 15 * MINUTE


def test_who_started_it_never_approves_it(house: House, number: str) -> None:
    vip(house)
    with_consent(house, do("grants.give", house.oskar, person="henry@northlight.example", role="approver"))
    change = sent(house, both(house, number))
    with pytest.raises(OwnChange, match="nobody approves what they started"):
        approve(change.pk, actor=house.henry, plan_hash=change.plan_hash)
    with pytest.raises(OwnChange):
        approve(change.pk, actor=house.olive, plan_hash=change.plan_hash)


def test_the_owners_other_addresses_the_one_before_and_the_security_contact_are_told_and_stop_it(
    house: House, number: str
) -> None:
    do("clients.change", house.olive, client="acme", security_contact="security@acme.test")
    old = reachable(house, MIA, "mia@old.example", link="c" * 64)
    do("recovery_channels.end", house.olive, channel=str(old.pk))
    reachable(house, MIA, "mia@other.example", link="d" * 64, ago=timedelta(days=1))
    vip(house)
    change = sent(house, both(house, number))
    tick(datetime.now(UTC))
    with acting_as(SYSTEM):
        told = set(Invite.objects.filter(stops=change).values_list("contact", flat=True))
    assert told == {"mia@old.example", "mia@other.example", CONTACT, "security@acme.test"}
    notice = the(Invite, stops=change, contact="mia@old.example")
    do("notices.issue", SYSTEM, secrets={"link": "9" * 64}, notice=str(notice.pk))
    assert stop("9" * 64).stage == "withdrawn"
    session = str(change.params["verification"])
    burnt = sent(house, session)
    assert burnt.stage == "refused" and "verified anew" in reasons(burnt)


def test_an_approvers_no_burns_it_and_it_waits_once(house: House, number: str) -> None:
    vip(house)
    change = sent(house, both(house, number))
    session = str(change.params["verification"])
    second = sent(house, session)
    assert second.stage == "refused" and "waits" in reasons(second)
    withdraw(change.pk, actor=house.ada, why="I do not believe it")
    assert sent(house, session).stage == "refused"


def test_what_was_held_for_hours_goes_no_more(house: House, number: str) -> None:
    vip(house)
    change = sent(house, both(house, number))
    late = datetime.now(UTC) + timedelta(hours=3)
    with at(late):
        approved = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert approved.version is None and "too old" in reasons(approved)


def test_what_is_held_goes_no_more_once_its_owner_is_back_by_themselves(house: House, number: str) -> None:
    vip(house)
    change = sent(house, both(house, number))
    assert approve(change.pk, actor=house.ada, plan_hash=change.plan_hash).stage == "scheduled"
    with at(change.now + MINUTE):
        back = do("secrets.change", owner_of(MIA), secrets={"password": "{HASH}new"})
        assert back.version, reasons(back)
    with at(change.now + 15 * MINUTE):
        tick(change.now + 15 * MINUTE)
    gone = again(change)
    assert gone.version is None and "another password since" in reasons(gone)


def test_a_token_verifies_nobody(house: House, number: str) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    may = ["mailboxes.view", "secrets.view", "resets.start", "resets.record_call", "resets.send_link"]
    made = do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=may, until=until)
    if made.stage == "held":
        with_consent(house, made)
    token = replace(house.olive, sort="token", token=the(ApiToken).pk)
    refused = do("resets.start", token, mailbox=MIA, ticket="T")
    assert refused.stage == "refused" and "a token verifies nobody" in reasons(refused)


def test_nothing_but_a_link_comes_of_a_verification(house: House, number: str) -> None:
    """No kind that takes one touches a recovery address, a second factor or a secret, or has a field for one."""
    session = started(house)
    called(house, session, number)
    named = [one for one in KINDS.values() if '"verifications"' in str(one.model_json_schema()).replace("'", '"')]
    assert {one.permission for one in named} == {
        "resets.record_call", "resets.vouch", "resets.send_link", "resets.end", "resets.ask_code", "resets.enter_code",
        "resets.declare_emergency", "resets.waive_wait",
    }  # fmt: skip
    named = [one for one in named if one.permission != "resets.enter_code"]  # what was read out is kept nowhere
    assert not any(one.carries_secret or {"password", "code", "value"} & one.model_fields.keys() for one in named)
    plan = dry_run(kind("resets.send_link", verification=session, contact=HOME), actor=house.olive).plan
    assert set(plan.by_table) == {"verifications", "invites", "letters"}


def test_another_clients_admin_sees_none_of_it(house: House, number: str) -> None:
    session = started(house)
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    do("grants.give", house.oskar, person="gus@globex.example", role="client admin", client="globex")
    gus = Actor(the(Person, email="gus@globex.example").pk, "Gus")
    for permission, more in (("resets.vouch", {"answer": "right"}), ("resets.end", {})):
        with pytest.raises(Problems, match="no verification"):
            do(permission, gus, verification=session, **more)
    with pytest.raises(Problems, match="no verification"):
        do("resets.end", gus, verification=str(uuid4()))


def test_nobody_resets_the_mailbox_of_somebody_above_them(house: House, number: str) -> None:
    with_consent(house, do("mailboxes.change", house.oskar, mailbox=MIA, owner="owner@northlight.example"))
    refused = do("resets.start", house.olive, mailbox=MIA, ticket="T")
    assert refused.stage == "refused" and "above you" in reasons(refused)


def test_who_may_not_see_secrets_or_channels_gets_round_nothing(house: House, number: str) -> None:
    """A role of one's own without these views: the link is a reset all the same, and all the others are told."""
    may = ["mailboxes.view", "invites.send", "recovery_channels.name"]
    do("roles.create", house.oskar, name="mail desk", permissions=may)
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    do("grants.give", house.oskar, person="dora@northlight.example", role="mail desk", client="acme")
    dora = Actor(the(Person, email="dora@northlight.example").pk, "Dora")
    with pytest.raises(Problems, match="a link now would be a reset"):
        do("invites.send", dora, mailbox=MIA, contact=HOME)
    named = do("recovery_channels.name", dora, mailbox=MIA, value="dora@evil.example")
    assert named.version, reasons(named)
    with acting_as(SYSTEM):
        newest = str(RecoveryChannel.objects.latest("id").pk)
        told = set(Letter.objects.filter(about=newest).values_list("contact", flat=True))
    assert told == {MIA, HOME}
