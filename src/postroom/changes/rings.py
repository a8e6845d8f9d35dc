"""Whether mail would go round by what a plan opens, and never land.

The verdict is trace()'s, of each address whose route the plan opens, on the rows as the plan would leave them: a copy
that stays may end a ring (Postfix, virtual(5)), and then it is none. A ring that is new passes one of these addresses,
so no others are followed. What went round before is no reason: it does so without the plan.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.access.known import ask
from postroom.models import Address, Client, Domain, Mailbox, Organization, RedirectStop, StateModel, Transport
from postroom.protocols.routing import Landing, Trace, trace

from .edit import Edit, model_of
from .laid import (
    ANY,
    PATTERNS,
    Moving,
    addresses_of,
    by_patterns,
    laid,
    moves_of,
    near,
    targets_of,
    touched,
)
from .routes import Facts, read
from .rules import Rules

STAYS = (Mailbox, Transport)  # what opens there ends mail's way
# Of these clients and domains, what passes mail on at all: of the rest none can go round.
PASSING = f"""
SELECT a.address FROM addresses a
WHERE (a.client_id = ANY (%(clients)s::uuid[]) OR a.domain_id = ANY (%(domains)s::uuid[]))
  AND (EXISTS (SELECT FROM aliases l WHERE l.address_id = a.id AND l.removed_at IS NULL)
    OR EXISTS (SELECT FROM forwards f WHERE f.address_id = a.id AND f.removed_at IS NULL AND f.disabled_at IS NULL)
    OR EXISTS (SELECT FROM mailboxes m JOIN sieve_scripts s ON s.mailbox_id = m.id
      WHERE m.address_id = a.id AND s.active AND s.redirects <> '[]'))
UNION ALL SELECT '{ANY}@' || d.name FROM catch_alls g JOIN domains d ON d.id = g.domain_id
  WHERE (d.client_id = ANY (%(clients)s::uuid[]) OR d.id = ANY (%(domains)s::uuid[])) AND g.removed_at IS NULL
ORDER BY 1 LIMIT %(most)s
"""


@dataclass(frozen=True)
class Ring:
    """Mail to `address` would not land. way: the addresses it goes round by, in its order; none where there is no end
    of them, and `why` says so."""

    address: str
    way: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Rings:
    """more: how many addresses were not followed. foreign: domains of other clients that mail came by, whether or not
    it goes round. opened: the addresses that were followed."""

    rings: tuple[Ring, ...] = ()
    more: int = 0
    foreign: frozenset[str] = frozenset()
    opened: tuple[str, ...] = ()


def may_open(edits: Iterable[Edit]) -> bool:
    """Whether one of them can open a route, from what it says alone."""
    return any(_may(model_of(e.table), e) for e in edits)


def _may(model: type[StateModel], e: Edit) -> bool:
    if model is Address:
        return e.before is not None
    return model not in STAYS and (e.after is not None or model is RedirectStop)


def rings(edits: Sequence[Edit], now: datetime, *, most: int) -> Rings:
    """What goes round by these edits and did not before; at most so many addresses are followed. A fixed number of
    queries. A domain of these clients that is not proven counts as proven: its proof is asked of nobody."""
    moves = list(moves_of(edits))
    opening = [one for one in moves if _opens(one)]
    if not opening:
        return Rings()
    names, _ = addresses_of(moves)
    clients = {str(e.client) for e in edits if e.client}
    opened = list(dict.fromkeys((*_at(opening, names), *_passing(opening, most), *by_patterns(opening, most))))
    followed = opened[:most]
    targets = {to for move in opening[: 10 * most] for to in targets_of(move.then or {})}
    facts = read({*followed, *targets})
    close = [one for one in moves if near(one, names, facts.get("reached", {}))]
    before, after = (Rules(laid(facts, close, then=then), now, (), clients) for then in (False, True))
    found = [(one, trace(one, after, at=now)) for one in followed]
    round_ = [(one, there) for one, there in found if _loops(there)]
    new = [(one, there) for one, there in round_ if _loops(there) - _loops(trace(one, before, at=now))]
    return Rings(
        tuple(Ring(one, _way(there), next(iter(_loops(there))).why) for one, there in new), len(opened) - len(followed),
        _foreign(facts, clients), tuple(followed),
    )  # fmt: skip


def _opens(move: Moving) -> bool:
    """Whether mail may go on by it where it did not."""
    then, now, model = move.then, move.now, model_of(move.table)
    if model is RedirectStop:
        return bool(now and not now["ended_at"] and (then is None or then["ended_at"]))
    if then is None or model in STAYS:
        return False
    if model is Address:
        return now is not None and now["keep_copy"] and not then["keep_copy"]
    if model in (Organization, Client, Domain):
        back = bool(now and now.get("removed_at") and not then.get("removed_at"))
        return back or (_stands_otherwise(move) if model is Domain else move.differs(PATTERNS))
    longer = now is not None and then.get("until") != now.get("until")
    return bool(model.opens(then) - (model.opens(now) if now else frozenset())) or (longer and bool(model.opens(then)))


def _stands_otherwise(move: Moving) -> bool:
    """A domain that comes to stand for another, by another name, or is served from now on."""
    then, now = move.then or {}, move.now or {}
    aliased = bool(then.get("alias_of_id")) and then["alias_of_id"] != now.get("alias_of_id")
    return aliased or then.get("name") != now.get("name") or (then["proof"] == "read" and now.get("proof") != "read")


def _at(moves: Sequence[Moving], names: dict[str, str]) -> Iterator[str]:
    for move in moves:
        yield from touched(move, names)


def _passing(moves: Sequence[Moving], most: int) -> list[str]:
    """Of a client or domain that comes back, and of those that stand for one another, what passes mail on."""
    clients = [one.id for one in moves if model_of(one.table) is Client and one.differs({"removed_at"})]
    domains = [id for one in moves if model_of(one.table) is Domain for id in (one.id, one.row["alias_of_id"]) if id]
    if not clients and not domains:
        return []
    return [str(one) for (one,) in ask(PASSING, clients=clients, domains=domains, most=most + 1)]


def _loops(found: Trace) -> set[Landing]:
    return {one for one in found.landings if one.sort == "loop"}


def _way(found: Trace) -> tuple[str, ...]:
    """The first addresses along it that lead back to one another."""
    onward: dict[str, list[str]] = {}
    for hop in found.hops:
        onward.setdefault(hop.at, []).extend(hop.to)
    path: list[str] = []
    open_ = [(found.address, 0)]
    done: set[str] = set()
    while open_:
        at, depth = open_.pop()
        path[depth:] = []
        if at in path:
            return tuple(path[path.index(at) :])
        if at not in done:
            done.add(at)
            path.append(at)
            open_ += [(to, depth + 1) for to in reversed(onward.get(at, []))]
    return ()


def _foreign(facts: Facts, clients: set[str]) -> frozenset[str]:
    return frozenset(row["name"] for row in facts.get("domains", {}).values() if str(row["client_id"]) not in clients)


def standing(addresses: Collection[str], now: datetime) -> dict[str, tuple[str, ...]]:
    """Of these addresses (ANY of a domain: what is caught there), those whose mail comes back to them as things are,
    each with the way that it takes; one query."""
    facts = read(addresses) if addresses else {}
    rules = Rules(facts, now)
    found = ((one, trace(one, rules, at=now)) for one in addresses)
    return {one: way for one, there in found if _loops(there) and one in (way := _way(there))}
