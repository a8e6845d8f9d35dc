"""The 15 minutes of a VIP's reset: an emergency and the client's own admin together end them, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cast import MIA, House, again, at, do, kind, reachable, reasons, redeemed, the, tick, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Due, Finding, Invite, Mailbox, Person, Review, Verification
from postroom.posture import run
from postroom.posture.checks.emergency import EMERGENCIES, SHOWN, evaluate

HOME, NUMBER = "mia@home.example", "+442079460123"


@pytest.fixture
def waiting(house: House) -> Change:
    """The reset of a VIP: Henry started it, Olive called, Carl vouched, Olive asked for the link; it is held."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    number = str(reachable(house, MIA, NUMBER, link="b" * 64).pk)
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    do("resets.start", house.henry, mailbox=MIA, ticket="T-7", urgent=True)
    session = str(the(Verification).pk)
    assert do("resets.record_call", house.olive, verification=session, channel=number, answer="right").version
    assert do("resets.vouch", house.carl, verification=session, answer="right").version
    held = do("resets.send_link", house.olive, verification=session, contact=HOME)
    assert held.stage == "held" and held.at == held.now + timedelta(minutes=15)
    return held


def session() -> str:
    with acting_as(SYSTEM):
        return str(Verification.objects.latest("id").pk)


def declared(house: House, by: Actor | None = None) -> Change:
    return do("resets.declare_emergency", by or house.oskar, verification=session(), reason="payroll runs at noon")


def let_go(house: House, by: Actor | None = None) -> Change:
    return do("resets.waive_wait", by or house.carl, verification=session())


def sent() -> bool:
    with acting_as(SYSTEM):
        return bool(Invite.objects.filter(verification__isnull=False).exists())


def test_both_together_and_a_second_person_send_it_at_once(house: House, waiting: Change) -> None:
    assert declared(house).version
    assert again(waiting).at == waiting.at and not sent(), "an emergency alone skips nothing"
    assert let_go(house).version
    assert again(waiting).stage == "held" and not sent(), "nor do both without the second person"
    done = approve(waiting.pk, actor=house.ada, plan_hash=waiting.plan_hash)
    assert done.version, reasons(done)
    assert sent()


def test_what_was_approved_already_goes_by_the_clock_at_once(house: House, waiting: Change) -> None:
    assert approve(waiting.pk, actor=house.ada, plan_hash=waiting.plan_hash).stage == "scheduled"
    declared(house)
    tick(datetime.now(UTC) + timedelta(seconds=2))
    assert not sent()
    let_go(house)
    with acting_as(SYSTEM):
        assert Due.objects.filter(change=waiting, kind="").count() == 1
    tick(datetime.now(UTC) + timedelta(seconds=2))
    assert again(waiting).version and sent()


def test_nobody_lets_it_go_without_an_emergency(house: House, waiting: Change) -> None:
    with pytest.raises(Problems, match="no emergency was declared"):
        let_go(house)


def test_who_started_it_or_asked_for_the_link_skips_nothing(house: House, waiting: Change) -> None:
    with_consent(house, do("grants.give", house.oskar, person="henry@northlight.example", role="operator"))
    for by, why in ((house.henry, "who started"), (house.olive, "who asked for the link")):
        refused = declared(house, by)
        assert refused.stage == "refused" and why in reasons(refused), reasons(refused)
    assert again(waiting).at == waiting.at


def test_the_wait_is_let_go_by_the_clients_own_admin_alone(house: House, waiting: Change) -> None:
    declared(house, house.carl)
    for by in (house.olive, house.ada, house.henry):
        assert let_go(house, by).stage == "refused"
    assert "nobody for them" in reasons(let_go(house, house.oskar))
    do("people.invite", house.oskar, name="Gus", email="gus@globex.example", client="globex")
    do("grants.give", house.oskar, person="gus@globex.example", role="client admin", client="globex")
    with pytest.raises(Problems, match="no verification"):
        let_go(house, Actor(the(Person, email="gus@globex.example").pk, "Gus"))
    assert again(waiting).at == waiting.at


def test_it_takes_two(house: House, waiting: Change) -> None:
    assert declared(house, house.carl).version
    refused = let_go(house, house.carl)
    assert refused.stage == "refused" and "it takes two" in reasons(refused)


