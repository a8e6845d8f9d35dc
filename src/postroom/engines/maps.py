"""The three files a node serves from: maps.db (who is where), secrets.db (hashes), keys.db (sealed DKIM keys).

SQLite in WAL mode, written in place and by the agent alone. What was learned about it (each was tried):
- The files are never renamed or removed while a daemon runs: Postfix keeps the old inode and answers from it.
- `-wal` and `-shm` must exist when a reader starts, as readers may not make them: so every open writes a row, and no
  close removes them (NO_CKPT_ON_CLOSE where Python can say so; the agent leaves by os._exit anyway).
- Each file has its own generation, since WAL has no transaction over two files.
Every row carries the id of the object it came from, so an object is replaced by delete and insert.
"""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .layout import MAPS, NodeConfig

# `until`: seconds since 1970, null = no end. Two objects may say the same of a route, a sender or a domain; the
# queries say DISTINCT.
# Columns of a primary key stand first and in its order: SQLite 3.40 (Debian 12) otherwise takes sound rows of a table
# WITHOUT ROWID for damage ("NULL value in domain.object", tried).
SCHEMAS = {
    "maps": """
        CREATE TABLE domain(name TEXT, object TEXT, client TEXT, PRIMARY KEY (name, object)) WITHOUT ROWID;
        CREATE TABLE mailbox(address TEXT PRIMARY KEY, object TEXT, quota_mb INT, until INT) WITHOUT ROWID;
        CREATE TABLE route(source TEXT, destination TEXT, object TEXT, until INT,
            PRIMARY KEY (source, destination, object)) WITHOUT ROWID;
        CREATE TABLE handed(address TEXT PRIMARY KEY, object TEXT, host TEXT, port INT, tls INT, until INT)
            WITHOUT ROWID;
        CREATE TABLE alias_domain(name TEXT, target TEXT, object TEXT, until INT,
            PRIMARY KEY (name, target, object)) WITHOUT ROWID;
        CREATE TABLE forbidden(source TEXT, target TEXT, object TEXT,
            PRIMARY KEY (source, target, object)) WITHOUT ROWID;
        CREATE TABLE allowed(source TEXT, target TEXT, object TEXT, until INT,
            PRIMARY KEY (source, target, object)) WITHOUT ROWID;
        CREATE TABLE sender(sender TEXT, login TEXT, object TEXT, until INT,
            PRIMARY KEY (sender, login, object)) WITHOUT ROWID;
        CREATE TABLE behalf(sender TEXT, login TEXT, object TEXT, until INT,
            PRIMARY KEY (sender, login, object)) WITHOUT ROWID;
        CREATE TABLE opens(address TEXT, login TEXT, object TEXT, rights TEXT, until INT,
            PRIMARY KEY (address, login, object)) WITHOUT ROWID;
        CREATE TABLE login(address TEXT PRIMARY KEY, object TEXT, sign_in INT, access_epoch INT, until INT)
            WITHOUT ROWID;
        CREATE TABLE pool(domain TEXT PRIMARY KEY, object TEXT, transport TEXT) WITHOUT ROWID;
        CREATE TABLE consent(cred TEXT PRIMARY KEY, address TEXT, subject TEXT, object TEXT, protocols TEXT, until INT,
            access_epoch INT) WITHOUT ROWID;
        CREATE TABLE token_key(kid TEXT PRIMARY KEY, object TEXT, public TEXT, issuer TEXT, until INT) WITHOUT ROWID;
        CREATE TABLE closing(address TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE closing_cred(cred TEXT PRIMARY KEY, address TEXT) WITHOUT ROWID;
    """,
    "secrets": """
        CREATE TABLE password(address TEXT PRIMARY KEY, object TEXT, hash TEXT, until INT, app_only INT) WITHOUT ROWID;
        CREATE TABLE app(address TEXT, sha256 TEXT, object TEXT, cred TEXT, protocols TEXT, until INT,
            access_epoch INT, PRIMARY KEY (address, sha256)) WITHOUT ROWID;
        CREATE TABLE filter(address TEXT PRIMARY KEY, object TEXT, revision INT, active INT, clears INT, digest TEXT,
            script TEXT) WITHOUT ROWID;
        CREATE TABLE filter_put(object TEXT PRIMARY KEY, address TEXT, revision INT, said TEXT) WITHOUT ROWID;
    """,
    "keys": """
        CREATE TABLE key(domain TEXT, selector TEXT, object TEXT, algorithm TEXT, sealed TEXT, since INT,
            PRIMARY KEY (domain, selector)) WITHOUT ROWID;
    """,
}
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "maps": {
        "domain": ("name", "client"),  # whose it is: filters of one client's mailboxes send nothing to another's
        "mailbox": ("address", "quota_mb", "until"),
        "route": ("source", "destination", "until"),
        # Mail of an address goes to another server; tls: with a certificate of its name, or not at all.
        "handed": ("address", "host", "port", "tls", "until"),
        # Every address of one domain is that of another.
        "alias_domain": ("name", "target", "until"),
        # To where outside a filter may pass mail on: an address, @domain (all of it), @.domain (all below it too).
        "allowed": ("source", "target", "until"),
        "forbidden": ("source", "target"),  # whatever is allowed besides
        "sender": ("sender", "login", "until"),
        # Who may write in From: another's address, with their own in Sender: (from_header.py); never as the envelope's.
        "behalf": ("sender", "login", "until"),
        # Who signs in by `login` opens the mailbox `address`, with these rights of Dovecot's (opening.py).
        "opens": ("address", "login", "rights", "until"),
        "login": ("address", "sign_in", "access_epoch", "until"),
        "pool": ("domain", "transport"),
        # Which app its owner let in, and by which keys its tokens are signed (bearer.py): neither is a secret.
        "consent": ("address", "cred", "subject", "protocols", "access_epoch", "until"),
        "token_key": ("kid", "public", "issuer", "until"),
    },
    "secrets": {
        "password": ("address", "hash", "until", "app_only"),
        "app": ("address", "cred", "sha256", "protocols", "access_epoch", "until"),
        # The script that is kept for a mailbox, in base64: no hash, and as private as one (filters.py).
        "filter": ("address", "revision", "active", "clears", "digest", "script"),
    },
    # The newest of each algorithm signs (key_store.py).
    "keys": {"key": ("domain", "selector", "algorithm", "sealed", "since")},
}


