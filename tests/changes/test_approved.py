"""An approval counts while its approver may give it, and is given by nobody whom the change would let do more."""

from datetime import UTC, datetime, timedelta

import pytest

from cast import MIA, House, again, do, person, reasons, the, tick, waits
from postroom.access.acting import Actor
from postroom.changes import apply as writer
from postroom.changes import approvals, approved
from postroom.changes.approvals import approve
from postroom.changes.errors import OwnChange
from postroom.models import Change, Grant, Mailbox

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