def test_a_client_admin_who_started_it_never_lets_its_wait_go(house: House, waiting: Change) -> None:
    do("resets.start", house.carl, mailbox=MIA, ticket="T-8")
    number = str(the(Verification, pk=session()).mailbox_id)
    with acting_as(SYSTEM):
        channel = str(Mailbox.objects.get(pk=number).recoverychannel_set.get(value=NUMBER).pk)
    _admin(house, "cora")
    cora = Actor(the(Person, email="cora@acme.test").pk, "Cora")
    do("resets.record_call", house.olive, verification=session(), channel=channel, answer="right")
    assert do("resets.vouch", cora, verification=session(), answer="right").version
    held = do("resets.send_link", house.olive, verification=session(), contact=HOME)
    assert held.stage == "held", reasons(held)
    assert declared(house).version
    refused = let_go(house, house.carl)
    assert refused.stage == "refused" and "who started" in reasons(refused)
    assert let_go(house, cora).version and again(held).at <= datetime.now(UTC)


def _admin(house: House, name: str) -> None:
    do("people.invite", house.oskar, name=name.title(), email=f"{name}@acme.test", client="acme")
    do("grants.give", house.oskar, person=f"{name}@acme.test", role="client admin", client="acme")


def test_what_nobody_could_approve_waits_its_day_all_the_same(house: House, waiting: Change) -> None:
    with acting_as(SYSTEM):
        Change.objects.filter(pk=waiting.pk).update(stage="scheduled", at=waiting.now + timedelta(hours=24))
    declared(house)
    with pytest.raises(Problems, match="waits its day"):
        let_go(house)


def test_it_is_an_alarm_and_is_looked_at_afterwards(house: House, waiting: Change) -> None:
    change = declared(house)
    run.run(EMERGENCIES)
    with acting_as(SYSTEM):
        found = Finding.objects.get(check_name="resets.emergency", closed_at=None)
        assert found.severity == "critical" and found.evidence["reason"] == "payroll runs at noon"
        assert "not waived" in found.evidence["waived"]
        assert "payroll" in Review.objects.get(change=change).reason
        row = Verification.objects.select_related("mailbox__address", "emergency_by").get(pk=session())
    assert row.emergency_at
    assert list(evaluate([row], row.emergency_at + SHOWN)) and not list(evaluate([row], row.emergency_at + SHOWN * 2))


def test_no_undo_takes_one_back_and_a_token_declares_none(house: House, waiting: Change) -> None:
    by_token = declared(house, replace(house.oskar, sort="token"))
    assert by_token.stage == "refused" and "a token verifies nobody" in reasons(by_token)
    change = declared(house)
    assert undo(change.pk, actor=house.oskar, why="a slip").stage == "refused"
    with pytest.raises(Problems, match="declared for it already"):
        declared(house)


def test_where_nothing_waits_there_is_no_emergency(house: House, waiting: Change) -> None:
    with at(waiting.now + timedelta(minutes=16)), pytest.raises(Problems, match="waits for the time to object"):
        declared(house)


def test_one_at_a_time_so_that_no_list_or_spelling_hides_what_was_stopped(house: House, waiting: Change) -> None:
    """By another spelling of the id, or in a list, a link that was stopped would have gone by a second request."""
    spelt = kind("resets.send_link", verification=session().replace("-", "").upper(), contact=HOME)
    assert spelt.model_dump()["verification"] == session()
    waits = submit(spelt, actor=house.oskar, why="a test")
    assert waits.stage == "refused" and "waits" in reasons(waits)
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    redeemed("leo@acme.example")
    both = submit([kind("resets.start", mailbox=box, ticket="T") for box in (MIA, "leo@acme.example")],
                  actor=house.henry, why="a test")  # fmt: skip
    assert both.stage == "refused" and "one verification at a time" in reasons(both)
    gone = [kind("mailboxes.transfer", mailbox=box, contact="next@home.example") for box in (MIA, "leo@acme.example")]
    moved = submit(gone, actor=house.oskar, why="a test")
    assert moved.stage == "held" and "one verification" not in reasons(moved), "that they end goes along with much"
