"""Work over several clients: one change at each, planned, shown, held and undone as one.

Each applies in a transaction of its own, in client order, so one may go stale while others stand; the batch says so.
"""

import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

from postroom.access.acting import acting_as, widened
from postroom.access.actor import Actor
from postroom.access.roles import APPROVE
from postroom.models import Batch, Change

from .approvals import ENDED, let_through, locked, withdrawn
from .errors import KeyReused, NotAllowed, NotLikeThat, NotSeen, NotThere, Problem, Problems
from .kind import KINDS, Kind
from .look_first import read_zones
from .pipeline import (
    One_or_many,
    apply_scheduled,
    as_kinds,
    keep,
    listed,
    made_before,
    moved,
    propose,
    somebody_else,
    wait,
    wait_alone,
)  # fmt: skip
from .policy import Proposed, judge_together
from .refused import refusals
from .state import new_change_id
from .taken import Part, twice


def submit_batch(
    parts: Sequence[One_or_many], *, actor: Actor, why: str, ticket: str = "", key: str | None = None,
    replans: Sequence[Change] = (),
) -> Batch:  # fmt: skip
    """All shown together: one held holds all, one refused refuses all; else each is applied in its turn.

    key: an idempotency key; the same request again answers with the same batch. replans: what each part is again.
    """
    changes = _listed(parts)
    if any(kind.carries_secret for kinds in changes for kind in kinds):
        raise NotLikeThat("a kind that carries a secret is never batched")
    for kinds in changes:
        read_zones(kinds, actor)
    keys = [f"{key} of a batch, {n}" if key else None for n in range(len(changes))]
    with acting_as(actor) as access, widened(access):
        if keys[0] and (earlier := _made_before(changes, actor, keys)):
            return earlier
        again = dict(enumerate(replans))
        proposed = _planned(
            changes, lambda n: propose(changes[n], access, why=why, ticket=ticket, key=keys[n], replans=again.get(n))
        )
        if not all(access.reaches(part.plan.client) for part in proposed):
            raise NotAllowed("not every part of this is allowed to you")
        if any(part.waits for part in proposed):
            raise NotLikeThat("whoever has to know is told of it first and may stop it: propose it by itself")
        batch = Batch.objects.create(
            id=new_change_id(), proposer_id=actor.person, why=why, plan_hash=hashed([p.change for p in proposed])
        )
        together = judge_together(proposed)
        for part in proposed:
            part.change.batch = batch
            part.change.verdicts += [vars(verdict) for verdict in together]
        at_once = _settled(proposed)
    return _apply_all(batch.pk, actor) if at_once else batch


def _settled(proposed: Sequence[Proposed]) -> bool:
    """All refused, all held, or all scheduled: whether for now."""
    says = {v["says"] for part in proposed for v in part.change.verdicts}
    alone = "hold" in says and "refuse" not in says and _nobody_else(proposed)
    for n, part in enumerate(proposed):
        if "refuse" in says:
            moved(part.change, "refused")
        elif alone:
            wait_alone(part, part.change.now, tell=n == 0)  # one letter, about all of it
        elif "hold" in says:
            keep(part, "held")
        else:
            wait(part, part.change.now)
    return not says & {"refuse", "hold"}


def _nobody_else(proposed: Sequence[Proposed]) -> bool:
    """Whether no part could be approved by anybody; where some could and all together could not, it is no batch."""
    if somebody_else(*proposed):
        return False
    if any(somebody_else(part) for part in proposed):
        raise NotLikeThat("nobody may approve all of these together: propose them one by one")
    return True


def _listed(parts: Sequence[One_or_many]) -> list[list[Kind]]:
    """Each part as one change takes it; what is wrong with any of them, all at once."""
    changes: list[list[Kind]] = []
    problems = [] if parts else [Problem("changes", "a batch is of one change at least")]
    for n, part in enumerate(parts):
        try:
            changes.append(listed(part))
        except Problems as found:
            problems += [one.inside(n) for one in found.problems]
    if problems:
        raise Problems(problems)
    return changes


