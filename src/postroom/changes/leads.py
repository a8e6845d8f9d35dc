"""Where an address's mail would go on to: what a target may be. Whether it comes back policies/loops.py judges."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from postroom.models import Address, Alias, Domain
from postroom.models.routes import Inside
from postroom.models.routes import inside as within
from postroom.protocols.extensions import parts

from .errors import Problem
from .kind import Ref
from .state import State

OUTSIDE = "is outside this client; mail that leaves comes as a forward, by exception"


def named(targets: Iterable[str]) -> Iterator[Ref]:
    """What is read of targets, for all of them at once."""
    for one in targets:
        yield Address, one
        yield Address, parts(one)[0]
        yield Alias, one


def inside(targets: tuple[str, ...], client: UUID, state: State, *, itself: str, where: str = "targets") -> list[str]:
    """The targets, once each, all of this client (of a role account also the organization's postmaster); else a Problem
    with each."""
    wanted = list(dict.fromkeys(targets))
    away = [one for one in wanted if leaves(one, client, state, of=itself)]
    if wrong := [f"{one} {OUTSIDE}" for one in away] + list(wrong_ways(wanted, client, state, itself=itself)):
        raise Problem(where, "; ".join(wrong))
    return wanted


def leaves(target: str, client: UUID, state: State, *, of: str) -> bool:
    """Whether what goes there leaves the client: not to what is inside, nor to the domain of `of`, whose mail it is."""
    return not _ours(client, state).beside(_domain(of)).keeps(target, of=of)


def wrong_ways(targets: list[str], client: UUID, state: State, *, itself: str) -> Iterator[str]:
    """What is wrong with passing mail of `itself` on to these, in words: to nobody, or to itself."""
    if itself in targets:
        yield f"{itself} would pass mail to itself"
    yield from (
        f"{one} is {itself} by another name: mail would come back to it"
        for one in targets
        if itself in _twins_of(one, client, state) and not any(_held(at, client, state) for at in _bare(one))
    )
    ours = _ours(client, state).beside(_domain(itself))
    theirs = (one for one in targets if _domain(one) in ours.domains and one != ours.postmaster)
    yield from (
        f"{one} does not exist yet"
        for one in theirs
        if not any(_held(at, client, state) for at in _found(one, client, state))
    )


def _found(target: str, client: UUID, state: State) -> Iterator[str]:
    """By what mail to a target finds where it lands: the address, without an extension, or its twin at the domain that
    its own stands for."""
    yield from (*_bare(target), *_twins_of(target, client, state))


def _bare(target: str) -> list[str]:
    return list(dict.fromkeys((target, parts(target)[0])))


def _twins_of(target: str, client: UUID, state: State) -> list[str]:
    other = state.once(f"twins of {client}", lambda: _twins(client)).get(_domain(target))
    return [f"{one.rpartition('@')[0]}@{other}" for one in _bare(target)] if other else []


def _held(address: str, client: UUID, state: State) -> bool:
    row = state.there(Address, address)
    return row is not None and row.client_id == client


def _twins(client: UUID) -> dict[str, str]:
    rows = Domain.objects.filter(client=client, removed_at=None, alias_of__isnull=False, alias_of__removed_at=None)
    return dict(rows.values_list("name", "alias_of__name"))


def _ours(client: UUID, state: State) -> Inside:
    return state.once(f"inside of {client}", lambda: within(client))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
