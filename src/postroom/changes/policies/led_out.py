"""An exception lets out the mail of its own address. That other mail comes to that address is for somebody else to see.

So held is what makes mail of one address leave by way of another one: an alias, forward or catch-all that leads to an
address with a way out, a domain that comes to stand for one with such addresses, a way out for one that others lead to,
and a domain or client that comes back with any of these.
A domain nobody serves yet counts as served: its proof is asked of nobody. What leaves by an exception of its own is
judged by forwarding, and by a transport by handed_over; by a pattern that is allowed, it may.

Mail may go through another client and back. So it is followed over all clients, when a change is proposed, by whomever,
and when it is applied; told is only which addresses of the change's own client it is about.
"""

from collections.abc import Iterator, Sequence

from postroom.access.overlooking import overlooking
from postroom.changes.brought import inside_then, returning
from postroom.changes.landing import Moved, diff
from postroom.changes.policy import Proposed, Verdict, hold
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Domain,
    Forward,
    Mailbox,
    Organization,
    RouteException,
    Transport,
)
from postroom.models.routes import patterns_at
from postroom.protocols.patterns import matches
from postroom.protocols.routing import Trace

from .landing import MOST, named, seen

WAYS = (Alias, Forward, CatchAll, RouteException, Transport)
WORDS = "mail to {} would leave by way of another address, which has a way out of its own"


def led_out(proposed: Proposed) -> Verdict | None:
    """Hold what makes mail of an address leave by way of another."""
    if not proposed.access.actor.limited:
        return None  # what follows from a change was looked at with it
    opens = _opens(proposed)
    if not opens and not _caught(proposed):
        return None
    with overlooking():
        found = diff(proposed.plan.edits, proposed.state.now, most=MOST, proven=True)
        led = list(_led(proposed, found.moved, opens=opens))
    said = [*named(WORDS, led, _names(proposed, led))]
    said += [f"whether mail to {found.more} more addresses would leave is not followed"] if found.more else []
    return hold(led_out, "; ".join(said)) if said else None


def _opens(proposed: Proposed) -> bool:
    """Whether mail goes on where it did not, but to who answers for the role addresses of every domain."""
    if returning(proposed):
        return True
    if any((m.then or {}).get("alias_of_id") != (m.now or {}).get("alias_of_id") for m in proposed.moves(Domain)):
        return True
    opened = {to for m in proposed.moves(*WAYS) for to in m.opens}
    return bool(opened) and not opened <= set(Organization.objects.values_list("postmaster", flat=True))


def _caught(proposed: Proposed) -> bool:
    """Whether what was an address of its own may be caught where all is."""
    if not any(m.closes for m in proposed.moves(Alias, Forward, Mailbox, Transport)):
        return False
    caught = CatchAll.objects.filter(client=proposed.plan.client, removed_at=None, until__gt=proposed.state.now)
    return bool(caught.exists())


def _names(proposed: Proposed, led: Sequence[Moved]) -> set[str]:
    """Those its proposer sees, and those it is about that are no address yet."""
    every = {one.address for one in led}
    there = set(Address.objects.filter(address__in=every).values_list("address", flat=True)) if every else set()
    return {*seen(proposed, every), *({one.address for one in led if one.own} - there)}


def _led(proposed: Proposed, moved: Sequence[Moved], *, opens: bool) -> Iterator[Moved]:
    """Of a plan that only ends something, not what left before: an end of a leak waits for nobody."""
    ours, allowed = inside_then(proposed), patterns_at(proposed.plan.client)[0]
    out = {one: targets for one in moved if (targets := _out(one, ours)) and (opens or not _left(one, ours))}
    own = _own(proposed, [one.address for one in out]) if out else set()
    for one, targets in out.items():
        if any((one.address, to) not in own and not matches(allowed, to) for to in targets):
            yield one


def _out(one: Moved, ours: set[str]) -> set[str]:
    """Where its mail leaves the client to only after this, and not by a route of its own. What becomes of it out there
    is not followed: who approves may see less of it than who proposed."""
    known = {to for _, to in _exits(one.address, one.before, ours)}
    return {to for at, to in _exits(one.address, one.after, ours) if to not in known and at != one.address}


def _left(one: Moved, ours: set[str]) -> bool:
    return bool(_exits(one.address, one.before, ours))


def _exits(address: str, trace: Trace, ours: set[str]) -> set[tuple[str, str]]:
    """At which address of the client mail leaves it, and to where."""
    here = {*ours, address.rpartition("@")[2]}
    hops = {(hop.at, to) for hop in trace.hops if hop.at.rpartition("@")[2] in here for to in hop.to}
    return {(at, to) for at, to in hops if not {to, to.rpartition("@")[2]} & here}


def _own(proposed: Proposed, addresses: Sequence[str]) -> set[tuple[str, str]]:
    """(address, target) of the exceptions that stand or are planned along: forwarding judges those."""
    rows = RouteException.objects.filter(address__address__in=addresses, ended_at=None, until__gt=proposed.state.now)
    names = {str(pk): one for pk, one in Address.objects.filter(address__in=addresses).values_list("pk", "address")}
    names |= {m.edit.id: str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    planned = [m.then for m in proposed.moves(RouteException) if m.opens and m.then]
    made = ((names.get(str(row["address_id"]), ""), str(row["target"])) for row in planned)
    return {*rows.values_list("address__address", "target"), *made}
