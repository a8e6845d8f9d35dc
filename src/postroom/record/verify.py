"""Does the record still say what was signed? Worked out from the rows alone, trusting nothing but the signer's key.

Every leaf is hashed again from its lines, every root from the leaves, and held against every checkpoint that is known,
those kept outside of the database too. What differs is said with its place; nothing is ever put right here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import psycopg

from postroom.protocols import entry, merkle, note

SETTLED = "10 seconds"  # an entry has its place by then
AT_ONCE = 2_000
LASTS = timedelta(minutes=15)  # a transaction, and two clocks; longer ones are ended (cluster.py)
LOG = (
    "SELECT p.log_index, p.client_index, p.client_id, e.id, e.client_id, e.version, e.leaf, e.at,"
    ' x."table", x."row"::text, x.before, x.after, x.salt'
    " FROM places p LEFT JOIN entries e ON e.id = p.entry_id LEFT JOIN edits x ON x.entry_id = e.id"
)
WITHOUT_PLACE = (
    "SELECT e.id FROM entries e WHERE e.at < now() - %s::interval"
    " AND NOT EXISTS (SELECT FROM places p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT 20"
)


@dataclass
class Verdict:
    """problems: what is wrong, in the order of the log. signed: how far the newest good checkpoint reaches."""

    entries: int = 0
    signed: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Verification:
    """Over a connection that may read the record's tables; `who` signs the log, `trusted` are notes kept elsewhere."""

    connection: "psycopg.Connection[Any]"
    who: note.Verifier
    trusted: Sequence[str] = ()

    def whole(self) -> Verdict:
        """All of it, from the first entry on."""
        found = Verdict()
        roots = self._roots(found)
        tree, nexts, versions = merkle.Frontier(), dict[UUID | None, int](), dict[UUID | None, int]()
        for place, rows in _log(self.connection, LOG + " ORDER BY p.log_index, x.n", ()):
            head, leaf = rows[0], _leaf(rows)
            found.problems += _of_place(place, head, tree.size, nexts)
            found.problems += _of_entry(rows, leaf, versions)
            for _ in tree.append(leaf):
                pass
            found.problems += _of_root(tree, roots.pop(tree.size, set()))
        found.entries = tree.size
        found.problems += [f"{size:,} entries were signed, {tree.size:,} are there" for size in sorted(roots)]
        found.problems += self._without_place()
        return found

    def of_client(self, client: UUID) -> Verdict:
        """One client's entries alone: each hashed again and led to the newest checkpoint's root by the tree."""
        found = Verdict()
        roots = self._roots(found)
        size = max(roots, default=0)
        nexts, versions = dict[UUID | None, int](), dict[UUID | None, int]()
        for place, rows in entries_of(self.connection, client):
            head, leaf = rows[0], _leaf(rows)
            found.problems += _of_place(place, head, place, nexts)
            found.problems += _of_entry(rows, leaf, versions)
            if place < size:
                found.problems += self._included(leaf, place, size, roots[size])
            found.entries += 1
        return found

    def _roots(self, found: Verdict) -> dict[int, set[bytes]]:
        """size → what was signed as its root. A checkpoint that is not good is a problem and counts for nothing."""
        roots: dict[int, set[bytes]] = {}
        for said in [*self.trusted, *(row[0] for row in self._rows("SELECT note FROM checkpoints ORDER BY size"))]:
            try:
                one = note.checkpoint(note.opened(said, self.who))
                if one.origin != self.who.name:
                    raise note.BadNote(f"it is of another log, {one.origin}")
            except note.BadNote as bad:
                found.problems.append(f"a checkpoint is no good: {bad}")
                continue
            roots.setdefault(one.size, set()).add(one.root)
        found.signed = max(roots, default=0)
        return roots

    def _included(self, leaf: bytes, place: int, size: int, roots: set[bytes]) -> Iterator[str]:
        try:
            proof = merkle.inclusion(place, size, self._node)
            for root in roots:
                merkle.check_inclusion(leaf, place, size, proof, root)
        except (merkle.BadProof, LookupError) as bad:
            yield f"entry at {place:,}: {bad}"

    def _node(self, level: int, index: int) -> bytes:
        return node(self.connection, level, index)

    def _without_place(self) -> Iterator[str]:
        yield from (f"entry {id} has no place in the log" for (id,) in self._rows(WITHOUT_PLACE, SETTLED))

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), values).fetchall()


