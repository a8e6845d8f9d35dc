"""Does the record still say what was signed? Worked out from the rows alone, trusting nothing but the signer's key.

Every leaf is hashed again from its lines, every root from the leaves, and held against every checkpoint that is known,
those kept outside of the database too. By whose a line is, row security lets it be read, and no hash holds that: each
is held against its entry, which is held against what was hashed. What differs is said with its place; nothing is ever
put right here.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, groupby, product
from operator import itemgetter
from typing import Any
from uuid import UUID

import psycopg

from postroom.protocols import entry, merkle, note

from .stored import Erased, Stored, about

SETTLED = "10 seconds"  # an entry has its place by then
AT_ONCE = 2_000
# A line comes whole, as one text: taking it apart and writing it canonically is what a long record takes its time for.
LOG = (
    "SELECT p.log_index, p.client_index, p.client_id::text, e.id, e.client_id::text, e.version, e.leaf, e.at,"
    ' jsonb_build_array(x."table", x."row", x.before, x.after)::text, x.salt, x.hashed'
    " FROM places p LEFT JOIN entries e ON e.id = p.entry_id LEFT JOIN edits x ON x.entry_id = e.id"
)
JUST_ERASED = (
    "SELECT e.client_id::text, x.after FROM entries e JOIN edits x ON x.entry_id = e.id"
    """ LEFT JOIN places p ON p.entry_id = e.id WHERE x."table" = 'erasures' AND x.before IS NULL"""
    " AND (p.entry_id IS NULL OR p.client_id IS NOT DISTINCT FROM e.client_id)"
    " AND CASE WHEN p.log_index IS NULL THEN e.at BETWEEN now() - %s::interval AND now() + %s::interval"
    " ELSE p.log_index >= %s END"
)
WITHOUT_PLACE = (
    "SELECT e.id FROM entries e WHERE e.at < now() - %s::interval"
    " AND NOT EXISTS (SELECT FROM places p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT 20"
)
# In one pass over both tables, in the order of their keys: a look-up a line would take longer than all the hashing.
ASTRAY = (
    "SELECT x.entry_id, x.n, (SELECT p.log_index FROM places p WHERE p.entry_id = x.entry_id) FROM edits x"
    " LEFT JOIN entries e ON e.id = x.entry_id WHERE (e.id IS NULL OR x.client_id IS DISTINCT FROM e.client_id)"
)
FIRST = " ORDER BY x.entry_id, x.n LIMIT 20"


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

    def __post_init__(self) -> None:
        self._node: merkle.Nodes = lru_cache(maxsize=1 << 16)(partial(node, self.connection))

    def whole(self) -> Verdict:
        """All of it, from the first entry on."""
        found = Verdict()
        roots = self._roots(found)
        tree, nexts, versions = merkle.Frontier(), dict[str | None, int](), dict[str | None, int]()
        erased = Erased()
        for one in _log(self.connection, LOG + " ORDER BY p.log_index, x.n", ()):
            leaf = hashed(one)
            found.problems += _of_place(one, tree.size, nexts)
            found.problems += _of_entry(one, leaf, versions)
            found.problems += erased.of(one, leaf)
            for _ in tree.append(leaf):
                pass
            if tree.size in roots:
                found.problems += _of_root(tree, roots.pop(tree.size))
        found.entries = tree.size
        found.problems += [f"{size:,} entries were signed, {tree.size:,} are there" for size in sorted(roots)]
        found.problems += self._unaccounted(erased)
        found.problems += self._without_place()
        found.problems += self._astray(ASTRAY + FIRST)
        return found

    def of_client(self, client: UUID) -> Verdict:
        """One client's entries alone: each hashed again and led by the tree to the newest checkpoint's root.

        Every other checkpoint is shown to be the beginning of that, so each entry stands in those that reach it.
        """
        found = Verdict()
        roots = self._roots(found)
        size = max(roots, default=0)
        found.problems += self._grown(roots, size)
        nexts, versions, erased = dict[str | None, int](), dict[str | None, int](), Erased()
        for one in entries_of(self.connection, client):
            leaf = hashed(one)
            found.problems += _of_place(one, one.place, nexts)
            found.problems += _of_entry(one, leaf, versions)
            found.problems += erased.of(one, leaf)
            if one.place < size:
                found.problems += self._included(leaf, one.place, size, roots[size])
            found.entries += 1
        found.problems += self._unaccounted(erased)
        found.problems += self._astray(f"{ASTRAY} AND %s IN (x.client_id, e.client_id) {FIRST}", client)
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

    def _grown(self, roots: dict[int, set[bytes]], newest: int) -> Iterator[str]:
        """Is every checkpoint the beginning of the newest (RFC 9162, 2.1.4)? Then what is in that one was in those.

        A root worked out from the tree's nodes alone would not do: nodes that only an old one needs could be left as
        they were below others that lead to another root.
        """
        try:
            for size in sorted(roots):
                proof = merkle.consistency(size, newest, self._node)
                for old, new in product(roots[size], roots[newest]):
                    yield from _of_growth(size, newest, old, new, proof)
        except LookupError as gone:
            yield f"{newest:,} entries were signed, and {gone}"

    def _included(self, leaf: bytes, place: int, size: int, roots: set[bytes]) -> Iterator[str]:
        try:
            proof = merkle.inclusion(place, size, self._node)
            for root in roots:
                merkle.check_inclusion(leaf, place, size, proof, root)
        except (merkle.BadProof, LookupError) as bad:
            yield f"entry at {place:,}: {bad}"

    def _unaccounted(self, erased: Erased) -> Iterator[str]:
        """What was erased a moment ago is recorded by an entry that has no place yet, or got it since."""
        if erased.waiting:
            for client, after in self._rows(JUST_ERASED, SETTLED, SETTLED, erased.size):
                for _ in erased.accounted(client, after):
                    pass
        yield from erased.left()

    def _without_place(self) -> Iterator[str]:
        yield from (f"entry {id} has no place in the log" for (id,) in self._rows(WITHOUT_PLACE, SETTLED))

    def _astray(self, query: str, *values: Any) -> Iterator[str]:
        """Lines that are shown to another client than their entry is of, or that have none."""
        for entry_id, n, place in self._rows(query, *values):
            where = f"entry {entry_id}" if place is None else f"entry at {place:,}"
            yield f"{where}: line {n} stands at another client than it is of"

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), values).fetchall()


def entries_of(connection: "psycopg.Connection[Any]", client: UUID) -> Iterator[Stored]:
    """One client's entries in their order."""
    yield from _log(connection, LOG + " WHERE p.client_id = %s ORDER BY p.client_index, x.n", (client,))


