"""What the three files hold, as digests that the control plane can make from what it compiles (sql/nodes.sql).

Read from the files as they lie there, by their paths and not by the writer's own connections: a file that was put in
another's place is read too. Objects are sorted into 256 buckets by their ids; one whose bucket differs is told with its
rows, of which those of secrets.db and keys.db are digests alone.
"""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from .compile import NODE_ITSELF
from .layout import NodeConfig
from .maps import COLUMNS
from .source import Compiled

SEPARATOR = "\x1f"
TOLD = "maps"  # of the others nothing is said but whether they differ
Row = dict[str, Any]
Rows = dict[str, dict[str, list[tuple[str, Row]]]]  # object → file → (table, row)


def bucket(id: str) -> str:
    return hashlib.md5(id.encode(), usedforsecurity=False).hexdigest()[:2]


def line(file: str, table: str, row: Row) -> str:
    columns = [f"{name}={value}" for name, value in sorted(row.items()) if value is not None]
    return SEPARATOR.join((file, table, *columns))


def digest(lines: set[str]) -> str:
    return _sha256("\n".join(sorted(lines, key=str.encode)))


def buckets(config: NodeConfig, own: Compiled) -> dict[str, str]:
    """bucket → digest of all its objects. Raises sqlite3.Error where a file cannot be read.

    own: the node's own rows, which nobody compiles; left out while they are in the files as they shall be.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for id, files in sorted(_read(config, own).items()):
        found[bucket(id)].append(f"{id} {digest(_lines(files))}")
    return {name: _sha256("\n".join(objects)) for name, objects in sorted(found.items())}


def objects(config: NodeConfig, which: str, own: Compiled) -> dict[str, Any]:
    """object → its digest in each file, and its rows where they may be told; of one bucket."""
    found: dict[str, Any] = {}
    for id, files in _read(config, own).items():
        if bucket(id) == which:
            told: dict[str, list[Row]] = defaultdict(list)
            for table, row in files.get(TOLD, ()):
                told[table].append(row)
            digests = {file: digest({line(file, *one) for one in rows}) for file, rows in files.items()}
            found[id] = {"digests": digests, "rows": told}
    return found


def _lines(files: Mapping[str, Iterable[tuple[str, Row]]]) -> set[str]:
    return {line(file, *one) for file, rows in files.items() for one in rows}


def _read(config: NodeConfig, own: Compiled) -> Rows:
    found: Rows = defaultdict(lambda: defaultdict(list))
    for file, tables in COLUMNS.items():
        with closing(sqlite3.connect(f"file:{config.database(file)}?mode=ro", uri=True, timeout=10)) as connection:
            for table, columns in tables.items():
                for id, row in _rows(connection, table, columns):
                    found[id][file].append((table, row))
    ours = {file: [(table, row) for table, rows in tables.items() for row in rows] for file, tables in own.items()}
    if _lines(found.get(NODE_ITSELF, {})) == _lines(ours):
        found.pop(NODE_ITSELF, None)
    return found


def _rows(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    for id, *values in connection.execute(f"SELECT object, {', '.join(columns)} FROM {table}"):
        yield str(id), dict(zip(columns, values, strict=True))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
