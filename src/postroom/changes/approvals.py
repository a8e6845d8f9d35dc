"""What people do with a change that waits: approve, withdraw, plan it again, take it back."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from postroom.access.acting import Access, Actor, acting_as, widened
from postroom.access.roles import APPROVE
from postroom.access.scope import changes_seen
from postroom.models import Approval, Change, Due, Grant, Invite

from .approved import altered, in_favour_of
from .cover import beyond, signs_in_above
from .errors import ChangeError, NotAllowed, NotSeen, NotThere, OwnChange
from .kind import KINDS
from .pipeline import apply_scheduled, as_kinds, judged_anew, moved, submit
from .plan import Plan
from .record import note
from .refused import refusals

WAITING = ("held", "scheduled")
ENDED = ("stale", "refused", "withdrawn")  # without effect: it may be planned again
APPROVED, WITHDRAWN = "approved", "withdrawn"  # as the record says who did it


def approve(change_id: UUID, *, actor: Actor, plan_hash: str) -> Change:
    """Let exactly these edits through; then they are applied, as their proposer.

    Two transactions: between them the change is scheduled for now, so a crash between is the clock's work.
    """
    with acting_as(actor) as access:
        change = seen(change_id)
        may = access.can(KINDS[change.kind].approved_by, change.client_id)
        refused = any(v["says"] == "refuse" for v in change.verdicts)
    if refused and may:
        judged_anew(change_id)
    with refusals(actor, APPROVE, change_id), acting_as(actor) as access:
        change = locked(change_id)
        _not_of_a_whole(change, "approved")
        let_through(change, access, plan_hash=plan_hash)
    return apply_scheduled(change_id) if change.at is None or change.at <= timezone.now() else change


def let_through(change: Change, access: Access, *, plan_hash: str) -> None:
    """One approval, checked: held, exactly this plan, another person, no refusal among the reasons."""
    if change.stage != "held":
        raise NotSeen(f"it is {change.stage}; only what is held is approved")
    plan = Plan.from_json(change.plan or [])
    if change.plan_hash != plan_hash:
        raise NotSeen("the plan is not the one you looked at; look again")
    if wrong := altered(change, plan):
        raise NotSeen(f"{wrong}; withdraw it, and ask for it anew")
    if access.actor.person is None or change.proposer_id == access.actor.person:
        raise OwnChange("nobody approves what they proposed")
    if access.actor.person in in_favour_of(plan):
        raise OwnChange("nobody approves what would let them do more: somebody else looks at it")
    if access.actor.person in KINDS[change.kind].never_approved_by(change.params):
        raise OwnChange("nobody approves what they started")
    if access.actor.sort != "person":
        raise NotAllowed("a token approves nothing: its person does, in a session of their own")
    if not access.can(KINDS[change.kind].approved_by, change.client_id):
        raise NotAllowed("you may not approve this here")
    if change.actor == "link" and signs_in_above(access, _let_in(change)):
        raise NotAllowed("this person stands above you: nobody asked for it but whoever holds their link")
    if any(v["says"] == "refuse" for v in change.verdicts):
        raise NotSeen("a refusal stands; what is refused is not approved")
    if KINDS[change.kind].elevates and (more := next(_more_than(change, access), None)):
        raise NotAllowed(f"who lets somebody have a role holds as much: {more}")
    Approval.objects.create(
        change=change, client_id=change.client_id, person_id=access.actor.person, plan_hash=plan_hash
    )
    _decided(APPROVED, change, access)
    moved(change, "scheduled")
    Due.objects.create(at=change.at or timezone.now(), client_id=change.client_id, change=change)


def _decided(what: str, change: Change, access: Access, **more: str) -> None:
    """The move that follows says what was decided and who had asked; this, in the record before it, by whom.

    Of the plan it names no hash: that stands in the move, and is erased with it.
    """
    note(what, client=change.client_id, of=change.pk, kind=change.kind, person=access.actor.person,
         name=access.actor.name, **more)  # fmt: skip


def _let_in(change: Change) -> list[str]:
    """Who would get a link to a sign-in by it."""
    return [edit.after["person_id"] for edit in Plan.from_json(change.plan or []).on(Invite) if edit.after]


def _more_than(change: Change, access: Access) -> Iterator[str]:
    roles = {edit.after["role"] for edit in Plan.from_json(change.plan or []).on(Grant) if edit.after}
    for role in sorted(roles):
        yield from beyond(role, access, change.client_id)


def withdraw(change_id: UUID, *, actor: Actor, why: str) -> Change:
    """Take back what waits: its proposer, or anybody who may approve it (an approver's no); a token, its own alone."""
    with refusals(actor, "withdraw", change_id), acting_as(actor) as access, _of_a_mailbox(access):
        change = locked(change_id)
        _not_of_a_whole(change, "withdrawn")
        return withdrawn(change, access, why=why)


def _of_a_mailbox(access: Access) -> AbstractContextManager[None]:
    """An owner reads no record; of what waits, their own is found (`changes_seen`) in that of their client."""
    return widened(access) if access.own else nullcontext()


def _not_of_a_whole(change: Change, what: str) -> None:
    """A batch that waits as a whole is decided as a whole; a part held anew, when others are through, by itself."""
    stages = set(Change.objects.filter(batch__isnull=False, batch=change.batch_id).values_list("stage", flat=True))
    if len(stages) == 1 and stages <= set(WAITING):
        raise NotSeen(f"this change is one of a batch; the batch is {what} as a whole")


def withdrawn(change: Change, access: Access, *, why: str) -> Change:
    """Take it off the list of what waits; who may is checked here."""
    actor = access.actor
    if change.stage not in WAITING:
        raise NotSeen(f"it is {change.stage}; only what waits is withdrawn")
    own = change.proposer_id is not None and change.proposer_id == actor.person
    own |= actor.sort == change.actor == "owner" and change.mailbox_id == actor.mailbox
    if actor.sort == "token" and change.token_id != actor.token:
        raise NotAllowed(
            "a token withdraws what it proposed itself; its person does the rest, in a session of their own"
        )
    may = any(access.can(one, change.client_id) for one in (APPROVE, KINDS[change.kind].approved_by))
    if not own and not (actor.sort == "person" and may):
        raise NotAllowed("only its proposer, or who may approve it, withdraws a change")
    _decided(WITHDRAWN, change, access, why=why)
    return taken_off(change, by=actor.name, why=why)


def taken_off(change: Change, *, by: str, why: str) -> Change:
    """No more on any list of what waits, with who and why among its reasons; who may is checked by the caller."""
    change.due_set.all().delete()
    change.verdicts = [*change.verdicts, {"policy": "withdrawn", "says": "mark", "reason": f"{by}: {why}"}]
    return moved(change, "withdrawn")


def replan(change_id: UUID, *, actor: Actor, why: str = "") -> Change:
    """A new change of the same kind and parameters, planned now, without approvals, linked both ways."""
    with acting_as(actor):
        old = seen(change_id)
        if old.stage not in ENDED:
            raise NotSeen(f"it is {old.stage}; only what ended without effect is planned again")
        if old.erased_by_id:
            raise NotSeen(f"what was asked in it was erased, by {old.erased_by_id}")
        kinds = as_kinds(old)
    return submit(kinds, actor=actor, why=why or old.why, ticket=old.ticket, replans=old)


def undo(
    change_id: UUID, *, actor: Actor, why: str, ticket: str = "", key: str | None = None, at: datetime | None = None
) -> Change:
    """Take back one change: a new one, through the same gate, and as `submit` does it."""
    with acting_as(actor):
        old = seen(change_id)
        if old.stage in WAITING:
            raise NotSeen(f"it is {old.stage}: withdraw it, there is nothing to undo")
        if old.version is None:
            raise NotSeen(f"it is {old.stage}: it changed nothing")
        if old.undone_by_id:
            raise NotSeen(f"it was undone already, by {old.undone_by_id}")
    back = KINDS["history.roll_back"].model_validate({"change": str(change_id)})
    return submit(back, actor=actor, why=why, ticket=ticket, key=key, at=at)


def seen(change_id: UUID) -> Change:
    """The change, if whoever acts may look at it; not there and not yours answer the same."""
    change = Change.objects.filter(changes_seen(), pk=change_id).first()
    if change is None:
        raise NotThere("change", f"no change {change_id} that you can see")
    return change


def waiting_with(change: Change) -> QuerySet[Change]:
    """It and what was asked for together with it, as far as they wait, in client order: the order of locks."""
    same = Q(pk=change.pk) | Q(batch__isnull=False, batch=change.batch_id)
    return Change.objects.filter(same, stage__in=WAITING).order_by(F("client_id").asc(nulls_first=True))


def locked(change_id: UUID) -> Change:
    seen(change_id)
    return Change.objects.select_for_update().get(pk=change_id)


__all__ = [
    "ChangeError", "approve", "let_through", "locked", "replan", "seen", "taken_off", "undo", "waiting_with",
    "withdraw",
]  # fmt: skip
