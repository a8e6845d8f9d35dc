"""Carry applied changes out: try what is left, note what was read back, move the stage when nothing is.

Runs at least once, so each step is safe to do again. A delivery's try takes its number first: a worker that
slept past its turn finds the number gone and writes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.db.models import Exists, OuterRef
from django.utils import timezone
from procrastinate.contrib.django import app

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Delivery, NodeTodo

from . import todo
from .agreement import read_back
from .deliver import CARRY_OUT, LEASE, again, once_served
from .follow import CAME_TO_NOTHING, followed
from .record import append

FINISHED = ("verified", *CAME_TO_NOTHING)  # what came to nothing was followed by another try
RETRIES = timedelta(minutes=10)  # the longest wait between two tries


@dataclass(frozen=True)
class Outcome:
    """What one try came to: evidence when it was read back; else why not, and when to try again.

    refused: what the other side said that will not have it, now or later."""

    evidence: Any = None
    why: str = ""
    again_in: timedelta = timedelta(seconds=5)
    refused: str = ""


Sender = Callable[[Change, Delivery], Outcome]
SENDERS: dict[str, Sender] = {}  # target → send and read back; handed over by the catalogue


@app.task(queue="deliver", name=CARRY_OUT)
def carry_out(change_id: str, target: str = "") -> None:
    """Try what is left of a change (of one sort, if it is named); then see whether anything is left at all."""
    close_old_connections()  # a worker's thread outlives the database it once talked to
    which = UUID(change_id)
    with acting_as(SYSTEM):
        waiting = Delivery.objects.filter(change_id=which, done=False).exclude(target="nodes").order_by("id")
        left = list(waiting.filter(target=target) if target else waiting)
    for delivery in left:
        attempt(which, delivery)
    settle(which)


def attempt(change_id: UUID, delivery: Delivery) -> None:
    mine = delivery.attempt + 1
    with acting_as(SYSTEM):
        mine_alone = Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt, done=False)
        taken = mine_alone.update(attempt=mine, next_try=timezone.now() + LEASE)
        change = Change.objects.get(pk=change_id)
    if taken:
        delivery.attempt = mine
        outcome = SENDERS[delivery.target](change, delivery)
        with acting_as(SYSTEM):
            _noted(Delivery.objects.filter(pk=delivery.pk, attempt=mine, done=False), mine, outcome)


@contextmanager
def in_hand(delivery: Delivery) -> Iterator[bool]:
    """A transaction for what must not be done by a try that another one has overtaken; whether this one still counts.

    Whoever takes the delivery up meanwhile waits until it is over.
    """
    with acting_as(SYSTEM):
        mine = Delivery.objects.select_for_update().filter(pk=delivery.pk, attempt=delivery.attempt, done=False)
        yield mine.first() is not None


def _noted(still_mine: Any, mine: int, outcome: Outcome) -> None:
    if outcome.why:
        wait = min(outcome.again_in * min(mine, 1000), RETRIES)
        still_mine.update(why=outcome.why, next_try=timezone.now() + wait)
    else:
        still_mine.update(done=True, evidence=outcome.evidence, why="", next_try=None)


def retry(now: datetime) -> int:
    """Put what is due for another try back on the queue: how many changes. Called by the clock."""
    with acting_as(SYSTEM):
        waiting = Delivery.objects.filter(done=False, next_try__lte=now).exclude(target="nodes")
        sorts: dict[UUID, set[str]] = {}
        for change_id, target in waiting.values_list("change_id", "target").distinct():
            sorts.setdefault(change_id, set()).add(target)
        changes = list(Change.objects.filter(pk__in=sorts, stage="applied"))
        waiting.update(next_try=now + RETRIES)
        for change in changes:
            again(change, sorted(sorts[change.pk]))
    return len(changes)


def movable(at_most: int = 500) -> list[UUID]:
    """Changes that nodes have read back since, oldest first.

    A change of which nothing is left is among them: whoever wanted to move it on died on the way.
    """
    left = Delivery.objects.filter(change=OuterRef("pk"), done=False)
    following = Change.objects.filter(caused_by=OuterRef("pk")).exclude(stage__in=FINISHED)
    with acting_as(SYSTEM):
        at_nodes = Exists(left.filter(target="nodes")) & ~Exists(NodeTodo.objects.filter(change=OuterRef("pk")))
        forgotten = ~Exists(left) & ~Exists(following)
        applied = Change.objects.filter(at_nodes | forgotten, stage="applied").order_by("pk")
        return list(applied.values_list("pk", flat=True)[:at_most])


def settle(change_id: UUID) -> None:
    """Move a change on: when nothing of its own is left come its follow-ups, and then it is verified."""
    with acting_as(SYSTEM):
        change = Change.objects.get(pk=change_id)
        if change.stage != "applied":
            return
        _nodes(change)
        if change.delivery_set.filter(done=False).exists():
            return
    if followed(change) and _verified(change_id) and change.caused_by_id:
        settle(change.caused_by_id)


def _nodes(change: Change) -> None:
    """A node is done with a change when no row of its is on the node's list and what was read back agrees."""
    once_served(change)
    for delivery in change.delivery_set.filter(target="nodes", done=False, object__isnull=False):
        node = UUID(str(delivery.object))
        if NodeTodo.objects.filter(change=change, node=node).exists():
            continue
        seen = list(read_back(change.pk, node))
        if doubtful := [(object, id, line) for object, id, _, wrong in seen for line in wrong]:
            _asked_again(change, node, delivery, doubtful)
        else:
            found = [{"object": object, "id": str(id), "seen": said} for object, id, said, _ in seen[:SHOWN]]
            Delivery.objects.filter(pk=delivery.pk).update(done=True, why="", next_try=None, evidence=found)


def _asked_again(change: Change, node: UUID, delivery: Delivery, doubtful: list[tuple[str, UUID, str]]) -> None:
    """What does not agree goes back on the node's list, ever more seldom; until then it says what was wrong."""
    now, still = timezone.now(), Delivery.objects.filter(pk=delivery.pk)
    lines = [line for *_, line in doubtful]
    more = f", and {len(lines) - SAID} more" if len(lines) > SAID else ""
    still.update(why=f"{delivery.label} says otherwise: {'; '.join(lines[:SAID])}{more}")
    if delivery.next_try is None or delivery.next_try <= now:
        wait = min(timedelta(seconds=5) * (delivery.attempt + 1), RETRIES)
        still.update(attempt=delivery.attempt + 1, next_try=now + wait)
        if delivery.attempt:  # the first time it only waits: what was read back may just have been overtaken
            todo.again(change, node, {(object, id) for object, id, _ in doubtful})


SAID = 3  # disagreements named in a line
SHOWN = 200  # lines of evidence kept with a delivery; all of them stay in `evidence`


def _verified(change_id: UUID) -> bool:
    with acting_as(SYSTEM):
        change = Change.objects.select_for_update().get(pk=change_id)
        left = change.delivery_set.filter(done=False).exists() or change.follow_ups.exclude(stage__in=FINISHED).exists()
        if change.stage != "applied" or left:
            return change.stage == "verified"
        change.stage = "verified"
        change.save(update_fields=["stage"])
        append(change, was="applied")
        return True
