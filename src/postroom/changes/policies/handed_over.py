"""Mail of an address is handed to another mail server by a transport that somebody else agreed to; or not at all.

A transport is its own exception, so no pattern that is allowed lets one through: those are of addresses, which a server
may have many of. What is forbidden is: a domain's servers are those at its name and below.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from postroom.changes.brought import brought
from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import Address, Alias, Forward, Transport
from postroom.models.routes import patterns_at, server
from postroom.protocols.patterns import names_server

from .forwarding import longer

TRANSPORTS = Transport._meta.db_table
CLASH = "mail of {} would be passed on and handed to another server: one of both, so end the other first"


def handed_over(proposed: Proposed) -> Verdict | None:
    """Refuse what is forbidden, and a transport beside an alias or a forward; hold every other that opens."""
    opened = [m for m in proposed.moves(Transport, Alias, Forward) if m.opens]
    if opened and (both := _both(proposed, opened)):
        return refuse(handed_over, CLASH.format(both))
    handed = [m for m in proposed.moves(Transport) if m.opens or longer(m)] + brought(proposed, Transport)
    forbidden = patterns_at(proposed.plan.client)[1] if handed else ()
    for move in handed:
        host = (move.then or {})["host"]
        if by := names_server(forbidden, host):
            return refuse(handed_over, f"{host} is forbidden by {by}: no mail is handed over there")
    return hold(handed_over, "; ".join(_words(proposed, handed))) if handed else None


def _both(proposed: Proposed, opened: Sequence[Move]) -> str:
    """The first address at which a transport and an alias or a forward would stand; empty for none."""
    handed = {_at(m) for m in opened if m.edit.table == TRANSPORTS}
    passed = {_at(m) for m in opened if m.edit.table != TRANSPORTS}
    closed = {m.edit.id for m in proposed.moves(Transport, Alias, Forward) if m.closes and not m.opens}
    until = {"until__gt": proposed.state.now}
    if passed:
        handed |= _standing(Transport.objects.filter(**until, address__in=passed, ended_at=None), closed)
    if handed:
        forwards = Forward.objects.filter(**until, address__in=handed, removed_at=None, disabled_at=None)
        passed |= _standing(forwards, closed)
        passed |= _standing(Alias.objects.filter(address__in=handed, removed_at=None), closed)
    both = handed & passed
    return min(_names(proposed, both).values(), default="") if both else ""


def _at(move: Move) -> str:
    return str((move.then or {})["address_id"])


def _standing(rows: "QuerySet[Any]", closed: Collection[str]) -> set[str]:
    return {str(address) for address in rows.exclude(pk__in=closed).values_list("address", flat=True)}


def _names(proposed: Proposed, ids: Collection[str]) -> dict[str, str]:
    """The addresses by their ids, those that this plan makes too."""
    made = {m.edit.id: str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    known = Address.objects.filter(pk__in=set(ids) - made.keys()).values_list("pk", "address")
    return {id: name for id, name in ({str(pk): one for pk, one in known} | made).items() if id in ids}


def _words(proposed: Proposed, handed: Sequence[Move]) -> Iterator[str]:
    names = _names(proposed, {_at(m) for m in handed})
    for move in handed:
        row = move.then or {}
        yield f"hands mail of {names[_at(move)]} to {server(row['host'], row['port'])}, until {row['until'][:10]}"
