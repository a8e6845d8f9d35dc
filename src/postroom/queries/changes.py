"""The timeline, and one change with everything that is known of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.access.acting import Actor, acted, current
from postroom.access.scope import changes_seen
from postroom.changes.approvals import seen
from postroom.changes.deliver import incomplete
from postroom.changes.edit import model_of
from postroom.changes.erase import told
from postroom.changes.plan import Plan
from postroom.changes.policy import Proposed
from postroom.changes.reviews import CLOSED
from postroom.models import Batch, Change, Person, RecordedEdit
from postroom.models.base import state_models
from postroom.protocols.refs import address_ref

from .again import offers
from .objects import client_of, named
from .page import Page, page
from .tracing import landings

SHOWN_EDITS = 1000
WAITING = ("held", "scheduled")
NOBODY: Mapping[UUID, str] = {}


def timeline(
    actor: Actor, *, client: str | None = None, object: UUID | str | None = None, person: str | None = None,
    stage: str | None = None, since: datetime | None = None, until: datetime | None = None,
    after: str | None = None, limit: int = 50, actors: tuple[str, ...] = (),
) -> Page[dict[str, Any]]:  # fmt: skip
    """Changes, newest first; each as a line; those of clients where this person may look at changes.

    actors: only those by these sorts of actor: person, link, founder, system, clock.
    """
    along = ("client", "proposer", "undone_by", "erased_by")
    rows: QuerySet[Change] = Change.objects.filter(changes_seen()).select_related(*along)
    if client is not None:
        owner = client_of(actor, client)
        rows = rows.filter(client=owner) if owner else rows.none()
    if object is not None:
        rows = rows.filter(pk__in=touching(actor, object))
    if person is not None:
        rows = rows.filter(_by(person))
    if actors:
        rows = rows.filter(actor__in=actors)
    if stage is not None:
        rows = rows.filter(stage__in=stage.split(","))
    if since is not None:
        rows = rows.filter(now__gte=since)
    if until is not None:
        rows = rows.filter(now__lte=until)
    found = page(rows, key="id", after=after, limit=limit, newest_first=True)
    return Page(shown(found.items), found.next)


def _by(person: str) -> Q:
    """By mail address or id."""
    try:
        return Q(proposer=UUID(person))
    except ValueError:
        return Q(proposer__email=address_ref(person))


def _rows(actor: Actor, ref: UUID | str) -> list[UUID]:
    """A row by its id, which may be gone; or all that go by a name."""
    try:
        return [UUID(str(ref))]
    except ValueError:
        return named(actor, str(ref))


def touching(actor: Actor, object: UUID | str) -> list[UUID]:
    """The changes whose edits touched what goes by this name or id; none where nothing does that they may see."""
    if not (rows := _rows(actor, object)):
        return []
    touched = RecordedEdit.objects.filter(row__in=rows).values_list("entry_id", flat=True)
    heads = RecordedEdit.objects.filter(entry_id__in=touched, n=0, table="changes")
    return list(heads.values_list("row", flat=True).distinct())


def shown(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Each as a line. One query more where somebody acted whom this person does not see: they read the name alone."""
    names = acted({one.proposer_id for one in changes if one.proposer_id and one.proposer is None})
    return [line(one, names) for one in changes]


def line(change: Change, names: Mapping[UUID, str] = NOBODY) -> dict[str, Any]:
    """One line of the timeline."""
    return {
        "id": str(change.pk),
        "kind": change.kind,
        "stage": change.stage,
        "client": change.client.slug if change.client_id and change.client else None,
        "version": change.version,
        "actor": change.actor,
        "proposer": _who(change.proposer, change.proposer_id, names),
        "why": change.why,
        "ticket": change.ticket,
        "now": change.now.isoformat(),
        "params": change.params,
        "undone_by": _id(change.undone_by_id),
        "undoes": _id(change.undoes_id),
        "batch": _id(change.batch_id),
        "erased": _erased(change),
    }


