"""What an applied change still has to do where, written in the transaction that applied it.

Nodes are not sent to: apply leaves them a set of objects to look at again, and they pull. Zones and mail go
by the queue (`carry`). Which table is served by what is said by the catalogue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from postroom.models import Change, Client, Delivery, Domain, Entry, NodeTodo, Report
from postroom.models.nodes import WORD_HOLDS

from . import scripts_again, todo
from .edit import Edit
from .plan import Plan

MOST = 1000
CARRY_OUT = "postroom.carry_out"
LEASE = timedelta(minutes=1)  # how long one try may take before another worker takes it up


@dataclass(frozen=True)
class Served:
    """Where edits of a table are delivered.

    fields: only when one of these differs. made, gone: whether a row that is made, or goes, counts.
    of:     the field that names what the target looks at (a domain); the row itself where there is none.
    only:   a field, and the values of it that matter; other rows of the table are nobody's business there, nor an edit
            that sets it to anything else.
    """

    target: str
    fields: frozenset[str] | None = None
    made: bool = True
    gone: bool = True
    of: str = ""
    only: tuple[str, frozenset[Any]] | None = None

    def concerns(self, edit: Edit) -> bool:
        row = {**(edit.before or {}), **(edit.after or {})}
        says = self.only is not None and (not edit.stays or self.only[0] in (edit.after or {}))
        if self.only and says and row.get(self.only[0]) not in self.only[1]:
            return False
        if edit.before is None:
            return self.made
        if edit.after is None:
            return self.gone
        return self.fields is None or bool(self.fields & edit.after.keys())


SERVED_BY: dict[str, Served] = {}  # table → where; handed over by the catalogue
# kind after which the system submits others → tables, or table.field; none named: any
FOLLOWED: dict[str, frozenset[str]] = {}


def targets(plan: Plan) -> dict[str, list[Edit]]:
    """target → the edits it has to hear of."""
    wanted: dict[str, list[Edit]] = {}
    for table, edits in plan.by_table.items():
        if (served := SERVED_BY.get(table)) and (heard := [e for e in edits if served.concerns(e)]):
            wanted.setdefault(served.target, []).extend(heard)
    return wanted


def unfinished(change: Change, plan: Plan) -> bool:
    """Whether anything is to be done after the transaction: a delivery, or a change that follows."""
    return _is_followed(change, plan) or bool(targets(plan))


def _is_followed(change: Change, plan: Plan) -> bool:
    tables = FOLLOWED.get(change.kind)
    if not tables:
        return tables is not None
    fields = {f"{e.table}.{name}" for e in plan.edits for name in e.after or ()}
    return not tables.isdisjoint(plan.by_table.keys() | fields)


def enqueue(change: Change, entry: int, plan: Plan) -> None:
    """In the applying transaction: if it goes, so do these. Only the synchronous defer does."""
    wanted = targets(plan)
    tables = sorted({e.table for e in wanted.pop("nodes", [])})
    rows = todo.enqueue(change, entry, tables) if tables else []
    Delivery.objects.bulk_create(rows)
    if any(map(_comes_back, plan.edits)):
        scripts_again.of_what_came_back(change.client_id, entry)
    for target, edits in wanted.items():
        _insert(change, target, _objects(target, edits))
    if change.stage == "applied" and (wanted or not rows or _is_followed(change, plan)):
        again(change, sorted(wanted))


def _comes_back(edit: Edit) -> bool:
    """Whether mailboxes may be served by it that were not: their scripts are looked at anew."""
    after = edit.after or {}
    again = after.get("removed_at", "-") is None or after.get("proof") == "read" or bool(after.get("node_id"))
    return edit.stays and edit.table in ("mailboxes", "domains", "clients") and again


def once_served(change: Change) -> None:
    """Nobody served this client when the change was applied; now that a node does, it hears of it too."""
    waiting = change.delivery_set.filter(target="nodes", object=None, done=False)
    if not waiting.exists() or not Client.objects.filter(pk=change.client_id, node__isnull=False).exists():
        return
    entry = Entry.objects.get(client=change.client_id, version=change.version)
    waiting.delete()
    tables = [table for table, served in SERVED_BY.items() if served.target == "nodes"]
    Delivery.objects.bulk_create(todo.enqueue(change, entry.pk, tables))


def again(change: Change, targets: Sequence[str] = ()) -> None:
    """Put the deliveries of a change on the queue, each sort behind those of its sort that its client has there.

    So ten thousand letters hold up no zone. Without any target, it is only looked at whether anything is left.
    """
    for target in targets or ("",):
        lock = f"deliver {target} {change.client_id or 'organization'}"
        app.configure_task(CARRY_OUT, queue="deliver", lock=lock).defer(change_id=str(change.pk), target=target)


# Ten thousand letters are one statement: as objects of Django's they took longer than making the mailboxes did.
INSERT = (
    "INSERT INTO deliveries (change_id, client_id, target, object, label, done, why, next_try, attempt)"
    " SELECT %s, %s, %s, a.object, a.label, false, '', %s, 0 FROM unnest(%s::uuid[], %s::text[]) a(object, label)"
)


def _insert(change: Change, target: str, objects: Mapping[UUID, str]) -> None:
    """With a next try from the start: a job may fail before it takes the first one up, and nobody else would look."""
    at, which = timezone.now() + LEASE, sorted(objects)
    with connection.cursor() as cursor:
        labels = [objects[one] for one in which]
        cursor.execute(INSERT, [change.pk, change.client_id, target, at, which, labels])


def _objects(target: str, edits: list[Edit]) -> dict[UUID, str]:
    """Which domains, or invites, these edits are about, and what to call them."""
    about: dict[UUID, str] = {}
    for e in edits:
        row = {**(e.before or {}), **(e.after or {})}
        about[_named(e, row)] = str(row.get("contact") or row.get("name") or row.get("address") or "")
    if target == "mail":
        return about
    return about | dict(Domain.objects.filter(pk__in=list(about)).values_list("pk", "name"))


def _named(e: Edit, row: Mapping[str, Any]) -> UUID:
    of = SERVED_BY[e.table].of
    if not of:
        return UUID(e.id)
    if of in row:
        return UUID(row[of])
    with connection.cursor() as cursor:  # an edit that does not move the row does not say whose it is
        cursor.execute(f'SELECT "{of}" FROM {e.table} WHERE id = %s', [e.id])
        found: UUID = cursor.fetchone()[0]
        return found


def _why(left: Delivery) -> str:
    """What a delivery waits for; of a node, how much is on its list and what it says of that itself."""
    if left.target != "nodes" or left.object is None:
        return left.why or "on its way"
    todo = list(NodeTodo.objects.filter(change=left.change_id, node=left.object).values_list("pk", flat=True)[:MOST])
    said = Report.objects.filter(node=left.object, at__gte=timezone.now() - WORD_HOLDS)
    waits = said.filter(sort="waiting", facts__todo__in=todo).order_by("-at").first()
    words = [f"{len(todo)} to go" if todo else left.why or "on its way"]
    if waits and waits.facts.get("why"):
        words.append(str(waits.facts["why"]))
    if todo and not said.filter(sort="heartbeat").exists():
        words.append("the node was not heard of for five minutes")
    return "; ".join(words)


def incomplete(change: Change) -> list[dict[str, Any]]:
    """What is left of an applied change: [{target, object, why, since, next_try}]; empty when nothing is."""
    if change.stage != "applied":
        return []
    left = [
        {"target": d.target, "object": d.label, "why": _why(d), "since": d.since, "next_try": d.next_try}
        for d in change.delivery_set.filter(done=False).order_by("target", "label")
    ]
    replaced = {child.key.rpartition(" ")[0]: child for child in change.follow_ups.order_by("id") if child.key}
    for child in (one for one in replaced.values() if one.stage != "verified"):
        why = "; ".join(v["reason"] for v in child.verdicts) or f"it is {child.stage}"
        left.append({"target": "change", "object": child.kind, "why": why, "since": child.now, "next_try": None})
    return left or [{"target": "change", "object": "", "why": "on its way", "since": change.now, "next_try": None}]
