"""Whether an approval still counts when its change applies, and who may not give one: whoever it is in favour of."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import Access, Actor
from postroom.models import Approval, Change, Delegation, Grant, Invite, Mailbox, Role, RouteException, Transport

from .kind import KINDS
from .plan import Plan
from .policy import Verdict

LET_OUT = (RouteException, Transport)
LAPSED = "whoever approved it may not approve it any more"
ANOTHER = "what was approved is not this plan"
ALTERED = "the plan is not the one that was kept"


def altered(change: Change, plan: Plan) -> str:
    """Why this is not the plan that the hash and the client of the change are of; empty where it is.

    What is kept lies in a row between the looking and the doing, and its hash is what people approve: so each time that
    it is taken out, it is hashed again. A hash says nothing of the client of an edit, by which its line is walled.
    """
    same = plan.hash == change.plan_hash and all(one.client == change.client_id for one in plan.edits)
    return "" if same else ALTERED


def lapsed(change: Change) -> Verdict | None:
    """None where somebody who may approve it still stands for it, or nobody was asked to.

    A right that ended, a person who is suspended, a client that closed itself: what was approved for next month is
    looked at anew. Asked under the lock, so a right that ends meanwhile ends before or after it, never between.
    """
    if change._state.adding:
        return None
    given = set(Approval.objects.filter(change=change, void=False).values_list("person", "plan_hash"))
    if any(plan_hash != change.plan_hash for _, plan_hash in given):
        return Verdict("approvals", "hold", ANOTHER)
    if not given or any(_may_still(one, change) for one, _ in given):
        return None
    return Verdict("approvals", "hold", LAPSED)


def _may_still(person: UUID, change: Change) -> bool:
    access = Access(Actor(person, ""))
    access.refresh()
    return access.can(KINDS[change.kind].approved_by, change.client_id)


def in_favour_of(*plans: Plan) -> set[UUID]:
    """Who would be let do more by it: who is given a role, or has it for longer; whose own role comes to allow more;
    to whose sign-in a link is made; whose mailbox gets access to another; whose mail may leave.
    """
    return {UUID(str(one)) for plan in plans for one in _in_favour(plan)}


def _in_favour(plan: Plan) -> Iterator[object]:
    grants = [one for one in plan.on(Grant) if one.after and not one.after.get("ended_at")]
    made = [str(one.after["person_id"]) for one in grants if one.before is None and one.after]
    changed = [one.id for one in grants if one.before is not None]
    yield from made
    if changed:
        yield from Grant.objects.filter(pk__in=changed).values_list("person", flat=True)
    if roles := [one.id for one in plan.on(Role) if one.before is not None and "permissions" in (one.after or {})]:
        named = Role.objects.filter(pk__in=roles).values("name")
        yield from Grant.objects.filter(role__in=named, ended_at=None).values_list("person", flat=True)
    links = [one.after["person_id"] for one in plan.on(Invite) if one.before is None and one.after]
    yield from filter(None, links)
    if let_in := [one.after["to_mailbox_id"] for one in plan.on(Delegation) if one.before is None and one.after]:
        yield from Mailbox.objects.filter(pk__in=let_in, owner__isnull=False).values_list("owner", flat=True)
    if let_out := [one.after["address_id"] for one in plan.on(*LET_OUT) if one.before is None and one.after]:
        yield from Mailbox.objects.filter(address__in=let_out, owner__isnull=False).values_list("owner", flat=True)
