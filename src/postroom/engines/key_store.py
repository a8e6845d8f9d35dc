"""DKIM keys and senders as the milter sees them: read from keys.db and maps.db, unsealed in memory only.

Files are opened for reading and reopened when they, or the index beside them, are not the ones that were opened: a
reader that still holds a removed `-shm` is stale for ever and does not know it (tried).
"""

import os
import sqlite3
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from .own_keys import unsealed

REOPEN = 60  # seconds
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


class KeyStore:
    """Which key signs for a domain: the lowest selector of those on the node."""

    def __init__(self, keys: Reader, node_key: PrivateKey) -> None:
        self.reader, self._node_key = keys, node_key
        self._generation = -1
        self._of: dict[str, tuple[str, str]] = {}  # domain → selector, sealed
        self._opened: dict[str, rsa.RSAPrivateKey] = {}  # sealed → key

    def for_domain(self, domain: str) -> tuple[str, rsa.RSAPrivateKey] | None:
        """(selector, key), None if this domain has none here. Raises KeyUnusable, sqlite3.Error."""
        self.refresh()
        if domain not in self._of:
            return None
        selector, sealed = self._of[domain]
        if sealed not in self._opened:
            self._opened[sealed] = self._unsealed(domain, sealed)
        return selector, self._opened[sealed]

    def refresh(self) -> int:
        """Read again if the file has moved on; its generation."""
        generation = self.reader.generation()
        if generation != self._generation:
            query = "SELECT domain, selector, sealed FROM key WHERE algorithm LIKE 'rsa%' ORDER BY selector DESC"
            self._of = {domain: (selector, sealed) for domain, selector, sealed in self.reader.rows(query)}
            left = {sealed for _, sealed in self._of.values()}
            self._opened = {sealed: key for sealed, key in self._opened.items() if sealed in left}
            self._generation = generation
        return generation

    def domains(self) -> list[str]:
        self.refresh()
        return sorted(self._of)

    def _unsealed(self, domain: str, sealed: str) -> rsa.RSAPrivateKey:
        try:
            plain = unsealed(sealed, self._node_key)
            key = load_pem_private_key(plain, None) if plain.startswith(b"-----") else load_der_private_key(plain, None)
        except (CryptoError, ValueError, TypeError) as error:
            raise KeyUnusable(f"{domain}: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyUnusable(f"{domain}: not an RSA key")
        return key
