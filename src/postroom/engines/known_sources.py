"""Who is known to which account, kept over a restart of the daemon: one small SQLite file of its own."""

import logging
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path

from .sign_in_counts import KNOWN_FOR, MOST_KNOWN

log = logging.getLogger("postroom.auth_policy")
TABLE = "CREATE TABLE IF NOT EXISTS known(login TEXT, source TEXT, at REAL, PRIMARY KEY (login, source)) WITHOUT ROWID"
NEWEST = "SELECT source FROM known WHERE login = ? ORDER BY at DESC LIMIT ?"
OLDEST = f"DELETE FROM known WHERE login = ? AND source NOT IN ({NEWEST})"


class KnownSources:
    """A file that is damaged is begun anew: its owners are strangers then until they sign in once more."""

    def __init__(self, path: Path) -> None:
        try:
            self.connection = self._opened(path)
        except sqlite3.DatabaseError as error:
            log.error("%s: %s; begun anew", path, error)
            path.unlink(missing_ok=True)
            self.connection = self._opened(path)
        weakref.finalize(self, self.connection.close)

    def _opened(self, path: Path) -> sqlite3.Connection:
        # Used by one thread, and closed by whichever lets go of it last.
        connection = sqlite3.connect(path, isolation_level=None, timeout=0.2, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # what a power cut forgets is known with the next sign-in
            connection.execute(TABLE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def keep(self, login: str, source: str, now: float) -> None:
        try:
            self.connection.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (login, source, now))
            self.connection.execute(OLDEST, (login, login, MOST_KNOWN))
        except sqlite3.Error as error:
            log.error("known sources: %s", error)

    def all(self, now: float) -> Iterator[tuple[str, str, float]]:
        self.connection.execute("DELETE FROM known WHERE at <= ?", (now - KNOWN_FOR,))
        yield from self.connection.execute("SELECT login, source, at FROM known")