def entries_of(connection: "psycopg.Connection[Any]", client: UUID) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """One client's entries in their order: (place in the log, rows of LOG)."""
    yield from _log(connection, LOG + " WHERE p.client_id = %s ORDER BY p.client_index, x.n", (client,))


def node(connection: "psycopg.Connection[Any]", level: int, index: int) -> bytes:
    """A whole subtree's hash; LookupError where the tree has none."""
    query = "SELECT hash FROM tree_nodes WHERE level = %s AND index = %s"
    for (one,) in connection.execute(query, [level, index]).fetchall():
        return bytes(one)
    raise LookupError(f"the tree has no node {level}/{index}")


def _log(
    connection: "psycopg.Connection[Any]", query: str, values: Sequence[Any]
) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """(place in the log, its rows: one a line of the entry), read as they are asked for."""
    with connection.transaction(), connection.cursor(name="log") as cursor:
        cursor.itersize = AT_ONCE
        for place, rows in groupby(cursor.execute(query.encode(), values), key=itemgetter(0)):
            yield place, list(rows)


def _leaf(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """As it was hashed when it was written, from the lines as they are stored now."""
    return entry.leaf(
        entry.salted(bytes(salt), entry.line(table, row, _json(before), _json(after)))
        for *_, table, row, before, after, salt in rows
        if salt is not None
    )


def _json(value: Any) -> str | None:
    return None if value is None else entry.encode(value)


def _of_place(place: int, head: tuple[Any, ...], expected: int, nexts: dict[UUID | None, int]) -> Iterator[str]:
    _, own, client, id, whose, *_ = head
    if id is None:
        yield f"entry at {place:,}: there is none"
    if place != expected:
        yield f"entry at {place:,}: {expected:,} was due"
    if client != whose:
        yield f"entry at {place:,}: its place is of another client than it is"
    if own != nexts.get(client, 0):
        yield f"entry at {place:,}: number {own:,} of its client, {nexts.get(client, 0):,} was due"
    nexts[client] = own + 1


def _of_entry(rows: Sequence[tuple[Any, ...]], leaf: bytes, versions: dict[UUID | None, int]) -> Iterator[str]:
    place, _, _, id, client, version, stored, at, table, _, _, after, _ = rows[0]
    if id is None:
        return
    if stored is None or bytes(stored) != leaf:
        yield f"entry at {place:,}: what it holds is not what was recorded"
    said = after if isinstance(after, dict) else {}
    if table is not None and said.get("client_id") != (str(client) if client else None):
        yield f"entry at {place:,}: it was recorded at another client"
    if table is not None and not _about(at, said.get("at")):
        yield f"entry at {place:,}: its time is not what was recorded"
    if (version is not None) != (len(rows) > 1):
        yield f"entry at {place:,}: what changed something is a version, and nothing else is"
    if version is not None:
        if said.get("version") != version:
            yield f"entry at {place:,}: version {version:,} is not what was recorded"
        if version != versions.get(client, 0) + 1:
            yield f"entry at {place:,}: version {version:,} of its client, {versions.get(client, 0) + 1:,} was due"
        versions[client] = version


def _about(at: datetime, said: Any) -> bool:
    """The database's time of an entry and its writer's own, in whole seconds, are those of one transaction."""
    return isinstance(said, str) and abs(at - datetime.fromisoformat(said)) <= LASTS


def _of_root(tree: merkle.Frontier, roots: set[bytes]) -> Iterator[str]:
    if roots and roots != {tree.root()}:
        yield f"the first {tree.size:,} entries are not those that were signed"
