"""What follows from a change: submitted by the system, once, and waited for before the change is verified."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cast import MIA, House, acknowledged, again, do, holds, kind, left, the
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import carry, follow
from postroom.changes.follow import FollowUp
from postroom.models import Freeze

WWW = {"domain": "acme.example", "name": "www.acme.example", "type": "A", "values": ["192.0.2.1"]}


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[FollowUp]:
    """After a record comes what a test says."""
    after: list[FollowUp] = []
    monkeypatch.setitem(follow.FOLLOW_UPS, "record_sets.set", lambda change: iter(after))
    return after


def prove(domain: str) -> FollowUp:
    return FollowUp(
        "domains.prove", domain, "it was read", lambda: (kind("domains.prove", domain=domain, proof="x"), None)
    )


def test_a_change_is_verified_when_what_follows_is(
    house: House, followed: list[FollowUp], node: Callable[[str], Node]
) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    acknowledge(node("mx1"))
    holds(house, "acme.example", {})
    followed.append(prove("new.example"))
    change = do("record_sets.set", house.olive, **WWW)
    carry.carry_out(str(change.pk))
    assert again(change).stage == "applied" and left(change) == [("change", "it is applied")]
    with acting_as(SYSTEM):
        child = change.follow_ups.get()
    acknowledge(node("mx1"))
    acknowledged()
    assert (again(child).stage, again(change).stage) == ("verified", "verified")


def test_what_follows_is_submitted_once_however_often_it_is_settled(house: House, followed: list[FollowUp]) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    holds(house, "acme.example", {})
    followed.append(prove("new.example"))
    change = do("record_sets.set", house.olive, **WWW)
    for _ in range(3):
        carry.carry_out(str(change.pk))
    with acting_as(SYSTEM):
        assert change.follow_ups.count() == 1


def test_what_follows_and_is_refused_is_listed_with_its_reason(house: House, followed: list[FollowUp]) -> None:
    holds(house, "acme.example", {})
    suspend = kind("mailboxes.suspend", mailbox=MIA)
    followed.append(FollowUp("mailboxes.suspend", MIA, "not ours to do", lambda: (suspend, None)))
    change = do("record_sets.set", house.olive, **WWW)
    carry.carry_out(str(change.pk))
    assert again(change).stage == "applied" and left(change) == [("change", "mailboxes.suspend is not allowed here")]


def test_what_came_to_nothing_is_tried_again_but_not_at_once(house: House, followed: list[FollowUp], sql: Any) -> None:
    holds(house, "acme.example", {})
    suspend = kind("mailboxes.suspend", mailbox=MIA)
    followed.append(FollowUp("mailboxes.suspend", MIA, "not ours to do", lambda: (suspend, None)))
    change = do("record_sets.set", house.olive, **WWW)

    def tries() -> int:
        carry.carry_out(str(change.pk))
        with acting_as(SYSTEM):
            return change.follow_ups.count()

    assert [tries(), tries()] == [1, 1]
    sql("UPDATE changes SET now = now - interval '11 seconds' WHERE caused_by_id IS NOT NULL")
    assert [tries(), tries()] == [2, 2]


def test_nothing_is_even_tried_during_a_freeze(house: House, followed: list[FollowUp]) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    holds(house, "acme.example", {})
    followed.append(prove("new.example"))
    change = do("record_sets.set", house.olive, **WWW)
    do("freezes.start", house.olive, scope="acme", reason="stop")
    carry.carry_out(str(change.pk))
    with acting_as(SYSTEM):
        assert not change.follow_ups.exists()
    do("freezes.end", house.olive, freeze=str(the(Freeze).pk))
    acknowledged()
    with acting_as(SYSTEM):
        assert change.follow_ups.count() == 1


def test_what_only_closes_is_not_kept_by_a_freeze(house: House, followed: list[FollowUp]) -> None:
    do("domains.add", house.olive, client="acme", name="new.example")
    holds(house, "acme.example", {})
    followed.append(replace(prove("new.example"), closes=True))
    change = do("record_sets.set", house.olive, **WWW)
    do("freezes.start", house.olive, scope="acme", reason="stop")
    carry.carry_out(str(change.pk))
    with acting_as(SYSTEM):
        (child,) = change.follow_ups.all()
    assert child.stage == "refused", "that it only closes is said; whether it is so, the policy judges by the plan"


def test_what_cannot_be_planned_yet_is_tried_again(house: House, followed: list[FollowUp]) -> None:
    holds(house, "acme.example", {})
    followed.append(prove("late.example"))
    change = do("record_sets.set", house.olive, **WWW)
    carry.carry_out(str(change.pk))
    assert again(change).stage == "applied" and left(change) == [("change", "on its way")]
    do("domains.add", house.olive, client="acme", name="late.example")
    acknowledged()
    with acting_as(SYSTEM):
        assert change.follow_ups.get().kind == "domains.prove"
