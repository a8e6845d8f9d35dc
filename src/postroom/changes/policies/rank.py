"""A grant never exceeds the granter, and nobody edits somebody who stands above them."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from postroom.access.acting import hold_any, roles_above
from postroom.access.roles import rank as height
from postroom.changes.cover import beyond, lasting
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
        role = (move.then or move.now or {})["role"]
        if proposed.kind.elevates:
            continue  # asked for, and given by whoever approves it (approvals.py)
        if move.opens:
            yield from beyond(role, access, client)
            yield from _outlasting(move, proposed)
        elif height([role]) > access.rank_at(client):
            yield f"{role} stands above what you hold here"
    for move in proposed.moves(Role, ApiToken):
        # A role may be given anywhere, so what it opens is held everywhere; a token is no more than its maker is there.
        anywhere = move.edit.table == Role._meta.db_table
        may = [access.can(one, None) if anywhere else access.can_somewhere(one) for one in sorted(move.opens)]
        if more := [one for one, allowed in zip(sorted(move.opens), may, strict=True) if not allowed]:
            yield f"you may not {', '.join(more[:5])} yourself{' everywhere' if anywhere else ''}"


def _outlasting(move: Move, proposed: Proposed) -> Iterator[str]:
    """A role for longer than its giver holds as much: what was lent for hours is not passed on for good."""
    row, client = move.then or {}, proposed.plan.client
    until = datetime.fromisoformat(row["until"]) if row["until"] else None
    if any(beyond(row["role"], lasting(proposed.access, client, until), client)):
        yield f"{row['role']} would last longer than what you hold here"


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