def _erased(change: Change) -> dict[str, str] | None:
    """When what was asked in it was erased, and by which change: None where it still stands."""
    by = change.erased_by
    return {"by": str(by.pk), "at": by.now.isoformat()} if by else None


def whole(change_id: UUID) -> dict[str, Any]:
    """Everything known of one change; NotThere if it is not there, or not yours."""
    seen(change_id)
    change = Change.objects.select_related("client", "proposer", "erased_by").get(pk=change_id)
    # Not joined: an approval by whom one may not see would be left out, as if nobody had looked.
    approvals = [(a, getattr(a, "person", None)) for a in change.approval_set.prefetch_related("person").order_by("at")]
    hidden = [change.proposer_id] if change.proposer_id and change.proposer is None else []
    names_of = acted({*hidden, *(a.person_id for a, person in approvals if person is None)})
    edits = list(islice(_edits(change), SHOWN_EDITS + 1))
    labels = names([(e["table"], e["id"]) for e in edits[:SHOWN_EDITS]])
    for e in edits:
        e["label"] = labels.get((e["table"], e["id"]), "")
    return {
        **line(change, names_of),
        "plan_hash": change.plan_hash,
        "at": change.at.isoformat() if change.at else None,
        "verdicts": change.verdicts,
        "left_out": _left_out(change.left_out),
        "edits": edits[:SHOWN_EDITS],
        "more_edits": len(edits) > SHOWN_EDITS,
        "approvals": [
            {"person": _who(person, a.person_id, names_of), "at": a.at.isoformat(), "void": a.void}
            for a, person in approvals
        ],
        "deliveries": _deliveries(change),
        "incomplete": [_times(one) for one in incomplete(change)],
        "caused_by": _id(change.caused_by_id),
        "follow_ups": [{"id": str(c.pk), "kind": c.kind, "stage": c.stage} for c in change.follow_ups.order_by("id")],
        "replans": _id(change.replans_id),
        "replanned_by": [str(pk) for pk in change.replanned_in.order_by("id").values_list("pk", flat=True)],
        "reviews": _reviews(change),
        **_landings(change),
    }


def _landings(change: Change) -> dict[str, Any]:
    """Of what waits; of what was applied, mail lands there by now."""
    waits = change.stage in WAITING and change.plan is not None
    return landings(current().actor, Plan.from_json(change.plan or []).edits if waits else ())


def _left_out(found: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    """What an undo leaves as it is, each with why, and with the change that gives it again where there is one."""
    left = [{"table": table, "id": id, "because": because} for table, id, because in found]
    again = offers(left) if left else {}
    return [{**one, "again": again.get(one["id"])} for one in left]


def previewed(proposed: Proposed) -> dict[str, Any]:
    """A dry run as a change that is nowhere."""
    change = proposed.change
    edits = [edit_line(e.table, e.id, e.before, e.after) for e in islice(proposed.plan.edits, SHOWN_EDITS)]
    labels = names([(e["table"], e["id"]) for e in edits])
    return {
        "id": None, "kind": change.kind, "stage": "proposed", "dry_run": True, "plan_hash": change.plan_hash,
        "params": change.params, "verdicts": change.verdicts, "deliveries": [], "incomplete": [],
        "edits": [{**e, "label": labels.get((e["table"], e["id"]), "")} for e in edits],
        "more_edits": len(proposed.plan.edits) > SHOWN_EDITS,
        "left_out": _left_out([(o.table, o.id, o.because) for o in proposed.plan.left_out]),
        **landings(proposed.access.actor, proposed.plan.edits, now=proposed.state.now),
    }  # fmt: skip


def whole_batch(batch: Batch, changes: Iterable[Change]) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "why": batch.why,
        "plan_hash": batch.plan_hash,
        "changes": [whole(change.pk) for change in changes],
    }