GROWN, YES, NO = "grown", "yes", "no"


class MapsDamaged(Exception):
    """A file is no database any more, or not one of ours; `name` says which of the three."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}.db: {why}")
        self.name = name


@dataclass
class Map:
    """One of the three files, opened for writing."""

    name: str
    path: Path
    connection: sqlite3.Connection
    generation: int = 0

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, and the next generation with it. Nothing is there if it raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self._mark("gen", str(self.generation + 1))
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.generation += 1

    def marked(self, key: str) -> str | None:
        row = self.connection.execute("SELECT v FROM canary WHERE k = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def mark(self, key: str, value: str) -> None:
        with self.writing():
            self._mark(key, value)

    def _mark(self, key: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO canary VALUES (?, ?)", (key, value))


@dataclass
class Files:
    """All three, by name."""

    maps: Map
    secrets: Map
    keys: Map
    missing: tuple[str, ...] = field(default=())  # made new by this open

    def __iter__(self) -> Iterator[Map]:
        return iter((self.maps, self.secrets, self.keys))

    def generations(self) -> dict[str, int]:
        return {one.name: one.generation for one in self}

    @property
    def filled(self) -> bool:
        """Each has once held everything the control plane had; until then nothing may be served from them."""
        return all(one.marked("filled") for one in self)


def open_files(config: NodeConfig) -> Files:
    """Open, and make what is missing. Raises MapsDamaged before any of them is written to."""
    missing = tuple(name for name in MAPS if not config.database(name).exists())
    opened: list[Map] = []
    try:
        for name in MAPS:
            opened.append(_open(name, config.database(name)))
    except MapsDamaged:
        for one in opened:
            one.connection.close()
        raise
    maps, secrets, keys = opened
    for one in opened:
        one.mark("opened", str(time.time()))
    return Files(maps, secrets, keys, missing)


def _open(name: str, path: Path) -> Map:
    _create(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        # The flag came with Python 3.12; before it, only os._exit leaves the side files where they are.
        if hasattr(connection, "setconfig"):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)  # type: ignore[attr-defined, unused-ignore]
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _make(name, connection)
        return Map(name, path, connection, _generation(name, connection))
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        raise MapsDamaged(name, str(error)) from error


def _create(path: Path) -> None:
    """An empty file where there is none: never wider open than meant, whatever the umask. Side files take its mode."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, 0o640)
    finally:
        os.close(descriptor)


def _make(name: str, connection: sqlite3.Connection) -> None:
    """The tables, in one transaction: a file that has `canary` is whole."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'canary'").fetchone():
        _grow(name, connection)
        return
    canary = "CREATE TABLE canary(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID; INSERT INTO canary VALUES ('gen', '0');"
    indexes = "".join(f"CREATE INDEX {table}_object ON {table}(object);" for table in COLUMNS[name])
    connection.executescript(f"BEGIN IMMEDIATE; {SCHEMAS[name]} {indexes} {canary} COMMIT;")


def _grow(name: str, connection: sqlite3.Connection) -> None:
    """A file made before some of its tables or columns were: they are added, in place, as readers have it open. What
    belongs there is not there yet: GROWN says so, until all of it was asked for again."""
    for table in re.findall(r"CREATE TABLE (\w+)\(.*?WITHOUT ROWID;", SCHEMAS[name], re.DOTALL):
        new = not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        (statement,) = re.findall(rf"CREATE TABLE {table}\(.*?WITHOUT ROWID;", SCHEMAS[name], re.DOTALL)
        connection.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
        known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        missing = [column for column in COLUMNS[name].get(table, ()) if column not in known]
        for column in missing:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} INT")
        if new or missing:
            connection.execute("INSERT OR REPLACE INTO canary VALUES (?, ?)", (GROWN, YES))
        if table in COLUMNS[name]:
            connection.execute(f"CREATE INDEX IF NOT EXISTS {table}_object ON {table}(object)")


def _generation(name: str, connection: sqlite3.Connection) -> int:
    sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    row = connection.execute("SELECT v FROM canary WHERE k = 'gen'").fetchone()
    if sound != "ok" or row is None:
        raise MapsDamaged(name, "quick_check: " + str(sound) if sound != "ok" else "no generation in it")
    return int(row[0])


def set_aside(config: NodeConfig, name: str) -> Path:
    """Move a damaged file and its side files out of the way; who reads it must be restarted afterwards."""
    path, stamp = config.database(name), time.strftime("%Y%m%dT%H%M%S")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    for end in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + end)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + end))
    return kept
