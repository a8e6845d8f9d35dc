"""What a drill lays hands on, from outside: processes by signal, zones by PowerDNS' own HTTP API, and the database
as its superuser, to look or to stand in the way, never to write. It knows the installation by its state folder.
"""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from world import Person, Stack, until

GONE = (ConnectionError, TimeoutError, OSError, http.client.HTTPException)  # an answer may be cut half-way


class Hands:
    def __init__(self, stack: Stack) -> None:
        self.stack, self.state = stack, stack.state
        self.held: set[int] = set()  # processes we stopped and have not let go on

    # --- processes ----------------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """Of `up`, a service, or a daemon of the mail node; 0 while it has none."""
        files = {
            "agent": "node/run/agent.pid", "milter": "node/run/milter.pid",
            "auth_policy": "node/run/auth_policy.pid", "srs": "node/run/srs.pid",
            "dovecot": "node/dovecot/run/master.pid",
            "postfix": "node/postfix/spool/pid/master.pid",
        }  # fmt: skip
        path = self.state / files.get(name, f"run/{name}.pid")
        try:
            pid = int(path.read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return 0
        return pid if alive(pid) else 0

    def below(self, name: str, program: str = "") -> list[int]:
        """Direct children of a service's process: gunicorn's workers, PostgreSQL's backends, Postfix's proxymap."""
        parent = self.pid(name)
        found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if stat(pid)[1:2] == [str(parent)]]
        return [pid for pid in found if not program or _comm(pid).startswith(program)]

    def kill(self, *pids: int, by: int = signal.SIGKILL) -> None:
        for pid in filter(None, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, by)

    def hold(self, *pids: int) -> None:
        assert all(pids), "0 would be ourselves"
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            self.held.add(pid)
        until("they stand still", lambda: all(stat(pid)[:1] in (["T"], []) for pid in pids), within=5, every=0.001)

    def let_go(self, *pids: int) -> None:
        """Let these go on, or all that are held."""
        for pid in pids or tuple(self.held):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            self.held.discard(pid)

    @contextlib.contextmanager
    def holding(self, *pids: int) -> Iterator[None]:
        self.hold(*pids)
        try:
            yield
        finally:
            self.let_go(*pids)

    def back(self, name: str, was: int, *, within: float = 40) -> int:
        """The new process of a service that was killed, when there is one."""
        return int(until(f"{name} is back", lambda: (p := self.pid(name)) and p != was and p, within=within))

    # --- the database, looked at --------------------------------------------------------------------------

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        at = f"host={self.state}/run/postgres port=5432 user=postgres dbname=postroom connect_timeout=5"
        with psycopg.connect(at, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    @contextlib.contextmanager
    def table_locked(self, table: str) -> Iterator[None]:
        """Whoever reads or writes it waits."""
        at = f"host={self.state}/run/postgres port=5432 user=postgres dbname=postroom"
        with psycopg.connect(at) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield
            connection.rollback()

    def one(self, query: str, *values: Any) -> Any:
        return self.sql(query, *values)[0][0]

    def unrecorded(self) -> list[tuple[Any, ...]]:
        """Rows of state that no entry made, and changes whose version no entry has: there must be none."""
        tables = ("addresses", "mailboxes", "invites", "domains", "record_sets", "dkim_keys", "grants", "freezes")
        rows = " UNION ALL ".join(f"SELECT '{t}', id FROM {t}" for t in tables)
        found = self.sql(
            f"SELECT t, id FROM ({rows}) r(t, id) WHERE NOT EXISTS "
            '(SELECT FROM edits e WHERE e."row" = r.id AND e."table" = r.t AND e.before IS NULL)'
        )
        found += self.sql(
            "SELECT 'changes', id FROM changes c WHERE version IS NOT NULL AND NOT EXISTS (SELECT FROM entries e "
            "WHERE e.client_id IS NOT DISTINCT FROM c.client_id AND e.version = c.version)"
        )
        return found

    def in_maps(self, domain: str) -> set[str]:
        """The mailboxes of a domain in the node's own map."""
        path = self.state / "node/db/maps/maps.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as maps:
            return {row[0] for row in maps.execute("SELECT address FROM mailbox WHERE address LIKE ?", [f"%@{domain}"])}

    # --- zones, from outside ------------------------------------------------------------------------------

    def zones(self, method: str, path: str = "", body: Any = None) -> Any:
        key = (self.state / "keys/pdns-api").read_text().strip()
        url = f"http://{self.stack.at['address']}:5302/api/v1/servers/localhost/zones{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"X-API-Key": key, "Content-Type": "application/json"})
        request.method = method
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def zone(self, name: str) -> list[tuple[Any, ...]]:
        """Every record of a zone with its TTL and whether it sleeps; the SOA, whose serial moves, apart."""
        rrsets = self.zones("GET", f"/{name}.")["rrsets"]
        return sorted(
            (one["name"], one["type"], one["ttl"], record["content"], record["disabled"])
            for one in rrsets
            if one["type"] != "SOA"
            for record in one["records"]
        )


def alive(pid: int) -> bool:
    return stat(pid)[:1] not in ([], ["Z"], ["X"])


def stat(pid: int) -> list[str]:
    """State, parent and so on (proc(5)); nothing when it is gone."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _comm(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def sent(person: Person, kind: str, params: Any, key: str = "", why: str = "a drill", **more: Any) -> tuple[int, Any]:
    """One request and what came of it; 0 when the line was cut."""
    headers = {"Idempotency-Key": key} if key else {}
    return asked(person, "POST", "/changes", {"kind": kind, "params": params, "why": why, **more}, **headers)


def asked(person: Person, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    all_headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(person.stack.at["api"] + path, data, all_headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {"headers": dict(error.headers), **_document(error.read())}
    except (*GONE, ValueError, urllib.error.URLError) as error:
        return 0, {"cut": repr(error)}


def _document(text: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:
        return {"text": text.decode(errors="replace")}


def insisted(person: Person, kind: str, params: Any, key: str, *, within: float = 30) -> Any:
    """Ask again with the same key until it is answered, as a good client does."""
    end = time.monotonic() + within
    while True:
        status, answer = sent(person, kind, params, key)
        if status in (200, 202):
            return answer
        assert status in (0, 502, 503), (status, answer)
        assert time.monotonic() < end, (status, answer)
        time.sleep(0.2)
