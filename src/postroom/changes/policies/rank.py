"""A grant never exceeds the granter, and nobody edits somebody who stands above them."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import others_who_may
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
    for person in set(_people(proposed)):
        if str(person) != str(proposed.access.actor.person) and _stands_above(person, own, proposed.plan.client):
            return refuse(rank, "this person stands above you")
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
    for move in proposed.moves(Invite):
        yield from _invited(move.then or move.now or {})


def _invited(row: Row) -> Iterator[UUID]:
    """Who would set a secret by this link: the person it is for, or the owner of the mailbox."""
    if row.get("person_id"):
        yield UUID(row["person_id"])
    owner = Mailbox.objects.filter(pk=row.get("mailbox_id")).values_list("owner_id", flat=True).first()
    if owner:
        yield owner


def _closed(move: Move) -> Row | None:
    return move.now if move.closes else None


def _stands_above(person: UUID, own: int, client: UUID | None) -> bool:
    higher = list(RANK[own + 1 :])
    everybody = others_who_may(higher, client=client, beside=None)
    return others_who_may(higher, client=client, beside=person) < everybody
