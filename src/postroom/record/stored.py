"""Entries as they stand in the database, and those of their lines whose content was erased.

An erased line counts by the hash that is left of it; but only where a later entry of the same client says that it was
erased. What its head said of time and version is held against what that entry kept of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

LASTS = timedelta(minutes=15)  # a transaction, and two clocks; longer ones are ended (cluster.py)
ERASURES, HASH = "erasures", 32
Line = tuple[list[Any], bytes, bytes | None]


class Stored(NamedTuple):
    """An entry and its place. lines: ([table, row, before, after], salt, the hash that is left of an erased one)."""

    place: int
    number: int
    client: str | None
    id: int | None
    whose: str | None
    version: int | None
    leaf: bytes | None
    at: datetime
    lines: list[Line]


@dataclass
class Gone:
    """An entry with lines that were erased, as long as nothing was found that says so."""

    place: int
    at: datetime
    version: int | None
    lines: set[int]


class Erased:
    """Lines without content, until the entry comes by that accounts for them. Holds no more than these."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str | None, str], Gone] = {}
        self.size = 0  # of the log, as far as it was read

    def of(self, one: Stored, leaf: bytes) -> Iterator[str]:
        """Take note of an entry, in the order of the log; what is wrong with what was erased in it, or by it."""
        self.size = one.place + 1
        for n, (line, salt, kept) in enumerate(one.lines):
            if kept is not None:
                gone = Gone(one.place, one.at, one.version, set())
                self.waiting.setdefault((one.whose, leaf.hex()), gone).lines.add(n)
                if len(kept) != HASH or salt or line[2:] != [None, None]:
                    yield f"entry at {one.place:,}: line {n} is erased, and there is more of it than its hash"
            elif n and line[0] == ERASURES and line[2] is None:
                yield from self.accounted(one.whose, line[3])

    def accounted(self, client: str | None, after: Any) -> Iterator[str]:
        """An erasure of this client was made: `after` names an entry by its leaf, and lines of it."""
        said = after if isinstance(after, dict) else {}
        key = (client, str(said.get("leaf")))
        if (gone := self.waiting.get(key)) is None:
            return
        for line in filter(_names_one, said.get("lines") or ()):
            if line["n"] == 0 and 0 in gone.lines:
                yield from _of_head(gone, line.get("kept") or {})
            gone.lines.discard(line["n"])
        if not gone.lines:
            del self.waiting[key]

    def left(self) -> Iterator[str]:
        for gone in self.waiting.values():
            for n in sorted(gone.lines):
                yield f"entry at {gone.place:,}: line {n} was erased without a record of it"


def _names_one(line: Any) -> bool:
    return isinstance(line, dict) and isinstance(line.get("n"), int)


def _of_head(gone: Gone, kept: dict[str, Any]) -> Iterator[str]:
    if not about(gone.at, kept.get("at")):
        yield f"entry at {gone.place:,}: its time is not what was recorded"
    if gone.version is not None and kept.get("version") != gone.version:
        yield f"entry at {gone.place:,}: version {gone.version:,} is not what was recorded"


def about(at: datetime, said: Any) -> bool:
    """The database's time of an entry and its writer's own, in whole seconds, are those of one transaction."""
    try:
        return isinstance(said, str) and abs(at - datetime.fromisoformat(said)) <= LASTS
    except (ValueError, TypeError):
        return False
