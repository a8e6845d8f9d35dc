"""A grant never exceeds the granter, and nobody edits somebody who stands above them."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import Access, hold_any, roles_above
from postroom.access.actor import Held
from postroom.access.roles import APPROVE, ROLES
from postroom.changes.kind import KINDS
from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import ApiSession, ApiToken, Grant, Invite, Mailbox, Person, Role, Row


def rank(proposed: Proposed) -> Verdict | None:
    """Refuse a role beyond the proposer's own, and any change to a person who ranks higher."""
    if not proposed.access.actor.somebody:
        return None
    if beyond := next(_beyond(proposed), None):
        return refuse(rank, beyond)
    people = {str(one) for one in _people(proposed)} - {str(proposed.access.actor.person)}
    above = roles_above(proposed.access.rank_at(proposed.plan.client)) if people else []
    if people and hold_any(above, client=proposed.plan.client, among=sorted(people)):
        return refuse(
            rank, "somebody it is about stands above you" if len(people) > 1 else "this person stands above you"
        )
    return None


def _beyond(proposed: Proposed) -> Iterator[str]:
    """What the grants, roles and tokens of this plan would let somebody do that its proposer may not."""
    access, client = proposed.access, proposed.plan.client
    for move in proposed.moves(Grant):
        row = move.then or move.now or {}
        held = _held(row["role"])
        if held.rank > access.rank_at(client):
            yield f"{row['role']} stands above what you hold here"
        elif move.opens and (more := _more(held, access, client)):
            yield f"{row['role']} may {', '.join(more[:5])}, and you may not"
    for move in proposed.moves(Role, ApiToken):
        if move.opens and (more := [one for one in sorted(move.opens) if not access.can_somewhere(one)]):
            yield f"you may not {', '.join(more[:5])} yourself"


def _held(role: str) -> Held:
    own = Role.objects.filter(name=role).values_list("permissions", flat=True).first() if role not in ROLES else None
    return Held(role, permissions=None if own is None else tuple(own))


def _more(held: Held, access: Access, client: UUID | None) -> list[str]:
    """What a role may and the giver of it may not."""
    every = (*KINDS, APPROVE, *(held.permissions or ()))
    return [one for one in every if held.allows(one) and not access.can(one, client)]


def _people(proposed: Proposed) -> Iterator[UUID]:
    """Whose person row, grant, session or mailbox this plan would touch; a person just made stands nowhere yet."""
    for move in proposed.moves(Person):
        if move.now:
            yield UUID(move.edit.id)
    for move in proposed.moves(Grant, ApiSession, ApiToken):
        if row := _closed(move):
            yield UUID(row["person_id"])
    for move in proposed.moves(Mailbox):
        if move.now and move.now["owner_id"]:
            yield UUID(move.now["owner_id"])
    # By an invite's link its person, or the owner of its mailbox, would set a secret.
    invited = [move.then or move.now or {} for move in proposed.moves(Invite)]
    yield from (UUID(row["person_id"]) for row in invited if row["person_id"])
    boxes = {row["mailbox_id"] for row in invited if row["mailbox_id"]}
    yield from Mailbox.objects.filter(pk__in=boxes, owner__isnull=False).values_list("owner_id", flat=True)


def _closed(move: Move) -> Row | None:
    return move.now if move.closes else None
