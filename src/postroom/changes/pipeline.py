"""The page to read first: how a change gets from a proposal to state.

submit    plan → judge → apply, hold or refuse; all of it in one transaction of the proposer
approve   another person lets exactly these edits through (approvals.py)
apply     one transaction that writes the record, and the state from it (apply.py)
carry     what is left to be done at nodes, zones and mail, until it is read back (carry.py)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from postroom.access.acting import Access, acting_as, acting_for, others_who_may, roles_allowing, widened
from postroom.access.actor import Actor
from postroom.models import Change, Due

from . import apply as writer
from .apply import NotApplied, Secrets
from .approved import in_favour_of
from .errors import KeyReused, NotAllowed, NothingGoesBack, NothingToDo, NotLikeThat, Problem, Problems
from .kind import KINDS, Kind
from .look_first import read_zones
from .overtaken import snapshot
from .plan import Plan, Planned
from .planning import planned_all
from .policy import Proposed, Verdict, judge
from .record import append, note
from .schedule import then
from .state import State, new_change_id, seconds

ALONE = timedelta(hours=24)  # how long a change waits where a second person is required and there is none
NOTICE = "notices.send"
AT_MOST = 10_000
One_or_many = Kind | Sequence[Kind]


def submit(
    kind: One_or_many, *, actor: Actor, why: str, ticket: str = "", key: str | None = None,
    secrets: Secrets | None = None, at: datetime | None = None, caused_by: Change | None = None,
    replans: Change | None = None,
) -> Change:  # fmt: skip
    """Propose a change; apply it at once if nothing stands in the way.

    key: an idempotency key; the same request again answers with the same change.
    secrets: values that go to their rows and nowhere else. at: not now, then.
    """
    kinds = listed(kind)
    if at and kinds[0].carries_secret:
        raise NotLikeThat(f"{kinds[0].permission} carries a secret: it is done now or not at all")
    if at and not all(one.may_wait_for_a_time for one in kinds):
        raise NotLikeThat(f"{kinds[0].permission} is not put off: propose it when it shall be done")
    read_zones(kinds, actor)
    with acting_as(actor) as access, widened(access):
        if key and (earlier := made_before(kinds, actor, key)):
            return earlier
        at = then(at)
        proposed = propose(kinds, access, why=why, ticket=ticket, key=key, caused_by=caused_by, replans=replans)
        if access.reaches(proposed.plan.client):
            return settle(proposed, secrets=secrets, at=at)
        _beyond(proposed)
    raise NotAllowed(f"{kinds[0].permission} is not allowed here")


def _beyond(proposed: Proposed) -> None:
    """What somebody asked for outside of all that is theirs is recorded where they belong."""
    change, access = proposed.change, proposed.access
    if homes := [held.client for held in access.held if held.client]:
        note("refused", client=min(homes, key=str), person=access.actor.person, kind=change.kind, why=change.why)


def dry_run(kind: One_or_many, *, actor: Actor, why: str = "") -> Proposed:
    """The edits and verdicts of a submit, without it; NotAllowed where none of it is theirs to see."""
    kinds = listed(kind)
    if kinds[0].carries_secret:
        raise NotLikeThat(f"{kinds[0].permission} carries a secret: it cannot be shown without being done")
    read_zones(kinds, actor)
    with acting_as(actor) as access, widened(access):
        proposed = propose(kinds, access, why=why, to_apply=False)
        if access.reaches(proposed.plan.client):
            return proposed
    raise NotAllowed(f"{kinds[0].permission} is not allowed here")


def propose(
    kinds: Sequence[Kind], access: Access, *, why: str, ticket: str = "", key: str | None = None,
    caused_by: Change | None = None, replans: Change | None = None, to_apply: bool = True,
) -> Proposed:  # fmt: skip
    """Plan it and ask every policy. Writes nothing."""
    change = Change(
        id=new_change_id(), kind=kinds[0].permission, params=as_params(kinds), actor=access.actor.sort,
        proposer_id=access.actor.person, token_id=access.actor.token, mailbox_id=access.actor.mailbox,
        why=why, ticket=ticket, key=key, now=seconds(timezone.now()), caused_by=caused_by, replans=replans,
        undoes_id=kinds[0].takes_back,
    )  # fmt: skip

    def planned() -> tuple[Plan, State]:
        state = State(access, change.pk, change.now, why)
        return _as_one(planned_all(kinds, state)), state

    begun = snapshot() if to_apply else ""
    plan, state = planned()
    if not plan.edits:
        raise _nothing(change, plan)
    # What carries a secret nobody approves; by the hash of its plan one could try out what was compared in it.
    change.client_id, change.plan_hash = plan.client, "" if kinds[0].carries_secret else plan.hash
    change.left_out = [[one.table, one.id, one.because] for one in plan.left_out]
    proposed = Proposed(change, kinds, plan, state, access, begun, planned)
    found(change, judge(proposed))
    about = proposed.domains()
    change.domains = sorted(one for one in about if one) if about and None not in about else None
    return proposed


def _nothing(change: Change, plan: Plan) -> NothingToDo:
    """Why there is nothing to change: all of an undo may be left out, as what gave access and has ended is."""
    if change.undoes_id is None or not plan.left_out:
        return NothingToDo(f"{change.kind}: it stands so already")
    why = dict.fromkeys(f"{one.table.replace('_', ' ')}: {one.because}" for one in plan.left_out)
    return NothingGoesBack(f"nothing of it goes back ({'; '.join(why)})")


def _as_one(planned: Sequence[Planned]) -> Plan:
    """One plan of one client; what does not fit together is a problem like any other."""
    try:
        plan = Plan.of(planned)
        _ = plan.edits and plan.client
    except Problem as problem:
        raise Problems([problem]) from None
    return plan


def settle(proposed: Proposed, *, secrets: Secrets | None = None, at: datetime | None = None) -> Change:
    """Refuse, hold, schedule or apply, as the verdicts say."""
    change, says = proposed.change, {verdict["says"] for verdict in proposed.change.verdicts}
    if "refuse" in says or ("hold" in says and proposed.kind.carries_secret):
        return moved(change, "refused")
    if "hold" in says:
        change.at = max(at or change.now, change.now + proposed.waits) if proposed.waits else at
        return _held(proposed) if somebody_else(proposed) else wait_alone(proposed, change.at or change.now)
    return wait(proposed, at) if at else apply(proposed, secrets=secrets)


def _held(proposed: Proposed) -> Change:
    """Kept for another person to look at; where it warns, who has to know is told of it at once."""
    change = keep(proposed, "held")
    if proposed.waits:
        about = {"change": str(change.pk)}
        Due.objects.create(at=change.now, client_id=change.client_id, change=change, kind=NOTICE, params=about)
    return change


def wait(proposed: Proposed, at: datetime) -> Change:
    """Scheduled: the clock applies it then, unless somebody withdraws it."""
    proposed.change.at = at
    keep(proposed, "scheduled")
    Due.objects.create(at=at, client_id=proposed.change.client_id, change=proposed.change)
    return proposed.change


def wait_alone(proposed: Proposed, at: datetime, *, tell: bool = True) -> Change:
    """Nobody could approve it: it waits for a day at least, and who has to know is told (kinds/notices.py)."""
    change = wait(proposed, max(at, proposed.change.now + ALONE))
    if tell:
        about = {"change": str(change.pk)}
        Due.objects.create(at=change.now, client_id=change.client_id, change=change, kind=NOTICE, params=about)
    return change


def apply(proposed: Proposed, *, secrets: Secrets | None = None) -> Change:
    change = proposed.change
    before = (change.stage, change.version, change.plan, change._state.adding)
    try:
        return writer.apply(proposed, secrets=secrets)
    except NotApplied as not_applied:
        change.stage, change.version, change.plan, change._state.adding = before
        found(change, not_applied.verdicts)
        if not_applied.stage != "held" or proposed.kind.carries_secret:
            return moved(change, "refused" if not_applied.stage == "held" else not_applied.stage)
        if not change._state.adding:
            change.approval_set.update(void=True)
        refused = any(verdict.says == "refuse" for verdict in not_applied.verdicts)
        if refused or somebody_else(proposed):
            return keep(proposed, "held")
        return wait_alone(proposed, seconds(timezone.now()) + ALONE)


def apply_scheduled(change_id: UUID) -> Change:
    """What was approved, or waited for its time. Safe to call twice: the row lock and the stage decide."""
    with acting_for(change_id) as access:
        change = Change.objects.select_for_update().get(pk=change_id)
        if change.stage != "scheduled":
            return change
        change.due_set.all().delete()
        return apply(_kept(change, access))


def judged_anew(change_id: UUID) -> None:
    """A refusal stands as long as its cause does: of a held change, drop the reasons that are gone. None is added."""
    with acting_for(change_id) as access:
        change = Change.objects.select_for_update().get(pk=change_id)
        if change.stage != "held":
            return
        verdicts = judge(_kept(change, access))
        seen = {(v["policy"], v["reason"]) for v in change.verdicts}
        if all((v.policy, v.reason) in seen for v in verdicts):  # a new reason is for the applying transaction to find
            found(change, verdicts)
            change.save(update_fields=["verdicts"])


def _kept(change: Change, access: Access) -> Proposed:
    """The plan that was kept with the change, in front of the policies."""
    plan = Plan.from_json(change.plan or [])
    return Proposed(change, as_kinds(change), plan, State(access, change.pk, change.now, change.why), access)


def keep(proposed: Proposed, stage: str) -> Change:
    """Somebody will look at these edits, or they wait: keep them with the change."""
    proposed.change.plan = proposed.plan.as_json()
    return moved(proposed.change, stage)


def moved(change: Change, stage: str) -> Change:
    """Every move of stage is an entry."""
    was, change.stage = None if change._state.adding else change.stage, stage
    change.save(force_insert=change._state.adding)
    append(change, was=was)
    return change


def found(change: Change, verdicts: Sequence[Verdict]) -> None:
    change.verdicts = [{"policy": v.policy, "says": v.says, "reason": v.reason} for v in verdicts]


def as_params(kinds: Sequence[Kind]) -> object:
    """What was asked, as JSON: one object, or a list where it was a list; what was left out stays out."""
    asked = [kind.model_dump(mode="json", exclude_unset=True) for kind in kinds]
    return asked[0] if len(asked) == 1 else asked


def as_kinds(change: Change) -> list[Kind]:
    asked = change.params if isinstance(change.params, list) else [change.params]
    return [KINDS[change.kind].model_validate(one) for one in asked]


def listed(kind: One_or_many) -> list[Kind]:
    """The parts of one change: one to ten thousand, all of one kind."""
    kinds = [kind] if isinstance(kind, Kind) else list(kind)
    if not kinds or len(kinds) > AT_MOST:
        raise Problems([Problem("params", f"one to {AT_MOST:,} at once, these are {len(kinds):,}")])
    if len(kinds) > 1 and any(one.takes_back for one in kinds):
        raise Problems([Problem("params", "one undo at a time: each is judged by what it takes back")])
    if len({type(one) for one in kinds}) > 1:
        raise Problems([Problem("params", "all parts of one change are of one kind")])
    return kinds


def somebody_else(*parts: Proposed) -> bool:
    """Whether any one person could approve all of these: nobody who proposed it, whom it would let do more, or who may
    not by what was asked."""
    first, clients = parts[0].change, [part.change.client_id for part in parts]
    never = {one for part in parts for one in KINDS[first.kind].never_approved_by(part.change.params)}
    beside = {first.proposer_id, *in_favour_of(*(part.plan for part in parts)), *never} - {None}
    roles = roles_allowing(KINDS[first.kind].approved_by)
    return others_who_may(roles, clients=clients, beside=beside) > 0


def made_before(kinds: Sequence[Kind], actor: Actor, key: str) -> Change | None:
    """The change that the same request made, if it came before; raises KeyReused for another request."""
    with connection.cursor() as cursor:  # two requests with one key: the second waits here for the first
        about = f"{actor.sort} {actor.person} {actor.token} {actor.mailbox} {key}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [about])
    whose = {"proposer_id": actor.person, "token_id": actor.token, "mailbox_id": actor.mailbox}
    mine = Change.objects.filter(actor=actor.sort, **whose)
    earlier = mine.filter(key=key).first()
    if earlier and (earlier.kind, earlier.params) != (kinds[0].permission, as_params(kinds)):
        raise KeyReused(f"key {key!r} came before with another request")
    return earlier