def _made_before(changes: Sequence[Sequence[Kind]], actor: Actor, keys: Sequence[str | None]) -> Batch | None:
    earlier = [made_before(kinds, actor, key) for kinds, key in zip(changes, keys, strict=True) if key]
    if not any(earlier):
        return None
    whole = earlier[0].batch if earlier[0] else None
    if whole is None or whole.change_set.count() != len(earlier) or None in earlier:
        raise KeyReused("the key came before with another batch")
    return whole


def _planned(changes: Sequence[Sequence[Kind]], plan: Callable[[int], Proposed]) -> list[Proposed]:
    """Every part planned, in client order: one order of locks. All problems of all parts together."""
    parts: list[Proposed] = []
    problems: list[Problem] = []
    named: list[Part] = []
    for n in range(len(changes)):
        try:
            parts.append(plan(n))
            named.append(((str(n), changes[n][0]), parts[-1].plan.edits))
        except Problems as found:
            problems += [one.inside(n) for one in found.problems]
    problems += twice(named)
    if len({part.plan.client for part in parts}) < len(parts):
        problems.append(Problem("changes", "one change a client: put what is of one client into one change"))
    if problems:
        raise Problems(problems)
    return sorted(parts, key=lambda part: str(part.plan.client or ""))


def hashed(changes: Sequence[Change]) -> str:
    return hashlib.sha256("".join(change.plan_hash for change in changes).encode()).hexdigest()


def approve_batch(batch_id: UUID, *, actor: Actor, plan_hash: str) -> Batch:
    """Another person lets all of it through, having seen all of it."""
    with refusals(actor, APPROVE, batch_id), acting_as(actor) as access:
        batch, changes = members(batch_id)
        if batch.plan_hash != plan_hash:
            raise NotSeen("the plans are not those you looked at; look again")
        for change in changes:
            let_through(locked(change.pk), access, plan_hash=change.plan_hash)
    return _apply_all(batch_id, actor)


def withdraw_batch(batch_id: UUID, *, actor: Actor, why: str) -> Batch:
    with refusals(actor, "withdraw", batch_id), acting_as(actor) as access:
        batch, changes = members(batch_id)
        for change in changes:
            withdrawn(locked(change.pk), access, why=why)
        return batch


def undo_batch(batch_id: UUID, *, actor: Actor, why: str) -> Batch:
    """Every part that took effect taken back, as a batch again."""
    with acting_as(actor):
        _, changes = members(batch_id)
        back = KINDS["history.roll_back"]
        parts = [back.model_validate({"change": str(c.pk)}) for c in changes if c.version and not c.undone_by_id]
        if not parts:
            raise NotSeen("no part of this batch took effect, or all were undone already")
    return submit_batch(parts, actor=actor, why=why)


def replan_batch(batch_id: UUID, *, actor: Actor, why: str = "") -> Batch:
    """Every part that ended without effect planned again, now, as a batch again and without approvals."""
    with acting_as(actor):
        batch, changes = members(batch_id)
        ended = [change for change in changes if change.stage in ENDED]
        if not ended:
            raise NotSeen("no part of this batch ended without effect")
        if erased := next((change.erased_by_id for change in ended if change.erased_by_id), None):
            raise NotSeen(f"what was asked in it was erased, by {erased}")
        parts = [as_kinds(change) for change in ended]
    ticket = ended[0].ticket
    return submit_batch(parts, actor=actor, why=why or batch.why, ticket=ticket, replans=ended)


def members(batch_id: UUID) -> tuple[Batch, list[Change]]:
    """The batch, and its changes in client order, where all of them may be seen; else it is not there."""
    batch = Batch.objects.filter(pk=batch_id).first()
    changes = sorted(Change.objects.filter(batch_id=batch_id), key=lambda change: str(change.client_id or ""))
    if batch is None or hashed(changes) != batch.plan_hash:
        raise NotThere("batch", f"no batch {batch_id} that you can see")
    return batch, changes


def _apply_all(batch_id: UUID, actor: Actor) -> Batch:
    with acting_as(actor):
        batch, changes = members(batch_id)
    for change in changes:
        apply_scheduled(change.pk)
    return batch