def in_short(change: Change) -> dict[str, Any]:
    """What became of a change, for its proposer who may see it no more: nothing is read for it."""
    return {
        "id": str(change.pk), "kind": change.kind, "stage": change.stage, "plan_hash": change.plan_hash,
        "version": change.version, "why": change.why, "ticket": change.ticket, "verdicts": change.verdicts,
        "edits": [], "more_edits": False, "deliveries": [], "incomplete": [], "left_out": [], "landing": [],
        "more_landings": 0,
    }  # fmt: skip


def batch_in_short(batch: Batch, changes: Iterable[Change]) -> dict[str, Any]:
    shown = [in_short(change) for change in changes]
    return {"id": str(batch.pk), "why": batch.why, "plan_hash": batch.plan_hash, "changes": shown}


def _edits(change: Change) -> Iterable[dict[str, Any]]:
    if change.plan is not None:
        return (edit_line(t, i, b, a) for t, i, b, a, _client in change.plan)
    if change.version is None:
        return iter(())
    done = RecordedEdit.objects.filter(entry__client=change.client_id, entry__version=change.version)
    return map(recorded, told(done.exclude(table="changes").order_by("n")[: SHOWN_EDITS + 1]))


def recorded(e: RecordedEdit) -> dict[str, Any]:
    return edit_line(e.table, str(e.row), e.before, e.after, erased=e.hashed is not None)


def edit_line(table: str, id: str, before: Any, after: Any, *, erased: bool = False) -> dict[str, Any]:
    """erased: what stood there is gone for good; the names of the fields are left."""
    hidden = {"proof_token"}
    cleaned = [row and {k: v for k, v in row.items() if k not in hidden} for row in (before, after)]
    return {"table": table, "id": id, "before": cleaned[0], "after": cleaned[1], "erased": erased}


def names(keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What people call these rows; one query a table. Rows that are not there (yet) have no name."""
    by_table: dict[str, list[str]] = {}
    for table, id in keys:
        if table in state_models():
            by_table.setdefault(table, []).append(id)
    found: dict[tuple[str, str], str] = {}
    for table, ids in by_table.items():
        model = model_of(table)
        related = model.natural_key.rpartition("__")[0]
        for row in model.objects.filter(pk__in=ids).select_related(*[related] if related else []):
            found[table, str(row.pk)] = row.label
    return found


def _deliveries(change: Change) -> list[dict[str, Any]]:
    return [
        {
            "target": d.target, "object": d.label, "done": d.done, "why": d.why, "evidence": d.evidence,
            "since": d.since.isoformat(), "next_try": d.next_try.isoformat() if d.next_try else None,
        }
        for d in change.delivery_set.order_by("target", "label")
    ]  # fmt: skip


def _reviews(change: Change) -> list[dict[str, Any]]:
    """What was to be looked at afterwards; of what is closed by whom, and what they found, as the record has it."""
    rows = list(change.review_set.select_related("closed_by").order_by("id"))
    told: dict[int, str] = {}
    if any(review.closed_at for review in rows):
        events = RecordedEdit.objects.filter(row=change.pk, table="events", after__what=CLOSED)
        told = {after["review"]: after["why"] for after in events.values_list("after", flat=True) if after}
    return [
        {
            "id": r.pk, "reason": r.reason, "until": r.until.isoformat(), "closed": r.closed_at is not None,
            "closed_by": _person(r.closed_by), "closed_at": r.closed_at.isoformat() if r.closed_at else None,
            "found": told.get(r.pk, ""),
        }
        for r in rows
    ]  # fmt: skip


def _times(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one.items()}


def _who(person: Person | None, id: UUID | None, names: Mapping[UUID, str]) -> dict[str, str] | None:
    return _person(person) or ({"name": names[id], "email": ""} if id and id in names else None)


def _person(person: Person | None) -> dict[str, str] | None:
    return {"name": person.name, "email": person.email} if person else None


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
