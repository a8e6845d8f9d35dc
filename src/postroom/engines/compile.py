"""Write compiled objects into the three files, in the order in which nothing opens too early or closes too late.

An end is written to secrets.db first and to maps.db second; a start the other way round; so a batch is three
transactions: secrets without what ends, maps, secrets with what starts. Between the last two the sessions that end with
it are ended, so that a session of the new secret is never taken for one of the old. keys.db stands alone. The control
plane compiles (in SQL); here rows are checked for what a generated map must never hold, and written.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from .maps import COLUMNS, Files, Map
from .source import Compiled, Todo

NODE_ITSELF = "00000000-0000-0000-0000-000000000000"  # the object whose rows are the node's own
# What may stand in an address or a name: nothing that separates, quotes or climbs anywhere. The control plane has
# stricter rules; these hold whatever it sends.
SAFE = re.compile(r"[^\x00-\x20\x7f/\\,\"'<>()\[\]:;|%*?]{1,320}")
NAMES = ("address", "source", "destination", "target", "sender", "login", "domain", "name", "selector", "cred", "host")
APP_ONLY = COLUMNS["secrets"]["password"].index("app_only")
# Credentials that end by themselves: file and table (address and cred stand first), and what their names start with.
CREDENTIALS = (("secrets", "app", ""), ("maps", "consent", "oauth:"))

Rows = dict[str, set[tuple[Any, ...]]]


class RowRefused(ValueError):
    """A compiled row that no map may hold; the object is not written."""


@dataclass
class Closed:
    """What ended with a batch: addresses whose sessions must go, app passwords and consents of others whose own must
    (cred → address), and the rows no daemon may answer with again."""

    sessions: set[str] = field(default_factory=set)
    credentials: dict[str, str] = field(default_factory=dict)
    gone: dict[str, dict[str, list[tuple[Any, ...]]]] = field(default_factory=dict)  # object id → table → rows


def checked(compiled: Compiled) -> None:
    """Raises RowRefused with everything wrong in one object."""
    wrong: list[str] = []
    for file, tables in compiled.items():
        for table, rows in tables.items():
            if not rows:
                continue  # of a table that only a newer agent has, nothing is missed
            if file not in COLUMNS or table not in COLUMNS[file]:
                wrong.append(f"{file}.{table}: no such table")
                continue
            for row in rows:
                wrong += [f"{table}: {fault}" for fault in _faults(row, COLUMNS[file][table])]
    if wrong:
        raise RowRefused("; ".join(wrong))


def _faults(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    extra = [f"no column {name}" for name in row if name not in columns]
    names = [
        f"{name} {value!r}"
        for name, value in row.items()
        if name in NAMES and (not isinstance(value, str) or not SAFE.fullmatch(value) or value.startswith(("-", ".")))
    ]
    names += [f"port {row['port']!r}" for _ in "p" if "port" in row and not _is_port(row["port"])]
    lines = [f"{name} with a line end" for name, value in row.items() if isinstance(value, str) and "\n" in value]
    return extra + names + lines


def _is_port(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def write(files: Files, batch: Sequence[Todo], *, between: Callable[[], object] = lambda: None) -> Closed:
    """Bring the files to what the batch says; whose sessions end with it is in `closing` until they are gone.

    between: ends them; called when nobody can sign in with what ended, and nobody yet with what starts.
    """
    compiled = {str(todo.id): todo.compiled or {} for todo in batch}
    closed = Closed()
    had = {name: _now(one, compiled) for name, one in zip(("maps", "secrets", "keys"), files, strict=True)}
    will = {name: {id: _wanted(name, new) for id, new in compiled.items()} for name in had}
    for id in compiled:
        for file in had:
            for table, rows in had[file].get(id, {}).items():
                if lost := rows - will[file][id].get(table, set()):
                    closed.gone.setdefault(id, {})[table] = sorted(lost, key=repr)
    whole = files.secrets.marked("filled") is not None
    closed.sessions = {address for id in compiled for address in _ending(had, will, id, whole=whole)}
    ended = {cred: address for id in compiled for cred, address in _ended(had, will, id).items()}
    closed.credentials = {cred: address for cred, address in ended.items() if address not in closed.sessions}
    close_credentials(files, closed.credentials)  # first of all: once its row is gone nothing else tells that it ended
    ends = {id: _kept(had["secrets"].get(id, {}), rows, closed.sessions) for id, rows in will["secrets"].items()}
    if _differ(had["secrets"], ends):
        _write(files.secrets, ends)
    if _differ(had["maps"], will["maps"]):
        _write(files.maps, will["maps"], closing=closed.sessions)
    elif closed.sessions:
        _write(files.maps, {}, closing=closed.sessions)
    between()
    for one, name in ((files.secrets, "secrets"), (files.keys, "keys")):
        if _differ(_now(one, compiled), will[name]):
            _write(one, will[name])
    return closed


def strays(files: Files) -> int:
    """Take out rows whose object is no id at all: nothing on a list could ever name them. How many there were."""
    count = 0
    for one in files:
        queries = [f"SELECT DISTINCT object FROM {table}" for table in COLUMNS[one.name]]
        found = {str(id) for query in queries for (id,) in one.connection.execute(query) if not _is_id(id)}
        if found:
            _write(one, {id: {} for id in found}, closing=_signed_in(one, found))
        count += len(found)
    return count


def _signed_in(one: Map, ids: Iterable[str]) -> set[str]:
    if one.name != "maps":
        return set()
    query = "SELECT address FROM login WHERE object = ?"
    return {str(address) for id in ids for (address,) in one.connection.execute(query, (id,))}


def _is_id(value: Any) -> bool:
    """As ids are written, and no other spelling of one."""
    try:
        return bool(str(UUID(value)) == value)
    except (ValueError, TypeError, AttributeError):
        return False


def _now(one: Map, ids: Iterable[str]) -> dict[str, Rows]:
    """What the file has of these objects."""
    found: dict[str, Rows] = {}
    for table, columns in COLUMNS[one.name].items():
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE object = ?"
        for id in ids:
            if rows := set(one.connection.execute(query, (id,))):
                found.setdefault(id, {})[table] = rows
    return found


def _wanted(file: str, compiled: Compiled) -> Rows:
    return {
        table: {tuple(_plain(row.get(column)) for column in COLUMNS[file][table]) for row in rows}
        for table, rows in compiled.get(file, {}).items()
        if rows
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return int(value) if isinstance(value, (bool, float)) else value


def _kept(had: Rows, wanted: Rows, closing: Collection[str]) -> Rows:
    """Of what is wanted, what was there under the same name: ends and changes, but no starts.

    A new secret of an address whose sessions end is a start: it is written when they have ended.
    """
    names = {table: {row[0] for row in rows} - set(closing) for table, rows in had.items()}
    return {
        table: {row for row in rows if row[0] in names.get(table, ()) or row in had.get(table, ())}
        for table, rows in wanted.items()
    }


def _differ(had: Mapping[str, Rows], will: Mapping[str, Rows]) -> bool:
    return any(had.get(id, {}) != {table: rows for table, rows in new.items() if rows} for id, new in will.items())


def _write(one: Map, objects: Mapping[str, Rows], *, closing: Collection[str] = ()) -> None:
    with one.writing() as connection:
        for id, tables in objects.items():
            for table, columns in COLUMNS[one.name].items():
                connection.execute(f"DELETE FROM {table} WHERE object = ?", (id,))
                marks = ", ".join("?" * (len(columns) + 1))
                statement = f"INSERT OR REPLACE INTO {table}(object, {', '.join(columns)}) VALUES ({marks})"
                connection.executemany(statement, [(id, *row) for row in tables.get(table, ())])
        if closing:
            connection.executemany("INSERT OR IGNORE INTO closing VALUES (?)", [(address,) for address in closing])


def _ending(
    had: Mapping[str, Mapping[str, Rows]], will: Mapping[str, Mapping[str, Rows]], id: str, *, whole: bool
) -> set[str]:
    """Addresses of this object that could sign in and no longer can, or whose access epoch rose.

    So they are where the main password opens no mail any more: devices with a password of their own come back at once.
    Who had no secret here could not sign in, so a first secret ends nothing, though it raises the epoch. `whole`: that
    none is here means that there was none; of a file that is being filled again it does not.
    """
    before = {row[0]: row for row in had["maps"].get(id, {}).get("login", ())}
    after = {row[0]: row for row in will["maps"][id].get("login", ())}
    secrets_before = {row[0] for rows in had["secrets"].get(id, {}).values() for row in rows}
    secrets_after = {row[0] for rows in will["secrets"][id].values() for row in rows}
    app_only = _app_only(will["secrets"][id]) - _app_only(had["secrets"].get(id, {}))
    return {
        address
        for address, (_, sign_in, epoch, _) in before.items()
        if address not in after
        or (sign_in and not after[address][1])
        or ((after[address][2] or 0) > (epoch or 0) and (address in secrets_before or not whole))
        or (address in secrets_before and address not in secrets_after)
        or address in app_only
    } | _shut_out(had["maps"].get(id, {}).get("opens", ()), will["maps"][id].get("opens", ()))


def _shut_out(had: Iterable[tuple[Any, ...]], will: Iterable[tuple[Any, ...]]) -> set[str]:
    """Logins that opened the mailbox of this object and no longer do, or may do other things in it, or for less time:
    what they have open was let in as it was."""
    now = {row[:3]: row[3] for row in will}
    return {
        row[1] for row in had
        if row[:3] not in now or (now[row[:3]] is not None and (row[3] is None or now[row[:3]] < row[3]))
    }  # fmt: skip


def _app_only(secrets: Rows) -> set[str]:
    return {row[0] for row in secrets.get("password", ()) if row[APP_ONLY]}


def _ended(had: Mapping[str, Mapping[str, Rows]], will: Mapping[str, Mapping[str, Rows]], id: str) -> dict[str, str]:
    """App passwords and consents of this object that are gone, or whose epoch rose: cred → address."""
    ended: dict[str, str] = {}
    for file, table, prefix in CREDENTIALS:
        epoch = COLUMNS[file][table].index("access_epoch")
        after = {row[1]: row for row in will[file][id].get(table, ())}
        for address, cred, *_ in (before := {row[1]: row for row in had[file].get(id, {}).get(table, ())}).values():
            if cred not in after or (after[cred][epoch] or 0) > (before[cred][epoch] or 0):
                ended[prefix + cred] = address
    return ended


def close(files: Files, addresses: Iterable[str]) -> None:
    """Their sessions are to be ended; kept in the file so that a crash between does not forget them."""
    rows = [(address,) for address in addresses]
    files.maps.connection.executemany("INSERT OR IGNORE INTO closing VALUES (?)", rows)


def app_passwords(files: Files, addresses: Iterable[str]) -> dict[str, set[str]]:
    """address → its app passwords, as the file holds them."""
    query = "SELECT cred FROM app WHERE address = ?"
    return {one: {str(cred) for (cred,) in files.secrets.connection.execute(query, (one,))} for one in addresses}


def consents(files: Files, addresses: Iterable[str]) -> dict[str, set[str]]:
    """address → the consents of its owner, as the file holds them."""
    query = "SELECT cred FROM consent WHERE address = ?"
    return {one: {str(cred) for (cred,) in files.maps.connection.execute(query, (one,))} for one in addresses}


def close_credentials(files: Files, credentials: Mapping[str, str]) -> None:
    """The sessions of these alone are to be ended, and no others of their accounts; cred → address, a consent's as
    oauth:cred."""
    statement = "INSERT OR IGNORE INTO closing_cred VALUES (?, ?)"
    files.maps.connection.executemany(statement, list(credentials.items()))


def closing_credentials(files: Files) -> dict[str, str]:
    return dict(files.maps.connection.execute("SELECT cred, address FROM closing_cred"))


def credentials_closed(files: Files, creds: Iterable[str]) -> None:
    files.maps.connection.executemany("DELETE FROM closing_cred WHERE cred = ?", [(cred,) for cred in creds])


def able(files: Files, addresses: Iterable[str]) -> set[str]:
    """Those of them who may sign in, by our own rows: their new sessions are no left-overs."""
    query = "SELECT 1 FROM login WHERE address = ? AND sign_in = 1 AND (until IS NULL OR until > unixepoch())"
    return {address for address in addresses if files.maps.connection.execute(query, (address,)).fetchone()}


def closing(files: Files) -> set[str]:
    return {str(address) for (address,) in files.maps.connection.execute("SELECT address FROM closing")}


def is_closed(files: Files, addresses: Iterable[str]) -> None:
    """Their sessions are gone."""
    connection: sqlite3.Connection = files.maps.connection
    connection.executemany("DELETE FROM closing WHERE address = ?", [(address,) for address in addresses])
