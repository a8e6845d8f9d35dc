"""A batch as a whole: a change a client, seen together, decided together, undone together."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.scope import visible
from postroom.changes.batch import members
from postroom.models import Batch, Person
from postroom.queries.changes import whole_batch
from postroom.queries.naming import Names
from postroom.web.badges import stage
from postroom.web.consequences import untouched
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lines import HIDDEN
from postroom.web.parts.change_pages import ChangePage, Decision
from postroom.web.parts.shapes import Badge, Column, Crumb, Fact, Link, PageHead, Row, StageStep, Strong, Table
from postroom.web.plans import objects, verdicts
from postroom.web.titles import title

Parts = Sequence[Mapping[str, Any]]


class BatchPage(ChangePage):
    """batch.html: the same parts as a change's page; `landing` lists the changes of the batch."""


@page("changes.view")
def batch(request: Any, batch: UUID) -> HttpResponse:
    row, changes = members(batch)
    parts: Parts = whole_batch(row, changes)["changes"]
    edits = [edit for one in parts for edit in one["edits"]]
    names, held = Names(edits), any(one["stage"] == "held" for one in parts)
    stages = sorted({one["stage"] for one in parts})
    shown = BatchPage(
        head=PageHead(f"A batch of {len(parts)} changes", row.why, crumbs=(Crumb("Changes", "/changes/"),),
                      badges=tuple(stage(name) for name in stages)),
        notes=freeze_notes(request), done=not held,
        stages=(StageStep("Proposed", "together", "done"), *_stages(stages)),
        objects=objects(edits, names), objects_sub=f"of {len(parts)} clients",
        landing=_parts(parts, names), not_touched=untouched({edit["table"] for edit in edits}),
        decision=_decision(request, row, parts) if held else None,
        verdicts=tuple(v for one in parts for v in verdicts(one["verdicts"])), asked=_asked(request, row),
        plan_hash=row.plan_hash,
    )  # fmt: skip
    may_undo = any(one["version"] and not one["undone_by"] for one in parts)
    return render(request, "batch.html", {"page": shown, "batch": str(batch), "may_undo": may_undo})


def _stages(stages: Sequence[str]) -> tuple[StageStep, ...]:
    if len(stages) == 1:
        at: Any = "done" if stages[0] == "verified" else "now"
        return (StageStep(stages[0].capitalize(), "all of them", at),)
    return (StageStep("Not all alike", ", ".join(stages), "now"),)


def _parts(parts: Parts, names: Names) -> Table:
    columns = (Column("Client"), Column("Change"), Column("State"))
    return Table("Changes of this batch", columns, tuple(
        Row((one["client"] or "the organization",
             Link(title(one["kind"], one["params"], names), f"/changes/{one['id']}/", strong=True),
             stage(one["stage"])))
        for one in parts
    ))  # fmt: skip


def _decision(request: Any, row: Batch, parts: Parts) -> Decision:
    own = row.proposer_id == request.actor.person
    may = request.access.can_somewhere("changes.approve")
    cannot = "You proposed it, so somebody else decides" if own else "" if may else "Your role does not approve changes"
    what = ("If you approve,", Strong(f"all {len(parts)} changes"), "are applied, each in its own step.")
    return Decision((what,), row.plan_hash, f"/batches/{row.pk}/approve/", f"/batches/{row.pk}/withdraw/",
                    "Approve all of it", cannot)  # fmt: skip


def _asked(request: Any, row: Batch) -> tuple[Fact, ...]:
    who = visible(request.actor, Person).filter(pk__in=[row.proposer_id]).first()
    return (
        Fact("Proposed by", who.name if who else HIDDEN),
        Fact("Why", row.why or Badge("unknown", "no reason given")),
    )
