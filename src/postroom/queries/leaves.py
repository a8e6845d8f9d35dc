"""Whether an entry's lines make its leaf: worked out again from what is stored, as `postroom audit verify` does.

An erased line counts by the hash that is left of it, if a later entry of the same client says that it was erased; what
that entry kept of an erased head is how such an entry is still found and said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from postroom.access.acting import Actor, access_of
from postroom.access.scope import visible
from postroom.changes.erase import hashed
from postroom.models import Entry, Erasure, RecordedEdit
from postroom.protocols import entry

Fits = Literal["fits", "altered", "unknown"]
HASH = 32
VIEW = "entries.view"


@dataclass
class Lines:
    """What was read of one entry's lines: their hashes in order, which are erased, and whether each is whole."""

    hashes: list[bytes] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    whole: bool = True

    def take(self, line: RecordedEdit) -> None:
        self.whole &= line.n == len(self.hashes)
        if line.hashed is not None:
            self.erased.append(line.n)
            left = bytes(line.salt) or line.before is not None or line.after is not None
            self.whole &= len(line.hashed) == HASH and not left
        self.hashes.append(hashed(line))


class Erased:
    """What later entries say was erased of these: entry → line → what is kept of it. One query, where any was."""

    def __init__(self, actor: Actor, entries: Iterable[int]) -> None:
        gone = sorted(set(entries))
        self.narrow = access_of(actor).narrow  # of whom not every erasure is shown to
        self.by: dict[int, list[tuple[int, UUID | None, Mapping[str, Any]]]] = {}
        if gone:
            rows = visible(actor, Erasure, VIEW).filter(entry__in=gone).values("pk")
            said = RecordedEdit.objects.filter(table=Erasure._meta.db_table, before__isnull=True, row__in=rows)
            for number, client, after in said.values_list("entry_id", "client_id", "after"):
                self.by.setdefault((after or {}).get("entry_id", 0), []).append((number, client, after or {}))

    def of(self, row: Entry) -> dict[int, Mapping[str, Any]]:
        """line → what is kept of it, as entries say that are later, of the same client, and name this very leaf."""
        leaf = bytes(row.leaf).hex()
        return {
            line["n"]: line.get("kept") or {}
            for number, client, after in self.by.get(row.pk, ())
            if number > row.pk and client == row.client_id and after.get("leaf") == leaf
            for line in after["lines"]
        }

    def fits(self, row: Entry, lines: Lines) -> Fits:
        if not lines.whole or entry.leaf(lines.hashes) != bytes(row.leaf):
            return "altered"
        if set(lines.erased) <= self.of(row).keys():
            return "fits"
        return "unknown" if self.narrow else "altered"
