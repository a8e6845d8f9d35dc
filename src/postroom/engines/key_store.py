"""DKIM keys and senders as the milter sees them: read from keys.db and maps.db, unsealed in memory only.

Files are opened for reading and reopened when they, or the index beside them, are not the ones that were opened: a
reader that still holds a removed `-shm` is stale for ever and does not know it (tried).
"""

import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from postroom.protocols.dkim import family

from .own_keys import unsealed
from .signing import Key

REOPEN = 60  # seconds
KEYS = """SELECT domain, selector, algorithm, sealed, coalesce(since, 0) FROM key
    ORDER BY domain, coalesce(since, 0) DESC, selector"""
SENDERS = "SELECT login FROM sender WHERE sender = ? AND (until IS NULL OR until > unixepoch())"
BEHALF = "SELECT 1 FROM behalf WHERE sender = ? AND login = ? AND (until IS NULL OR until > unixepoch())"


class KeyUnusable(Exception):
    """There is a key for this domain and it cannot sign."""


class Reader:
    """One of the node's files, for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[float, tuple[int, ...]] = (0, ())

    def rows(self, query: str, *values: str) -> list[tuple[str, ...]]:
        """Raises sqlite3.Error: then nothing is known."""
        return self._current().execute(query, values).fetchall()

    def generation(self) -> int:
        return int(self.rows("SELECT v FROM canary WHERE k = 'gen'")[0][0])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _current(self) -> sqlite3.Connection:
        seen = tuple(self._inode(end) for end in ("", "-shm"))
        since, opened = self._opened
        if self._connection is None or opened != seen or time.monotonic() - since > REOPEN:
            self.close()
            uri = f"{self.path.as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2, check_same_thread=False)
            self._connection.execute("SELECT v FROM canary").fetchall()  # opens -shm, which may be new
            self._opened = (time.monotonic(), tuple(self._inode(end) for end in ("", "-shm")))
        return self._connection

    def _inode(self, end: str) -> int:
        try:
            return os.stat(f"{self.path}{end}").st_ino
        except FileNotFoundError:
            return 0


@dataclass(frozen=True)
class Held:
    """One key of a domain, as the file has it. since: seconds since 1970 since when it signs."""

    selector: str
    algorithm: str
    sealed: str
    since: int


class KeyStore:
    """Which keys sign for a domain: the newest RSA key on the node and, beside it, the newest Ed25519 key. Of two that
    are as old, the lowest selector. Ed25519 alone signs nothing: not every verifier knows it (RFC 8463, 5).
    """

    def __init__(self, keys: Reader, node_key: PrivateKey) -> None:
        self.reader, self._node_key = keys, node_key
        self._generation = -1
        self._of: dict[str, tuple[Held, ...]] = {}
        self._opened: dict[str, Key] = {}  # sealed → key

    def for_domain(self, domain: str) -> list[tuple[str, Key]]:
        """(selector, key) of each that signs; none if this domain has none here. Raises KeyUnusable, sqlite3.Error."""
        self.refresh()
        for one in self._of.get(domain, ()):
            if one.sealed not in self._opened:
                self._opened[one.sealed] = self._unsealed(domain, one.sealed)
        return [(one.selector, self._opened[one.sealed]) for one in self._of.get(domain, ())]

    def held(self, domain: str) -> tuple[Held, ...]:
        """Those of `for_domain`, unopened. Raises sqlite3.Error."""
        self.refresh()
        return self._of.get(domain, ())

    def refresh(self) -> int:
        """Read again if the file has moved on; its generation."""
        generation = self.reader.generation()
        if generation != self._generation:
            self._of = _signing(self.reader.rows(KEYS))
            left = {one.sealed for held in self._of.values() for one in held}
            self._opened = {sealed: key for sealed, key in self._opened.items() if sealed in left}
            self._generation = generation
        return generation

    def domains(self) -> list[str]:
        self.refresh()
        return sorted(self._of)

    def _unsealed(self, domain: str, sealed: str) -> Key:
        try:
            plain = unsealed(sealed, self._node_key)
            key = load_pem_private_key(plain, None) if plain.startswith(b"-----") else load_der_private_key(plain, None)
        except (CryptoError, ValueError, TypeError) as error:
            raise KeyUnusable(f"{domain}: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise KeyUnusable(f"{domain}: neither an RSA nor an Ed25519 key")
        return key


def _signing(rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Held, ...]]:
    """By domain. rows: as KEYS gives them, the first of each algorithm being the one that signs."""
    found: dict[str, dict[str, Held]] = {}
    for domain, selector, algorithm, sealed, since in rows:
        held = Held(selector, family(algorithm), sealed, since)
        found.setdefault(domain, {}).setdefault(held.algorithm, held)
    return {
        domain: tuple(of[name] for name in ("rsa", "ed25519") if name in of)
        for domain, of in found.items() if "rsa" in of
    }  # fmt: skip
