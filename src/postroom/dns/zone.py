"""A zone as it was read, and the whole zone that shall stand: the reading with our changes laid over it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.protocols.rrset import RRset

Key = tuple[str, str]


class ZoneError(Exception):
    """Nothing was written; the message says why."""


class ZoneMoved(ZoneError):
    """A record set is neither as it was planned from nor as it shall be; plan again."""

    def __init__(self, name: str, type: str, expected: RRset | None, found: RRset | None) -> None:
        super().__init__(f"{type} {name}: expected {_said(expected)}, found {_said(found)}")
        self.name, self.type, self.expected, self.found = name, type, expected, found


class CannotStand(ZoneError):
    """The zone as wanted is against the rules of DNS; `problems` lists all."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class RRsetChange:
    """One record set of a zone: as last read, and as it shall stand (None or no values: shall not)."""

    name: str
    type: str
    before: RRset | None
    after: RRset | None

    def __post_init__(self) -> None:
        for side in ("before", "after"):
            rrset: RRset | None = getattr(self, side)
            if rrset is not None and not rrset.values:
                object.__setattr__(self, side, None)

    @property
    def key(self) -> Key:
        return self.name, self.type


@dataclass(frozen=True)
class Zone:
    """The record sets of a zone, of the types we know. `name` has a trailing dot; `exists` is False where it is absent.

    The SOA and sets of other types are not in it: what is not read is never written.
    """

    name: str
    rrsets: Mapping[Key, RRset]
    exists: bool
    at: datetime

    def get(self, name: str, type: str) -> RRset | None:
        return self.rrsets.get((name, type))

    def __iter__(self) -> Iterator[RRset]:
        return iter(sorted(self.rrsets.values()))

    def open_changes(self, changes: Iterable[RRsetChange]) -> list[RRsetChange]:
        """Those still to be written. Raises ZoneMoved at the first that is neither before nor after."""
        waiting = []
        for change in changes:
            found = self.rrsets.get(change.key)
            if found == change.after:
                continue
            if found != change.before:
                raise ZoneMoved(change.name, change.type, change.before, found)
            waiting.append(change)
        return waiting

    def overlay(self, changes: Iterable[RRsetChange]) -> "Zone":
        """The whole zone with the changes in it. Raises ZoneMoved, or CannotStand with all problems."""
        changes = list(changes)
        if problems := [problem for change in changes for problem in _outside(self.name, change)]:
            raise CannotStand(problems)
        rrsets = dict(self.rrsets)
        for change in self.open_changes(changes):
            rrsets.pop(change.key, None)
            if change.after is not None:
                rrsets[change.key] = change.after
        if problems := list(_beside_cname(rrsets, {change.name for change in changes})):
            raise CannotStand(problems)
        return replace(self, rrsets=rrsets)


def _outside(zone: str, change: RRsetChange) -> Iterator[str]:
    if change.name != zone and not change.name.endswith(f".{zone}"):
        yield f"{change.name} does not lie in {zone}"
    if change.type == "SOA" or (change.type == "NS" and change.name == zone):
        yield f"the {change.type} of {zone} is never ours to change"
    for side in (change.before, change.after):
        if side is not None and (side.name, side.type) != change.key:
            yield f"{side.type} {side.name} stands in a change of {change.type} {change.name}"


def _beside_cname(rrsets: Mapping[Key, RRset], names: set[str]) -> Iterator[str]:
    for name in sorted(names):
        types = {type for owner, type in rrsets if owner == name}
        if "CNAME" in types and len(types) > 1:
            others = ", ".join(sorted(types - {"CNAME"}))
            yield f"{name} would have a CNAME beside {others}; a CNAME stands alone (RFC 1034, 3.6.2)"


def _said(rrset: RRset | None) -> str:
    return f"{' | '.join(rrset.values)} (TTL {rrset.ttl})" if rrset else "nothing"
