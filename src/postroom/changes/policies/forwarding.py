"""Mail leaves a client by an exception that somebody else agreed to, or by a pattern that is allowed; or not at all."""

from collections.abc import Iterator
from uuid import UUID

from django.utils import timezone

from postroom.changes.edit import model_of
from postroom.changes.patterns import patterns_at
from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import CatchAll, Domain, Forward, Organization, RouteException
from postroom.protocols.patterns import matches, private


def forwarding(proposed: Proposed) -> Verdict | None:
    """Refuse what is forbidden, and a way out without an exception; hold an exception."""
    opening = [m for m in proposed.moves(Forward, CatchAll, RouteException) if m.opens or longer(m)]
    if not opening:
        return None
    client = proposed.plan.client
    away = [m for m in opening if any(_leaves(client, [_target(m)]))]
    if not away:
        return None
    allowed, forbidden = patterns_at(client)
    for m in away:
        if by := matches(forbidden, _target(m)):
            return refuse(forwarding, f"{_target(m)} is forbidden by {by}: no mail is passed on there")
    for m in away:
        if m.edit.table == RouteException._meta.db_table or matches(allowed, _target(m)):
            continue
        if why := _uncovered(proposed, m):
            return refuse(forwarding, why)
    new = [m for m in away if m.edit.table == RouteException._meta.db_table]
    return hold(forwarding, "; ".join(map(_words, new))) if new else None


def longer(move: Move) -> bool:
    """Whether what stands open would stand so for longer."""
    standing = bool(move.then and model_of(move.edit.table).opens(move.then))
    return standing and bool(move.now and move.then and move.then["until"] > move.now["until"])


def _target(move: Move) -> str:
    row = move.then or {}
    return str(row.get("to") or row.get("target"))


def _leaves(client: UUID | None, targets: list[str]) -> Iterator[str]:
    names = {one.rpartition("@")[2] for one in targets}
    own = set(Domain.objects.filter(client=client, name__in=names).values_list("name", flat=True))
    ours = Organization.objects.values_list("postmaster", flat=True).first()
    yield from (one for one in targets if one.rpartition("@")[2] not in own and one != ours)


def _uncovered(proposed: Proposed, move: Move) -> str:
    """Why it does not rest on an exception; empty where it does, one of this plan's included."""
    row = move.then or {}
    if "address_id" not in row:
        return f"a catch-all stays inside: {_target(move)} is outside"
    made = [m.then for m in proposed.moves(RouteException) if m.opens and m.then]
    if any(one["address_id"] == row["address_id"] and one["target"] == row["to"] for one in made):
        return ""
    standing = RouteException.objects.filter(
        address=row["address_id"], target=row["to"], ended_at=None, until__gt=timezone.now(), until__gte=row["until"]
    )
    ended = {m.edit.id for m in proposed.moves(RouteException) if m.closes}
    if standing.exclude(pk__in=ended).exists():
        return ""
    return f"no exception lets mail go to {row['to']} until {row['until'][:10]}: ask for one, or for the forward anew"


def _words(move: Move) -> str:
    row = move.then or {}
    to = f"{row['target']}{', a private mailbox' if private(row['target']) else ''}"
    return f"lets mail leave to {to}, until {row['until'][:10]}"
