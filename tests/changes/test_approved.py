"""An approval counts while its approver may give it, and is given by nobody whom the change would let do more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, House, again, do, person, reasons, the, tick, waits
from postroom.access.acting import Actor
from postroom.changes import apply as writer
from postroom.changes import approvals, approved
from postroom.changes.approvals import approve
from postroom.changes.errors import NotSeen, OwnChange
from postroom.models import Change, Client, Grant, Mailbox

LATER = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def amy(house: House) -> Actor:
    """A second approver."""
    do("people.invite", house.oskar, name="Amy", email="amy@northlight.example")
    given = do("grants.give", house.oskar, person="amy@northlight.example", role="approver")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    return person("amy@northlight.example", house.oskar)


def agreed_for_later(house: House, by: Actor) -> Change:
    change = waits("mailboxes.remove", house.olive, mailbox=MIA)
    assert change.stage == "held"
    assert approve(change.pk, actor=by, plan_hash=change.plan_hash).stage == "scheduled"
    return change


def loses_the_role(house: House, who: Actor) -> None:
    given = do("grants.end", house.oskar, grant=str(the(Grant, person=who.person, ended_at=None).pk))
    assert given.version, reasons(given)


def is_suspended(house: House, who: Actor) -> None:
    assert do("people.suspend", house.oskar, person="amy@northlight.example").version


@pytest.mark.parametrize("ends", [loses_the_role, is_suspended])
def test_what_somebody_approved_who_may_no_more_is_held_anew(house: House, amy: Actor, ends: object) -> None:
    change = agreed_for_later(house, amy)
    ends(house, amy)  # type: ignore[operator]
    tick(LATER)
    held = again(change)
    assert held.stage == "held" and approved.LAPSED in reasons(held)
    assert the(Mailbox, address__address=MIA).removed_at is None
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).stage in ("scheduled", "applied")
    tick(LATER)
    assert again(change).stage == "applied"


def test_as_long_as_they_may_it_is_made(house: House, amy: Actor) -> None:
    change = agreed_for_later(house, amy)
    tick(LATER)
    assert again(change).stage == "applied"


def test_without_asking_again_it_would_be_made(house: House, amy: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    change = agreed_for_later(house, amy)
    loses_the_role(house, amy)
    monkeypatch.setattr(writer, "lapsed", lambda _: None)
    tick(LATER)
    assert again(change).stage == "applied"


OTHERS = "UPDATE changes SET plan = (SELECT plan FROM changes WHERE id = '{other}') WHERE id = '{which}'"
NONE = "UPDATE changes SET plan = '[]' WHERE id = '{which}'"
ELSEWHERE = "UPDATE changes SET plan = jsonb_set(plan, '{{0,4}}', to_jsonb('{globex}'::text)) WHERE id = '{which}'"
altering = pytest.mark.parametrize("how", [OTHERS, NONE, ELSEWHERE])


def altered(house: House, sql: Any, how: str, change: Change) -> None:
    """Somebody who writes to the database lays other edits beside the hash that people looked at."""
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    other = waits("mailboxes.remove", house.olive, mailbox="nia@acme.example")
    sql(how.format(which=change.pk, other=other.pk, globex=the(Client, slug="globex").pk))
    assert again(change).plan != change.plan and again(change).plan_hash == change.plan_hash


def untouched() -> bool:
    boxes = (the(Mailbox, address__address=f"{name}@acme.example") for name in ("mia", "nia"))
    return all(box.removed_at is None for box in boxes)


@altering
def test_what_was_laid_in_the_place_of_the_plan_is_not_approved(house: House, sql: Any, how: str) -> None:
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    altered(house, sql, how, change)
    with pytest.raises(NotSeen, match=approved.ALTERED):
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert again(change).stage == "held" and untouched()


@altering
def test_what_was_laid_there_after_it_was_approved_is_not_made(house: House, sql: Any, how: str) -> None:
    change = agreed_for_later(house, house.ada)
    altered(house, sql, how, change)
    tick(LATER)
    assert again(change).stage == "stale" and approved.ALTERED in reasons(again(change))
    assert untouched()


def test_what_nobody_had_to_approve_is_not_made_otherwise_either(house: House, sql: Any) -> None:
    change = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    assert change.stage == "scheduled"
    altered(house, sql, OTHERS, change)
    tick(LATER)
    assert again(change).stage == "stale" and untouched()


def test_an_approval_is_for_the_plan_that_it_was_given_to(house: House, sql: Any) -> None:
    """With another hash beside another plan it is held anew: somebody looks at that one."""
    change = agreed_for_later(house, house.ada)
    altered(house, sql, OTHERS, change)
    sql(f"UPDATE changes c SET plan_hash = o.plan_hash FROM changes o WHERE o.plan = c.plan AND c.id = '{change.pk}'")
    tick(LATER)
    held = again(change)
    assert held.plan_hash != change.plan_hash, "what was laid there is a plan that hangs together"
    assert held.stage == "held" and approved.ANOTHER in reasons(held) and untouched()


def promotion(house: House) -> Change:
    change = do("grants.give", house.oskar, person="ada@northlight.example", role="owner")
    return change


def test_nobody_approves_what_lets_them_do_more(house: House, amy: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    change = promotion(house)
    assert change.stage == "held"
    with pytest.raises(OwnChange, match="let them do more"):
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert again(change).stage == "held"
    with monkeypatch.context() as patch:
        patch.setattr(approvals, "in_favour_of", lambda *_: set())
        assert approve(change.pk, actor=house.ada, plan_hash=change.plan_hash).version, "without the guard"


def test_another_approver_does(house: House, amy: Actor) -> None:
    change = promotion(house)
    assert approve(change.pk, actor=amy, plan_hash=change.plan_hash).version


def test_where_only_who_gains_by_it_could_agree_it_waits_a_day(house: House) -> None:
    """Nobody would ever let it through: it goes the way of what nobody can approve."""
    change = promotion(house)
    assert change.stage == "scheduled" and change.at is not None
    assert change.at - change.now >= timedelta(hours=24)


def test_a_role_of_ones_own_that_comes_to_allow_more_is_in_favour_of_who_holds_it(house: House, amy: Actor) -> None:
    do("roles.create", house.oskar, name="desk", permissions=["mailboxes.view"])
    given = do("grants.give", house.oskar, person="ada@northlight.example", role="desk")
    assert given.version, reasons(given)
    change = do("roles.change", house.oskar, role="desk", permissions=["mailboxes.view", "changes.approve"])
    assert change.stage == "held", reasons(change)
    with pytest.raises(OwnChange, match="let them do more"):
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert approve(change.pk, actor=amy, plan_hash=change.plan_hash).version
