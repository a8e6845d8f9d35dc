"""Where an address's mail would go on to: what a target may be, and whether it would come back."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from postroom.changes.errors import Problem
from postroom.changes.kind import Ref
from postroom.changes.state import State
from postroom.models import Address, Alias, Forward
from postroom.models.routes import inside as within

OUTSIDE = "is outside this client; mail that leaves comes as a forward, by exception"


def named(targets: Iterable[str]) -> Iterator[Ref]:
    """What is read of targets, for all of them at once."""
    for one in targets:
        yield Address, one
        yield Alias, one


def inside(targets: tuple[str, ...], client: UUID, state: State, *, itself: str, where: str = "targets") -> list[str]:
    """The targets, once each, all of this client (or the organization's postmaster); else a Problem with each."""
    wanted = list(dict.fromkeys(targets))
    away = [one for one in wanted if leaves(one, client, state, of=itself)]
    if wrong := [f"{one} {OUTSIDE}" for one in away] + list(wrong_ways(wanted, client, state, itself=itself)):
        raise Problem(where, "; ".join(wrong))
    return wanted


def leaves(target: str, client: UUID, state: State, *, of: str) -> bool:
    """Whether what goes there leaves the client: not to what is inside, nor to the domain of `of`, whose mail it is."""
    ours = _ours(client, state)
    return target not in ours and _domain(target) not in {*ours, _domain(of)}


def wrong_ways(targets: list[str], client: UUID, state: State, *, itself: str) -> Iterator[str]:
    """What is wrong with passing mail of `itself` on to these, in words: to nobody, to itself, or round and back."""
    if itself in targets:
        yield f"{itself} would pass mail to itself"
    ours = _ours(client, state) | {_domain(itself)}
    held = {one for one in targets if (row := state.there(Address, one)) and row.client_id == client}
    yield from (f"{one} does not exist yet" for one in targets if _domain(one) in ours and one not in held | ours)
    for one in _back_by(targets, itself, state):
        by = "an alias" if state.there(Alias, one) else "a forward"
        yield f"mail to {itself} would come back to it by {one if state.find(Address, one) else f'{by} you do not see'}"


def _ours(client: UUID, state: State) -> set[str]:
    return state.once(f"inside of {client}", lambda: within(client))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _back_by(targets: list[str], itself: str, state: State) -> list[str]:
    """The addresses among what these targets pass mail on to, in any number of steps, that pass it to `itself`."""
    seen: set[str] = {itself}
    back: list[str] = []
    reached = set(targets) - seen
    while reached:
        seen |= reached
        passed = _passed_on(reached, state)
        back += [one for one in sorted(passed) if itself in passed[one]]
        reached = {one for there in passed.values() for one in there} - seen
    return back


def _passed_on(addresses: set[str], state: State) -> dict[str, set[str]]:
    """Where each of these passes its mail on to, by an alias or a forward that stands; whoever sees it."""
    found: dict[str, set[str]] = {}
    for one in sorted(addresses):
        if (row := state.there(Alias, one)) and row.removed_at is None:
            found.setdefault(one, set()).update(row.targets)
        if address := state.there(Address, one):
            going = {row.to for row in state.hanging(Forward, "address_id", address.pk) if Forward.opens(row.row())}
            found.setdefault(one, set()).update(going)
    return found
