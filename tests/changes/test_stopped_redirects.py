"""A redirect of a filter is stopped at its node's port: no script is touched, its owner is told, and it can go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cast import MIA, House, again, do, kind, owner_of, reasons, redeemed, the
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import submit
from postroom.changes.routes import read
from postroom.changes.rules import Rules
from postroom.models import Letter, RedirectStop
from postroom.protocols.routing import trace
from routed import later, looked, script

Connect = Callable[[str], Node]
SPY = "spy@evil.example"
STOP: dict[str, Any] = {"mailbox": MIA, "target": SPY}


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    one = node("mx1")
    acknowledge(one)
    return one


def forbidden(node: Node) -> list[dict[str, str]]:
    found = [one["maps"].get("forbidden", []) for one in pull(node).values() if one and one["maps"].get("mailbox")]
    return [dict(pair) for pair in {tuple(row.items()): None for rows in found for row in rows}]


def barred() -> bool:
    """Whether the tracer says that what the script passes on does not go."""
    with acting_as(SYSTEM):
        now = the(RedirectStop).made
        found = trace(MIA, Rules(read([MIA]), now), at=now)
    return any(SPY in hop.rule.barred for hop in found.hops)


def test_it_is_a_row_at_the_node_and_the_owner_is_told(house: House, mx1: Node) -> None:
    change = do("redirects.stop", house.olive, **STOP)

    assert change.version, reasons(change)
    assert forbidden(mx1) == [{"source": MIA, "target": SPY}]
    assert again(change).stage == "applied", "the node has read nothing back yet"
    acknowledge(mx1)
    row = the(RedirectStop)
    assert (row.reason, row.ended_at, row.client_id) == (change.why, None, change.client_id)
    with acting_as(SYSTEM):
        assert {(one.contact, one.about) for one in Letter.objects.filter(says="redirect stopped")} == {(MIA, SPY)}
    with pytest.raises(NothingToDo):
        do("redirects.stop", house.olive, **STOP)


def test_it_goes_on_again_by_a_change_that_tells_its_owner_and_by_no_undo(house: House, mx1: Node) -> None:
    first = do("redirects.stop", house.olive, **STOP)
    assert do("redirects.resume", house.olive, **STOP).version
    assert forbidden(mx1) == [] and the(RedirectStop).ended_at
    with pytest.raises(Problems, match="are not stopped"):
        do("redirects.resume", house.olive, **STOP)
    second = do("redirects.stop", house.olive, **STOP)
    assert forbidden(mx1) == [{"source": MIA, "target": SPY}] and second.version and first.version
    back = undo(second.pk, actor=house.olive, why="wrong mailbox")
    assert back.stage == "refused" and "redirects.resume, which tells its owner" in reasons(back)
    assert forbidden(mx1) == [{"source": MIA, "target": SPY}]


def test_the_tracer_says_that_it_does_not_go_though_an_exception_lets_it(house: House) -> None:
    held = do("exceptions.create", house.olive, address=MIA, target=SPY, owner="Mia", until=later())
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    looked("mx1")
    script(MIA, {"to": SPY})
    do("redirects.stop", house.olive, **STOP)
    assert barred()
    do("redirects.resume", house.olive, **STOP)
    assert not barred()


def test_in_a_freeze_it_is_stopped_and_does_not_go_on(house: House) -> None:
    other = do("redirects.stop", house.olive, **(STOP | {"target": "other@evil.example"}))
    do("freezes.start", house.olive, scope="acme", reason="an incident")
    assert do("redirects.stop", house.olive, **STOP).version
    assert "frozen" in reasons(do("redirects.resume", house.olive, **STOP))
    assert "frozen" in reasons(undo(other.pk, actor=house.olive, why="not that one"))


def test_of_a_vip_a_second_person_lets_it_go_on(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    assert do("redirects.stop", house.olive, **STOP).version
    held = do("redirects.resume", house.olive, **STOP)
    assert held.stage == "held" and "filter of a VIP" in reasons(held)


def test_its_owner_does_not_let_it_go_on(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    do("redirects.stop", house.olive, **STOP)
    assert not submit(kind("redirects.resume", **STOP), actor=owner_of(MIA), why="mine").version
    assert the(RedirectStop).ended_at is None


def test_a_redirect_that_is_not_there_is_refused_with_what_is(house: House) -> None:
    """Where nobody knows what the filters do, it may be there, and is stopped."""
    script(MIA, {"to": "kay@partner.test"})
    looked()
    with pytest.raises(Problems, match=f"no filter of {MIA} passes mail on to {SPY}; they do to kay@partner.test"):
        do("redirects.stop", house.olive, **STOP)
    with acting_as(SYSTEM):
        assert not Letter.objects.filter(says="redirect stopped").exists()
    assert do("redirects.stop", house.olive, mailbox=MIA, target="kay@partner.test").version
    looked(at=the(RedirectStop).made - timedelta(minutes=6))
    assert do("redirects.stop", house.olive, **STOP).version
