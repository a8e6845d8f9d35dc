"""Changes at the API: what can be done, doing it, and what people do with what waits."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Header, Router, Status

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.declared import SOMETIMES
from postroom.changes import step_up
from postroom.changes.approvals import approve, replan, undo, withdraw
from postroom.changes.batch import approve_batch, members, replan_batch, submit_batch, undo_batch, withdraw_batch
from postroom.changes.errors import NotThere, Problems
from postroom.changes.kind import KINDS
from postroom.changes.kinds.fields import Moment
from postroom.changes.pipeline import dry_run, submit
from postroom.changes.schedule import then
from postroom.models import Batch, Change
from postroom.protocols.addresses import Line, Text
from postroom.queries.changes import WAITING, batch_in_short, in_short, previewed, timeline, whole
from postroom.queries.changes import whole_batch as shown_batch

from .asked import Params, as_why, in_changes, one_change, whole_batch
from .door import reads, submits
from .shapes import BatchOut, ChangeOut, ChangesOut, Told
from .unknown import Body

router = Router(tags=["changes"])
Answer = dict[int, Any]
KEY: Any = Header(None, alias="Idempotency-Key")  # type: ignore[type-arg]
OneChange = Annotated[dict[str, Any], Told(ChangeOut)]
OneBatch = Annotated[dict[str, Any], Told(BatchOut)]
Timeline = Annotated[dict[str, Any], Told(ChangesOut)]
DONE_OR_WAITING: Answer = {200: OneChange, 202: OneChange}
ALL_DONE_OR_WAITING: Answer = {200: OneBatch, 202: OneBatch}


class ChangeIn(Body):
    kind: str
    params: Params = {}
    why: Text
    ticket: Line = ""
    at: Moment | None = None
    dry_run: bool = False


class BatchIn(Body):
    class Part(Body):
        kind: str
        params: Params = {}

    changes: list[Part]
    why: Text
    ticket: Line = ""


class Why(Body):
    why: Text = ""


class Seen(Body):
    plan_hash: str


@router.get("/kinds")
@reads("changes.view")
def kinds(request: HttpRequest) -> dict[str, Any]:
    """Every kind of change: what it does, and its parameters as JSON schema."""
    shown = [
        {
            "kind": name, "does": (one.__doc__ or "").strip(), "by": sorted(one.by),
            "carries_secret": one.carries_secret, "step_up": sorted(one.step_up), "params": one.model_json_schema(),
        }
        for name, one in sorted(KINDS.items())
    ]  # fmt: skip
    return {"items": shown, "next": None}


@router.post("/changes", response=DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def propose(request: Any, body: ChangeIn, key: str | None = KEY) -> Any:
    """Propose a change. 200 when it is applied (or a dry run), 202 while it waits for an approval or its time."""
    kind, why = one_change(body.kind, body.params, body.why, request.auth.actor)
    if body.dry_run:
        then(body.at)
        proposed = dry_run(kind, actor=request.auth.actor, why=why)
        with acting_as(request.auth.actor):
            return Status(200, previewed(proposed))
    step_up.before(kind, actor=request.auth.actor, fresh=request.auth.fresh)
    return answered(request, submit(kind, actor=request.auth.actor, why=why, ticket=body.ticket, key=key, at=body.at))


@router.get("/changes", response=Timeline)
@reads("changes.view")
def changes(
    request: Any, client: str | None = None, object: str | None = None, person: str | None = None,
    stage: str | None = None, since: Moment | None = None, until: Moment | None = None,
    after: UUID | None = None, limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """The timeline, newest first."""
    found = timeline(
        request.auth.actor, client=client, object=object, person=person, stage=stage, since=since, until=until,
        after=str(after) if after else None, limit=limit,
    )  # fmt: skip
    return {"items": found.items, "next": found.next}


@router.get("/changes/{change_id}", response=OneChange)
@reads("changes.view")
def change(request: Any, change_id: UUID) -> dict[str, Any]:
    """One change: its edits, verdicts, approvals, deliveries with their evidence, and what is left."""
    return whole(change_id)


@router.post("/changes/{change_id}/approve", response=DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def approve_change(request: Any, change_id: UUID, body: Seen) -> Any:
    """Let exactly the plan you looked at through, if its kind lets you."""
    step_up.before_approving(change_id, actor=request.auth.actor, fresh=request.auth.fresh)
    return answered(request, approve(change_id, actor=request.auth.actor, plan_hash=body.plan_hash), waiting=200)


@router.post("/changes/{change_id}/withdraw", response=DONE_OR_WAITING)
@submits("changes.view")
def withdraw_change(request: Any, change_id: UUID, body: Why) -> Any:
    """Take back what waits; for an approver, this is a no."""
    return answered(request, withdraw(change_id, actor=request.auth.actor, why=as_why(body.why)))


@router.post("/changes/{change_id}/undo", response=DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def undo_change(request: Any, change_id: UUID, body: Why) -> Any:
    """Take back one change; answers with the new one."""
    back = KINDS["history.roll_back"].model_validate({"change": str(change_id)})
    step_up.before([back], actor=request.auth.actor, fresh=request.auth.fresh)
    return answered(request, undo(change_id, actor=request.auth.actor, why=as_why(body.why)))


@router.post("/changes/{change_id}/replan", response=DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def replan_change(request: Any, change_id: UUID, body: Why) -> Any:
    """Plan a stale, refused or withdrawn change again, now; answers with the new one."""
    step_up.before_planning_again(change_id, actor=request.auth.actor, fresh=request.auth.fresh)
    return answered(request, replan(change_id, actor=request.auth.actor, why=body.why))


@router.post("/batches", response=ALL_DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def propose_batch(request: Any, body: BatchIn, key: str | None = KEY) -> Any:
    """Changes at several clients, shown and approved together."""
    parts, why = whole_batch([(part.kind, part.params) for part in body.changes], body.why, request.auth.actor)
    step_up.before((kind for part in parts for kind in part), actor=request.auth.actor, fresh=request.auth.fresh)
    try:
        done = submit_batch(parts, actor=request.auth.actor, why=why, ticket=body.ticket, key=key)
    except Problems as wrong:
        raise in_changes(wrong) from None
    return together(request, done)


@router.get("/batches/{batch_id}", response=OneBatch)
@reads("changes.view")
def batch(request: Any, batch_id: UUID) -> dict[str, Any]:
    return shown_batch(*members(batch_id))


@router.post("/batches/{batch_id}/approve", response=ALL_DONE_OR_WAITING)
@submits("changes.approve", step_up=SOMETIMES)
def approve_all(request: Any, batch_id: UUID, body: Seen) -> Any:
    step_up.before_approving_all(batch_id, actor=request.auth.actor, fresh=request.auth.fresh)
    return together(request, approve_batch(batch_id, actor=request.auth.actor, plan_hash=body.plan_hash))


@router.post("/batches/{batch_id}/withdraw", response=ALL_DONE_OR_WAITING)
@submits("changes.view")
def withdraw_all(request: Any, batch_id: UUID, body: Why) -> Any:
    return together(request, withdraw_batch(batch_id, actor=request.auth.actor, why=as_why(body.why)))


@router.post("/batches/{batch_id}/undo", response=ALL_DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def undo_all(request: Any, batch_id: UUID, body: Why) -> Any:
    step_up.before_undoing_all(batch_id, actor=request.auth.actor, fresh=request.auth.fresh)
    return together(request, undo_batch(batch_id, actor=request.auth.actor, why=as_why(body.why)))


@router.post("/batches/{batch_id}/replan", response=ALL_DONE_OR_WAITING)
@submits("changes.view", step_up=SOMETIMES)
def replan_all(request: Any, batch_id: UUID, body: Why) -> Any:
    """Plan what ended without effect again, now; answers with the new batch."""
    step_up.before_planning_all_again(batch_id, actor=request.auth.actor, fresh=request.auth.fresh)
    return together(request, replan_batch(batch_id, actor=request.auth.actor, why=body.why))


def answered(request: Any, change: Change, *, waiting: int = 202) -> Any:
    """A change as it stands now; `waiting`: the status while somebody or the clock has to act first."""
    code = waiting if change.stage in WAITING else 200
    try:
        with acting_as(request.auth.actor):
            return Status(code, whole(change.pk))
    except NotThere:  # it ended the caller's own access: what became of it is theirs to know all the same
        return Status(code, in_short(change))


def together(request: Any, batch: Batch) -> Any:
    try:
        with acting_as(request.auth.actor):
            shown = shown_batch(*members(batch.pk))
    except NotThere:  # as with one change
        with acting_as(SYSTEM):
            shown = batch_in_short(*members(batch.pk))
    waiting = any(one["stage"] in WAITING for one in shown["changes"])
    return Status(202 if waiting else 200, shown)
