"""The sequencer: gives every entry its place in the log and in its client, and keeps the tree over them.

Entries are written without any lock of their own and may be committed in another order than they were numbered in;
what is found late gets a later place, and places never change. However many of it run, one works at a time.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from postroom.protocols import merkle

from . import process

AT_ONCE = 5_000
EVERY = 0.3  # seconds between two looks
LATE = 60.0  # an entry that is committed longer than this after its number was drawn is found by the thorough look
THOROUGH = 600.0
TURN = 7_073_746_472_069  # the advisory lock of whoever works; any number nobody else uses
UNPLACED = (
    "SELECT e.id, e.client_id, e.leaf FROM entries e"
    " WHERE e.id > %s AND NOT EXISTS (SELECT FROM places p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT %s"
)
NEXT = (
    "SELECT c.client, (SELECT max(p.client_index) FROM places p WHERE p.client_id IS NOT DISTINCT FROM c.client)"
    " FROM unnest(%s::uuid[]) c(client)"
)


class Sequencer:
    """Over one connection, as postroom_system."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.tree: merkle.Frontier | None = None
        self.seen: deque[tuple[float, int]] = deque()  # (when, the highest number placed by then)
        self.thorough = 0.0

    def place(self) -> int:
        """Place what has none, at most 5,000 at once: how many."""
        try:
            with self.connection.transaction():
                return self._place()
        except BaseException:
            self.tree = None  # it may be ahead of what was written
            raise

    def _place(self) -> int:
        if not self._one("SELECT pg_try_advisory_xact_lock(%s)", TURN):
            return 0
        size = self._one("SELECT coalesce(max(log_index) + 1, 0) FROM places")
        if self.tree is None or self.tree.size != size:
            self.tree = merkle.frontier(size, self._node)
        rows = self.connection.execute(UNPLACED, [self._floor(), AT_ONCE]).fetchall()
        if rows:
            self._written(rows, self.tree)
            self.seen.append((time.monotonic(), max(id for id, *_ in rows)))
        return len(rows)

    def _written(self, rows: list[tuple[int, UUID | None, bytes]], tree: merkle.Frontier) -> None:
        clients = list(dict.fromkeys(client for _, client, _ in rows))
        last = dict(self.connection.execute(NEXT, [clients]).fetchall())
        nexts = {client: -1 if last[client] is None else last[client] for client in clients}
        with self.connection.cursor() as cursor:
            with cursor.copy("COPY places (entry_id, client_id, log_index, client_index) FROM STDIN") as copy:
                for at, (id, client, _) in enumerate(rows, start=tree.size):
                    nexts[client] += 1
                    copy.write_row((id, client, at, nexts[client]))
            with cursor.copy("COPY tree_nodes (level, index, hash) FROM STDIN") as copy:
                for *_, leaf in rows:
                    for node in tree.append(leaf):
                        copy.write_row(node)

    def _floor(self) -> int:
        """Below it nothing is looked for, but now and then: a transaction may have taken its time."""
        now = time.monotonic()
        if now >= self.thorough:
            self.thorough = now + THOROUGH
            return 0
        floor = 0
        while self.seen and self.seen[0][0] < now - LATE:
            floor = self.seen.popleft()[1]
        if floor:
            self.seen.appendleft((now - LATE, floor))
        return floor

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self._one("SELECT hash FROM tree_nodes WHERE level = %s AND index = %s", level, index))

    def _one(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None


def main() -> None:
    dsn = process.arguments(__doc__, "postroom_system").parse_args().dsn
    process.run(dsn, lambda connection: _turn(Sequencer(connection)))


def _turn(sequencer: Sequencer) -> Callable[[], float]:
    return lambda: EVERY if sequencer.place() < AT_ONCE else 0.0


if __name__ == "__main__":
    main()
