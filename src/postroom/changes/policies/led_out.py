"""An exception lets out the mail of its own address. That other mail comes to that address is for somebody else to see.

So held is what makes mail of one address leave by way of another one: an alias, forward or catch-all that leads to an
address with a way out, a domain that comes to stand for one with such addresses, a way out for one that others lead to,
and a domain or client that comes back with any of these.
A domain nobody serves yet counts as served: its proof is asked of nobody. What leaves by an exception of its own is
judged by forwarding, and by a transport by handed_over; by a pattern that is allowed, it may.
postmaster@ and abuse@ of every domain have such a way out of themselves where the organization's postmaster is outside:
for their own mail it is inside, for what others pass on to them it is not. What is forbidden there is refused.

Mail may go through another client and back. So it is followed over all clients, when a change is proposed, by whomever,
and when it is applied; told is only which addresses of the change's own client it is about.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.access.overlooking import overlooking
from postroom.changes.brought import inside_then, returning
from postroom.changes.landing import Moved, diff
from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Domain,
    Forward,
    Mailbox,
    RouteException,
    Transport,
)
from postroom.models.routes import Inside, patterns_at, postmaster, role_account
from postroom.protocols.extensions import parts
from postroom.protocols.patterns import matches
from postroom.protocols.routing import Trace

from .landing import MOST, NOT_SEEN, named, seen

WAYS = (Alias, Forward, CatchAll, RouteException, Transport)
WORDS = "mail to {} would leave by way of another address, which has a way out of its own"
BY_ROLE = "mail to {{}} would leave by way of {by}, which leads to the organization's postmaster, {to}"
Way = tuple[str, str]  # at which address of the client mail leaves it, and to where


@dataclass(frozen=True)
class Bounds:
    """What of a client's mail is inside, and the patterns of what may leave and may not."""

    inside: Inside
    allowed: Sequence[str]
    forbidden: Sequence[str]

    def by_role(self, way: Way) -> bool:
        """Whether it leaves at a role account, to whom that leads of itself."""
        return way[1] == self.inside.postmaster and role_account(way[0])

    def forbid(self, way: Way) -> str:
        """By which pattern. What rests on somebody's exception was asked that when it was made."""
        return matches(self.forbidden, way[1]) if self.by_role(way) else ""


def led_out(proposed: Proposed) -> Verdict | None:
    """Hold what makes mail of an address leave by way of another."""
    if not proposed.access.actor.limited:
        return None  # what follows from a change was looked at with it
    opens = _opens(proposed)
    if not opens and not _caught(proposed):
        return None
    with overlooking():
        found = diff(proposed.plan.edits, proposed.state.now, most=MOST, proven=True)
        bounds = Bounds(inside_then(proposed), *patterns_at(proposed.plan.client))
        led = dict(_led(proposed, found.moved, bounds, opens=opens))
    said = list(_said(proposed, led, bounds))
    if by := next((by for ways in led.values() for way in sorted(ways) if (by := bounds.forbid(way))), ""):
        return refuse(led_out, f"{'; '.join(said)}; that is forbidden by {by}")
    said += [f"whether mail to {found.more} more addresses would leave is not followed"] if found.more else []
    return hold(led_out, "; ".join(said)) if said else None


def _opens(proposed: Proposed) -> bool:
    """Whether mail goes on where it did not; but not that of role accounts that are made only now, where none came."""
    if returning(proposed):
        return True
    if any((m.then or {}).get("alias_of_id") != (m.now or {}).get("alias_of_id") for m in proposed.moves(Domain)):
        return True
    opened = [m for m in proposed.moves(*WAYS) if m.opens]
    to, made = {postmaster()} if opened else set(), proposed.made(Address)
    return any(not (m.opens <= to and _address(m) in made) for m in opened)


def _address(move: Move) -> str:
    return str((move.then or {}).get("address_id", ""))


def _caught(proposed: Proposed) -> bool:
    """Whether what was an address of its own may be caught where all is."""
    if not any(m.closes for m in proposed.moves(Alias, Forward, Mailbox, Transport)):
        return False
    caught = CatchAll.objects.filter(client=proposed.plan.client, removed_at=None, until__gt=proposed.state.now)
    return bool(caught.exists())


def _said(proposed: Proposed, led: Mapping[Moved, set[Way]], bounds: Bounds) -> Iterator[str]:
    """What would leave, and by what. A role account is named to who may see it."""
    yield from named(WORDS, [one for one, ways in led.items() if not all(map(bounds.by_role, ways))], names := (
        _names(proposed, led) if led else set()))  # fmt: skip
    roles = sorted({way for ways in led.values() for way in ways if bounds.by_role(way)})
    known = seen(proposed, {at for at, _ in roles})
    for at, to in roles:
        words = BY_ROLE.format(by=at if at in known else NOT_SEEN, to=to)
        yield from named(words, [one for one, ways in led.items() if (at, to) in ways], names)


def _names(proposed: Proposed, led: Collection[Moved]) -> set[str]:
    """Those its proposer sees, and those it is about that are no address yet."""
    every = {one.address for one in led}
    there = set(Address.objects.filter(address__in=every).values_list("address", flat=True)) if every else set()
    return {*seen(proposed, every), *({one.address for one in led if one.own} - there)}


def _led(
    proposed: Proposed, moved: Sequence[Moved], bounds: Bounds, *, opens: bool
) -> Iterator[tuple[Moved, set[Way]]]:
    """Of a plan that only ends something, not what left before: an end of a leak waits for nobody."""
    ours = bounds.inside
    out = {one: ways for one in moved if (ways := _out(one, ours)) and (opens or not _left(one, ours))}
    own = _own(proposed, [one.address for one in out]) if out else set()
    for one, ways in out.items():
        let = {way for way in ways if (one.address, way[1]) in own or matches(bounds.allowed, way[1])}
        if led := {way for way in ways if way not in let or bounds.forbid(way)}:
            yield one, led


def _out(one: Moved, ours: Inside) -> set[Way]:
    """Where its mail leaves the client to only after this, and not by a route of its own. What becomes of it out there
    is not followed: who approves may see less of it than who proposed."""
    known = {to for _, to in _exits(one.address, one.before, ours)}
    return {(at, to) for at, to in _exits(one.address, one.after, ours) if to not in known and at != one.address}


def _left(one: Moved, ours: Inside) -> bool:
    return bool(_exits(one.address, one.before, ours))


def _exits(address: str, trace: Trace, ours: Inside) -> set[Way]:
    """An address with something after a + leaves where the one without does."""
    here = ours.beside(address.rpartition("@")[2])
    hops = {(hop.at, to) for hop in trace.hops if hop.at.rpartition("@")[2] in here.domains for to in hop.to}
    return {(parts(at)[0], to) for at, to in hops if not here.keeps(to, of=address)}


def _own(proposed: Proposed, addresses: Sequence[str]) -> set[tuple[str, str]]:
    """(address, target) of the exceptions that stand or are planned along: forwarding judges those."""
    rows = RouteException.objects.filter(address__address__in=addresses, ended_at=None, until__gt=proposed.state.now)
    names = {str(pk): one for pk, one in Address.objects.filter(address__in=addresses).values_list("pk", "address")}
    names |= {m.edit.id: str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    planned = [m.then for m in proposed.moves(RouteException) if m.opens and m.then]
    made = ((names.get(str(row["address_id"]), ""), str(row["target"])) for row in planned)
    return {*rows.values_list("address__address", "target"), *made}
