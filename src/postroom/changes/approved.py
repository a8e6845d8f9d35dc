"""Whether an approval still counts when its change applies, and who may not give one: whoever it is in favour of."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import Access, Actor
from postroom.models import Approval, Change, Grant, Invite, Role

from .kind import KINDS
from .plan import Plan
from .policy import Verdict

LAPSED = "whoever approved it may not approve it any more"


def lapsed(change: Change) -> Verdict | None:
    """None where somebody who may approve it still stands for it, or nobody was asked to.

    A right that ended, a person who is suspended, a client that closed itself: what was approved for next month is
    looked at anew. Asked under the lock, so a right that ends meanwhile ends before or after it, never between.
    """
    given = Approval.objects.filter(change=change, void=False).values_list("person", flat=True)
    people = set(given) if not change._state.adding else set()
    if not people or any(_may_still(one, change) for one in people):
        return None
    return Verdict("approvals", "hold", LAPSED)


def _may_still(person: UUID, change: Change) -> bool:
    access = Access(Actor(person, ""))
    access.refresh()
    return access.can(KINDS[change.kind].approved_by, change.client_id)


def in_favour_of(*plans: Plan) -> set[UUID]:
    """Who would be let do more by it: who is given a role, or has it for longer; whose own role comes to allow more;
    to whose sign-in a link is made.
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
