"""A batch that nobody could approve waits, is told of and is stopped as one."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, POSTMASTER, House, again, do, kind, the, tick, together
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import apply as writer
from postroom.changes import approvals
from postroom.changes.batch import submit_batch
from postroom.changes.errors import NotSeen
from postroom.changes.notices import holder, stop, warned
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.models import Change, Invite
from postroom.web.told import told as said

OWNER, LINK = "owner@northlight.example", "a" * 64


@pytest.fixture
def alone(house: House) -> House:
    """Nobody but Oskar could approve anything."""
    do("people.suspend", house.oskar, person="ada@northlight.example")
    return house


def issue() -> None:
    notice = the(Invite, contact=OWNER, stops__isnull=False, ended_at=None)
    issued = kind("notices.issue", notice=str(notice.pk))
    assert submit(issued, actor=SYSTEM, why="mail", secrets={"link": LINK}).version


def notices() -> list[str]:
    with acting_as(SYSTEM):
        return list(Invite.objects.filter(stops__isnull=False).order_by("pk").values_list("contact", flat=True))


GLOBEX = "mia@globex.example"


@pytest.mark.parametrize("removed", [MIA, GLOBEX])
def test_a_batch_waits_as_one_is_told_of_once_and_stopped_as_one(alone: House, removed: str) -> None:
    """Whichever part comes first: what needs a second person is named, never hidden behind what does not."""
    other = "globex" if removed == MIA else "acme"
    parts = [kind("clients.change", client=other, name="New"), kind("mailboxes.remove", mailbox=removed)]
    batch = submit_batch(parts, actor=alone.oskar, why="tidy")
    with acting_as(SYSTEM):
        changes = list(Change.objects.filter(batch=batch))
    assert {(c.stage, c.at - c.now) for c in changes} == {("scheduled", timedelta(hours=24))}  # type: ignore[operator]
    tick(datetime.now(UTC))
    assert notices() == [OWNER, POSTMASTER], "one letter each, about all of it"
    issue()
    with acting_as(holder(LINK)) as access:
        about = said(warned(LINK).change, access.actor, to=OWNER)
    assert about.what.startswith(f"Remove mailbox {removed}") and f"(client {other.title()})" in about.what
    assert about.held == "removes 1 mailbox"
    with pytest.raises(NotSeen, match="as a whole"):
        approvals.withdraw(changes[0].pk, actor=alone.oskar, why="x")
    stop(LINK)
    assert {again(c).stage for c in changes} == {"withdrawn"}


def test_a_link_stops_what_still_waits_of_a_batch(alone: House) -> None:
    parts = [kind("clients.change", client="globex", name="New"), kind("mailboxes.remove", mailbox=MIA)]
    submit_batch(parts, actor=alone.oskar, why="tidy")
    tick(datetime.now(UTC))
    issue()
    with acting_as(holder(LINK)):
        told_of = warned(LINK).change
    assert apply_scheduled(told_of.pk).version
    stop(LINK)
    with acting_as(SYSTEM):
        assert sorted(Change.objects.filter(batch=told_of.batch).values_list("stage", flat=True))[-1] == "withdrawn"


def test_stopped_while_the_clock_applies_a_part_neither_waits_for_the_other(
    alone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lock changes first and the organization after them; the other way about is a deadlock."""
    parts = [kind("mailboxes.remove", mailbox=MIA), kind("mailboxes.remove", mailbox=GLOBEX)]
    submit_batch(parts, actor=alone.oskar, why="tidy")
    tick(datetime.now(UTC))
    issue()
    with acting_as(holder(LINK)):
        named = warned(LINK).change
    with acting_as(SYSTEM):
        (other,) = Change.objects.filter(batch=named.batch).exclude(pk=named.pk)
    real, locked = writer.lock, threading.Event()

    def slow(plan: Any, begun: str = "") -> tuple[int, bool]:
        if plan.client is not None:  # the clock has its change and not yet the organization
            locked.set()
            time.sleep(0.5)
        return real(plan, begun)

    monkeypatch.setattr(writer, "lock", slow)
    applied, stopped = together(lambda: apply_scheduled(other.pk), lambda: locked.wait(5) and stop(LINK))
    assert (applied.stage, again(named).stage) == ("applied", "withdrawn") and stopped.pk == named.pk
