"""A grant never exceeds the granter, and nobody edits somebody who stands above them."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import hold_any
from postroom.access.roles import RANK
from postroom.access.roles import rank as height
from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import ApiSession, Grant, Invite, Mailbox, Person, Row


def rank(proposed: Proposed) -> Verdict | None:
    """Refuse a role higher than the proposer's own, and any change to a person who ranks higher."""
    if proposed.access.actor.sort != "person":
        return None
    own = proposed.access.rank_at(proposed.plan.client)
    for move in proposed.moves(Grant):
        row = move.then or move.now or {}
        if height([row["role"]]) > own:
            return refuse(rank, f"{row['role']} stands above what you hold here")
    people = {str(one) for one in _people(proposed)} - {str(proposed.access.actor.person)}
    if people and hold_any(RANK[own + 1 :], client=proposed.plan.client, among=sorted(people)):
        return refuse(
            rank, "somebody it is about stands above you" if len(people) > 1 else "this person stands above you"
        )
    return None


def _people(proposed: Proposed) -> Iterator[UUID]:
    """Whose person row, grant, session or mailbox this plan would touch; a person just made stands nowhere yet."""
    for move in proposed.moves(Person):
        if move.now:
            yield UUID(move.edit.id)
    for move in proposed.moves(Grant, ApiSession):
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
