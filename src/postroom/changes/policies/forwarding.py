"""Mail leaves a client by an exception that somebody else agreed to, or by a pattern that is allowed; or not at all."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from postroom.changes.brought import brought, inside_then
from postroom.changes.edit import model_of
from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import Address, Alias, CatchAll, Domain, Forward, RouteException, Row
from postroom.models.routes import patterns_at
from postroom.protocols.patterns import matches, private

Out = tuple[Move, str]  # by which move mail would leave, and to where
EXCEPTIONS = RouteException._meta.db_table
ROUTES = (Alias, Forward, CatchAll, RouteException)


def forwarding(proposed: Proposed) -> Verdict | None:
    """Refuse what is forbidden, and a way out without an exception; hold an exception."""
    if words := _left_open(proposed) or _twice(proposed):
        return refuse(forwarding, words)
    routes = [m for m in proposed.moves(*ROUTES) if m.opens or longer(m)] + brought(proposed, *ROUTES)
    away = _away(proposed, routes) if routes else []
    if not away:
        return None
    allowed, forbidden = patterns_at(proposed.plan.client)
    for _, to in away:
        if by := matches(forbidden, to):
            return refuse(forwarding, f"{to} is forbidden by {by}: no mail is passed on there")
    for m, to in away:
        if m.edit.table != EXCEPTIONS and not matches(allowed, to) and (why := _uncovered(proposed, m, to)):
            return refuse(forwarding, why)
    new = [m for m, _ in away if m.edit.table == EXCEPTIONS]
    return hold(forwarding, "; ".join(map(_words, new))) if new else None


def longer(move: Move) -> bool:
    """Whether what stands open would stand so for longer."""
    now, then = move.now or {}, move.then or {}
    standing = "until" in then and bool(model_of(move.edit.table).opens(then))
    return standing and bool(now) and then["until"] > now["until"]


def _targets(move: Move) -> Collection[str]:
    row = move.then or {}
    return move.opens if "targets" in row else [str(row.get("to") or row.get("target"))]


def _away(proposed: Proposed, routes: list[Move]) -> list[Out]:
    """What of these leads outside: not to a domain that is served for the client, nor to its own, served or not."""
    ours, of = inside_then(proposed), sources(proposed, routes)
    found = []
    for m in routes:
        source = of.get(m.edit.id, "")
        here = ours.beside(source.rpartition("@")[2])
        found += [(m, to) for to in sorted(_targets(m)) if not here.keeps(to, of=source)]
    return found


def sources(proposed: Proposed, routes: list[Move]) -> dict[str, str]:
    """By the row of a route, the address whose mail it is about; @domain for all of a domain."""
    made = {m.edit.id: str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    rows: dict[str, Row] = {m.edit.id: m.then or {} for m in routes}
    ids = {row["address_id"] for row in rows.values() if "address_id" in row} - made.keys()
    known = {str(pk): address for pk, address in Address.objects.filter(pk__in=ids).values_list("pk", "address")}
    whole = {row["domain_id"] for row in rows.values() if "domain_id" in row}
    names = (
        {str(pk): name for pk, name in Domain.objects.filter(pk__in=whole).values_list("pk", "name")} if whole else {}
    )
    addresses = {**known, **made}
    return {
        id: addresses.get(row["address_id"], "")
        if "address_id" in row
        else f"@{names.get(row.get('domain_id', ''), '')}"
        for id, row in rows.items()
    }


def _uncovered(proposed: Proposed, move: Move, to: str) -> str:
    """Why it does not rest on an exception; empty where it does, one of this plan's included."""
    row = move.then or {}
    if "until" not in row:
        return f"an alias stays inside: {to} is outside"
    if "address_id" not in row:
        return f"a catch-all stays inside: {to} is outside"
    made = [m.then for m in proposed.moves(RouteException) if m.opens and m.then]
    if any(one["address_id"] == row["address_id"] and one["target"] == to for one in made):
        return ""
    if _standing(proposed, row["address_id"], to, row["until"]):
        return ""
    return f"no exception lets mail go to {to} until {row['until'][:10]}: ask for one, or for the forward anew"


def _standing(proposed: Proposed, address: UUID | str, to: str, until: object) -> bool:
    """Whether an exception stands, and would after this, that lasts as long."""
    ended = {m.edit.id for m in proposed.moves(RouteException) if m.closes}
    rows = RouteException.objects.filter(address=address, target=to, ended_at=None, until__gt=timezone.now())
    return bool(rows.filter(until__gte=until).exclude(pk__in=ended).exists())


def _left_open(proposed: Proposed) -> str:
    """A forward that would go on when the exception it rests on ends: an undo, or a hand of one's own, forgot it."""
    ending = [m.now for m in proposed.moves(RouteException) if m.closes and m.now]
    closed = {m.edit.id for m in proposed.moves(Forward) if m.closes} if ending else set()
    allowed = patterns_at(proposed.plan.client)[0] if ending else ()
    for row in ending:
        rows = Forward.objects.filter(address=row["address_id"], to=row["target"], removed_at=None, disabled_at=None)
        for forward in rows.filter(until__gt=timezone.now()).exclude(pk__in=closed):
            rests = not matches(allowed, forward.to)
            if rests and not _standing(proposed, row["address_id"], forward.to, forward.until):
                return f"a forward to {forward.to} rests on this exception: end it as such, and the forward goes along"
    return ""


def _twice(proposed: Proposed) -> str:
    """An exception that is made while another lets the same mail go there as long: one that waited beside it, or a part
    of the same change. Whoever owns a mailbox asks anew for all of what was ended."""
    made = [m for m in proposed.moves(RouteException) if m.opens and m.now is None]
    if not made:
        return ""
    owned = proposed.access.actor.mailbox is not None
    again = {(m.now["address_id"], m.now["to"]) for m in proposed.moves(Forward) if owned and m.opens and m.now}
    lasts = _last(proposed, {str((m.then or {})["address_id"]) for m in made})
    names = sources(proposed, made)
    for m in made:
        row = m.then or {}
        way, until = (row["address_id"], row["target"]), datetime.fromisoformat(row["until"])
        if way in lasts and lasts[way] >= until and way not in again:
            return f"mail of {names[m.edit.id]} may go to {row['target']} as long already"
        lasts[way] = max(until, lasts.get(way, until))
    return ""


def _last(proposed: Proposed, addresses: set[str]) -> dict[tuple[str, str], datetime]:
    """By address and target, until when the exceptions last that stand, and would after this."""
    ended = {m.edit.id for m in proposed.moves(RouteException) if m.closes}
    rows = RouteException.objects.filter(address__in=addresses, ended_at=None, until__gt=timezone.now())
    found = rows.exclude(pk__in=ended).order_by("until").values_list("address", "target", "until")
    return {(str(address), target): until for address, target, until in found}


def _words(move: Move) -> str:
    row = move.then or {}
    to = f"{row['target']}{', a private mailbox' if private(row['target']) else ''}"
    return f"lets mail leave to {to}, until {row['until'][:10]}"