def node(connection: "psycopg.Connection[Any]", level: int, index: int) -> bytes:
    """A whole subtree's hash; LookupError where the tree has none."""
    query = "SELECT hash FROM tree_nodes WHERE level = %s AND index = %s"
    for (one,) in connection.execute(query, [level, index]).fetchall():
        return bytes(one)
    raise LookupError(f"the tree has no node {level}/{index}")


def _log(connection: "psycopg.Connection[Any]", query: str, values: Sequence[Any]) -> Iterator[Stored]:
    """Read as they are asked for."""
    with connection.transaction(), connection.cursor(name="log", binary=True) as cursor:
        cursor.itersize = AT_ONCE
        for _, rows in groupby(cursor.execute(query.encode(), values), key=itemgetter(0)):
            head = next(rows)
            lines = [
                (json.loads(text), salt, kept) for *_, text, salt, kept in chain((head,), rows) if salt is not None
            ]
            yield Stored._make((*head[:-3], lines))


def hashed(one: Stored) -> bytes:
    """Its leaf as it was hashed when it was written, from the lines as they are stored now."""
    return entry.leaf(
        entry.salted(salt, entry.encode(line).encode()) if kept is None else kept for line, salt, kept in one.lines
    )


def _of_place(one: Stored, expected: int, nexts: dict[str | None, int]) -> Iterator[str]:
    if one.id is None:
        yield f"entry at {one.place:,}: there is none"
    if one.place != expected:
        yield f"entry at {one.place:,}: {expected:,} was due"
    if one.client != one.whose:
        yield f"entry at {one.place:,}: its place is of another client than it is"
    due = nexts.get(one.client, 0)
    if one.number != due:
        yield f"entry at {one.place:,}: number {one.number:,} of its client, {due:,} was due"
    nexts[one.client] = one.number + 1


def _of_entry(one: Stored, leaf: bytes, versions: dict[str | None, int]) -> Iterator[str]:
    if one.id is None:
        return
    if one.leaf != leaf:
        yield f"entry at {one.place:,}: what it holds is not what was recorded"
    whole = bool(one.lines) and one.lines[0][2] is None  # what an erased head said is kept by its erasure (erased.py)
    after = one.lines[0][0][3] if whole else None
    said = after if isinstance(after, dict) else {}
    if whole and said.get("client_id") != one.whose:
        yield f"entry at {one.place:,}: it was recorded at another client"
    if whole and not about(one.at, said.get("at")):
        yield f"entry at {one.place:,}: its time is not what was recorded"
    if (one.version is not None) != (len(one.lines) > 1):
        yield f"entry at {one.place:,}: what changed something is a version, and nothing else is"
    if one.version is not None:
        if whole and said.get("version") != one.version:
            yield f"entry at {one.place:,}: version {one.version:,} is not what was recorded"
        due = versions.get(one.whose, 0) + 1
        if one.version != due:
            yield f"entry at {one.place:,}: version {one.version:,} of its client, {due:,} was due"
        versions[one.whose] = one.version


def _of_growth(size: int, newest: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> Iterator[str]:
    try:
        merkle.check_consistency(size, newest, old, new, proof)
    except merkle.BadProof as bad:
        yield f"the first {size:,} entries are not those that were signed: {bad}"


def _of_root(tree: merkle.Frontier, roots: set[bytes]) -> Iterator[str]:
    if roots != {tree.root()}:
        yield f"the first {tree.size:,} entries are not those that were signed"
