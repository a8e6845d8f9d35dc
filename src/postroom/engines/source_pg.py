"""The control plane's PostgreSQL as a source: four functions and a NOTIFY channel, reached again by itself.

    node_pull(int) → (todo bigint, object text, id uuid, change uuid, compiled jsonb)
    node_ack(bigint[], jsonb)      the evidence is a JSON list as long as the array, one list of answers each
    node_report(text, jsonb)       node_rebuild()      LISTEN postroom_node

Each call is its own transaction (autocommit): a call that fails half-way did nothing.
"""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import psycopg
from psycopg.types.json import Jsonb

from .source import Compiled, Evidence, Sort, SourceAway, Todo

log = logging.getLogger("postroom.agent")
CHANNEL = "postroom_node"
# A server that is there but does not answer must not hold the agent: ends by time still have to be kicked.
OPTIONS = {"connect_timeout": 5, "options": "-c statement_timeout=60s", "keepalives_idle": 10, "keepalives_count": 3}
T = TypeVar("T")


class PgSource:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def pull(self, at_most: int) -> list[Todo]:
        query = "SELECT todo, object, id, change, compiled FROM node_pull(%s)"
        rows = self._asked(lambda connection: connection.execute(query, (at_most,)).fetchall())
        return [Todo(todo, cast(Sort, sort), id, change, _read(compiled)) for todo, sort, id, change, compiled in rows]

    def ack(self, agreed: Sequence[tuple[int, Evidence]]) -> None:
        if agreed:
            numbers, evidence = [todo for todo, _ in agreed], [one for _, one in agreed]
            self._asked(lambda connection: connection.execute("SELECT node_ack(%s, %s)", (numbers, Jsonb(evidence))))

    def report(self, sort: str, rows: Sequence[dict[str, Any]]) -> None:
        self._asked(lambda connection: connection.execute("SELECT node_report(%s, %s)", (sort, Jsonb(list(rows)))))

    def rebuild(self) -> None:
        self._asked(lambda connection: connection.execute("SELECT node_rebuild()"))

    def wait(self, seconds: float) -> bool:
        """Away, it is slept instead: the loop goes on either way."""
        try:
            connection = self._connected()
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        except SourceAway:
            time.sleep(min(seconds, 1))
        except psycopg.Error as error:
            self._lost(error)
        return False

    def _asked(self, call: Callable[[psycopg.Connection[tuple[Any, ...]]], T]) -> T:
        try:
            return call(self._connected())
        except psycopg.Error as error:
            self._lost(error)
            raise SourceAway(str(error)) from error

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            try:
                self._connection = psycopg.connect(self.dsn, autocommit=True, **cast(dict[str, Any], OPTIONS))
                self._connection.execute(f"LISTEN {CHANNEL}")
            except psycopg.Error as error:
                self._lost(error)
                raise SourceAway(str(error)) from error
            log.info("connected")
        return self._connection

    def _lost(self, error: psycopg.Error) -> None:
        log.warning("control plane: %s", str(error).strip())
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = None


def _read(compiled: Any) -> Compiled | None:
    return cast(Compiled, json.loads(compiled)) if isinstance(compiled, str) else compiled
