"""What waits for a second person: each leads to its own page, where the whole plan is seen before it is decided."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.changes.kind import KINDS
from postroom.models import Review
from postroom.queries.approvals import Queue, decided, queue, reviews
from postroom.queries.before_after import few_edits, undone
from postroom.queries.naming import Names
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lines import OURS, by, lines
from postroom.web.parts.change_pages import ApprovalsPage, Waiting
from postroom.web.parts.shapes import Act, Badge, Cell, Column, Empty, Link, PageHead, Row, Table
from postroom.web.plans import objects, verdicts
from postroom.web.times import ago, when
from postroom.web.titles import title

NOBODY = Empty("Nothing waits for you", "A change that needs a second person appears here, with its plan.", "checklist")
CANNOT = Empty("Your role does not approve changes", "What waits for others, what you proposed and what the clock will"
               " do stands below.", "user-off")  # fmt: skip


@page("approvals.view")
def approvals(request: Any) -> HttpResponse:
    found = queue(request.access)
    few = few_edits([*found.held, *(one for parts in found.batches.values() for one in parts)])
    names, back = Names(edit for edits in few.values() for edit in edits), undone(found.held)
    waiting = [_waiting(one, few.get(one["id"], []), names, back.get(one["id"])) for one in found.held]
    waiting += [_batch(pk, parts) for pk, parts in found.batches.items()]
    may = any(request.access.can_somewhere(one) for one in {kind.approved_by for kind in KINDS.values()})
    shown = ApprovalsPage(
        head=PageHead("Approvals", _sub(found)), notes=freeze_notes(request), waiting=tuple(waiting),
        empty=None if waiting else NOBODY if may else CANNOT, reviews=_reviews(reviews(request.access)),
        elsewhere=_elsewhere(found), clock=_clock(found), yours=_yours(found), decided=lines(decided(request.access)),
    )  # fmt: skip
    return render(request, "approvals.html", {"page": shown})


def _sub(found: Queue) -> str:
    number = len(found.held) + len(found.batches)
    return f"{number}{' or more' if found.more else ''} {'waits' if number == 1 else 'wait'} for you" if number else ""


def _waits(one: Mapping[str, Any]) -> str:
    return f"waits {ago(datetime.fromisoformat(one['now']))}"


def _waiting(one: Mapping[str, Any], edits: Sequence[Mapping[str, Any]], names: Names, back: Any) -> Waiting:
    whose = one["client_name"] or "the organization"
    who = one["proposer"]["name"] if one["proposer"] else OURS.get(one["actor"], one["actor"])
    why = f"{one['why']} · {one['ticket']}" if one["ticket"] else one["why"]
    return Waiting(
        title(one["kind"], one["params"], names, back), f"/changes/{one['id']}/",
        f"{whose} · {who} · {_waits(one)}", why,
        objects(edits[:2], names), verdicts(one["verdicts"]),
    )  # fmt: skip


def _batch(pk: str, parts: Sequence[Mapping[str, Any]]) -> Waiting:
    whose = ", ".join(one["client_name"] for one in parts[:4])
    reasons = tuple(v for one in parts for v in verdicts(one["verdicts"]))
    return Waiting(f"A batch of {len(parts)} changes", f"/batches/{pk}/", f"{whose} · {_waits(parts[0])}",
                   parts[0]["why"], verdicts=tuple(dict.fromkeys(reasons)), more="Decided as a whole.")  # fmt: skip


def _elsewhere(found: Queue) -> Table | None:
    """What others have to decide, as whoever it is about may know it."""
    if not found.elsewhere:
        return None
    columns = (Column("Change"), Column("By"), Column("Held because"), Column("Since"))
    return Table("Waiting for somebody else", columns, tuple(
        Row((Link(title(one["kind"], one["params"]), f"/changes/{one['id']}/", strong=True), by(one),
             "; ".join(v["reason"] for v in one["verdicts"] if v["says"] != "mark"), when(one["now"])))
        for one in found.elsewhere
    ))  # fmt: skip


def _reviews(found: Sequence[Review]) -> Table | None:
    if not found:
        return None
    now = datetime.now(UTC)
    return Table("To be reviewed", (Column("Change"), Column("Why"), Column("Due")), tuple(
        Row((Link(title(one.change.kind, one.change.params), f"/changes/{one.change_id}/", strong=True), one.reason,
             Badge("warn", f"late since {when(one.until)}") if one.until < now else when(one.until)))
        for one in found
    ))  # fmt: skip


def _clock(found: Queue) -> Table | None:
    if not found.clock:
        return None
    return Table("Applies by the clock", (Column("Change"), Column("By"), Column("At")), tuple(
        Row((Link(title(one["kind"], one["params"]), f"/changes/{one['id']}/", strong=True), by(one), when(one["at"])))
        for one in found.clock
    ))  # fmt: skip


def _yours(found: Queue) -> Table | None:
    if not found.own:
        return None
    columns = (Column("Change"), Column("Since"), Column("Act", num=True, hidden=True))
    return Table("Proposed by you", columns, tuple(
        Row((Link(title(one["kind"], one["params"]), f"/changes/{one['id']}/", strong=True), when(one["now"]),
             Cell(acts=(Act("Withdraw…", f"/changes/{one['id']}/withdraw/", of=title(one["kind"], one["params"])),))))
        for one in found.own
    ))  # fmt: skip
