"""What was read of each script, by its text, kept over a restart of the agent: one small SQLite file of its own.

A script is taken apart once for each version of the compiler and of the reader. Used by one thread.
"""

import json
import logging
import sqlite3
import time
from pathlib import Path
from typing import Any

log = logging.getLogger("postroom.agent")
KEPT_FOR, SEEN_EVERY = 90 * 86400, 86400  # seconds
TABLE = """CREATE TABLE IF NOT EXISTS known(digest TEXT, reader TEXT, said TEXT, seen REAL,
    PRIMARY KEY (digest, reader)) WITHOUT ROWID"""


class SieveKnown:
    """A file that is damaged is begun anew. reader: what read it, in words. What cannot be kept is read again."""

    def __init__(self, path: Path, reader: str) -> None:
        self.reader = reader
        try:
            self.connection = _opened(path)
        except sqlite3.DatabaseError as error:
            log.error("%s: %s; begun anew", path, error)
            path.unlink(missing_ok=True)
            self.connection = _opened(path)

    def get(self, digest: str) -> dict[str, Any] | None:
        now = time.time()
        try:
            row = self.connection.execute(
                "SELECT said, seen FROM known WHERE digest = ? AND reader = ?", (digest, self.reader)
            ).fetchone()
            if row is not None and row[1] < now - SEEN_EVERY:
                self.connection.execute(
                    "UPDATE known SET seen = ? WHERE digest = ? AND reader = ?", (now, digest, self.reader)
                )
        except sqlite3.Error as error:
            log.error("known scripts: %s", error)
            return None
        return None if row is None else dict(json.loads(row[0]))

    def keep(self, digest: str, said: dict[str, Any]) -> None:
        now = time.time()
        try:
            self.connection.execute(
                "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", (digest, self.reader, json.dumps(said), now)
            )
            self.connection.execute("DELETE FROM known WHERE seen < ?", (now - KEPT_FOR,))
        except sqlite3.Error as error:
            log.error("known scripts: %s", error)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.2)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # what a power cut forgets is read once more
        connection.execute(TABLE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
