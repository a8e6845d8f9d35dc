"""Databases for tests to play in: each as its template was, whatever the test before did in it.

Made anew, a database costs 40 ms, and the first statement of each sort in it as much again, since a new connection
knows neither its tables nor its functions. So one that a test has written in gets the rows of its template back, and is
played in again by the same connections. One whose tables, functions or policies a test has changed is thrown away.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import psycopg

from postroom.host.cluster import Cluster

Connection = psycopg.Connection[tuple[object, ...]]
APP, DJANGO = "postroom_app", "Django"
TIDIED = 50  # plays; what was deleted is in the way of who reads a table from end to end
MANY = 2_000  # rows; a database with so much to delete is not worth tidying
numbers = count()

# What is kept stands in temporary tables, which only this session sees: no test meets them.
KEEP = """
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('CREATE TEMPORARY TABLE %I AS TABLE public.%I', 'kept ' || t, t);
    END LOOP;
END $$"""
STATEMENTS = """
SELECT format('DELETE FROM public.%I', c.relname), format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s
    FROM %I', c.relname, names, names, 'kept ' || c.relname), format('SELECT count(*) FROM %I', 'kept ' || c.relname)
FROM pg_class c, LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS a
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY c.relname"""
SEQUENCES = """
SELECT format('PERFORM setval(%L, %s, %L)', format('public.%I', sequencename), coalesce(last_value, start_value),
    last_value IS NOT NULL) FROM pg_sequences WHERE schemaname = 'public'"""
# As a superuser without triggers or foreign keys; answers how many rows it took away.
RESTORE = """
CREATE FUNCTION pg_temp.restore() RETURNS bigint LANGUAGE plpgsql SET session_replication_role = replica AS $f$
#variable_conflict use_column
DECLARE one bigint; gone bigint := 0;
BEGIN
    {body}
    RETURN gone;
END $f$"""
COUNTED = "; GET DIAGNOSTICS one = ROW_COUNT; gone := gone + one"
# Whatever makes, alters, grants or drops something leaves another row version in one of these.
SHAPE = "SELECT sum(h) FROM ({}) AS each_of".format(
    " UNION ALL ".join(
        f"SELECT hashtextextended(oid::text || ' ' || xmin::text, 0) AS h FROM {catalog} WHERE oid >= 16384"
        for catalog in ("pg_class", "pg_proc", "pg_trigger", "pg_policy", "pg_constraint", "pg_namespace")
    )
)


class Played:
    """One database, and who stays connected to it."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name, self.plays = cluster, name, 0
        self.keeper: Connection = psycopg.connect(cluster.dsn("postgres", name), autocommit=True)
        self.staying: dict[str, Connection] = {}  # by role, and Django's own
        self._keep()

    def _keep(self) -> None:
        self.keeper.execute("SET client_min_messages = error")
        self.keeper.execute(KEEP)
        body = []
        for delete, insert, rows in self.keeper.execute(STATEMENTS).fetchall():
            body.append(f"{delete}{COUNTED}")
            if self._one(str(rows)):
                body.append(str(insert))
        body += [str(one) for (one,) in self.keeper.execute(SEQUENCES)]
        self.keeper.execute(RESTORE.format(body=";\n    ".join(body) + ";"))
        self.shape = self._one(SHAPE)

    def _one(self, statement: str) -> object:
        row = self.keeper.execute(statement).fetchone()
        return row and row[0]

    def as_it_was(self) -> bool:
        """The rows of its template in it again; False if that is not to be had, and it has to be thrown away."""
        if self._one(SHAPE) != self.shape:
            return False
        gone = self._one("SELECT pg_temp.restore()")
        self.plays += 1
        if self.plays % TIDIED == 0:
            self.keeper.execute("VACUUM")
        return isinstance(gone, int) and gone < MANY

    def alone(self) -> None:
        """Whoever does not stay is put out, and has written what they will: one that is thrown out rolls back."""
        staying = [self.keeper.info.backend_pid, *(one.info.backend_pid for one in self.staying.values())]
        self.keeper.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s AND pid <> ALL(%s)",
            [self.name, staying],
        )

    def connection(self, role: str) -> Connection:
        """As new for whoever takes it: nothing that was set before is left."""
        kept = self.staying.get(role)
        if kept is None or kept.closed:
            kept = psycopg.connect(self.cluster.dsn(role, self.name), autocommit=True, prepare_threshold=None)
        self.staying[role] = kept
        return as_new(kept)

    def leave(self) -> None:
        for one in (self.keeper, *self.staying.values()):
            one.close()


def as_new(connection: Connection) -> Connection:
    connection.execute("DISCARD ALL")
    return connection


@dataclass
class Copies:
    """Databases made from templates."""

    cluster: Cluster
    admin: Connection
    idle: dict[str, list[Played]] = field(default_factory=dict)
    playing: dict[str, Played] = field(default_factory=dict)

    def __call__(self, template: str) -> Iterator[str]:
        """A copy to play in, and Django's connection on it as postroom_app."""
        played = self._take(template)
        self.playing[played.name] = played
        since = self._written()
        try:
            connected(self.cluster, played.name, staying=played.staying.pop(DJANGO, None))
            yield played.name
        finally:
            del self.playing[played.name]
            if left := detached(played.name):
                played.staying[DJANGO] = left
            self._give_back(played, template, since)

    def template(self, template: str) -> Iterator[str]:
        """A copy to make other copies from, once Django's connection to it is closed."""
        name = self._made(template)
        connected(self.cluster, name)
        yield name
        for played in self.idle.pop(name, []):
            self._thrown_away(played)
        self._dropped(name)

    def _take(self, template: str) -> Played:
        if kept := self.idle.get(template):
            return kept.pop()
        return Played(self.cluster, self._made(template))

    def _made(self, template: str) -> str:
        name = f"test_{next(numbers)}"
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def _dropped(self, name: str) -> None:
        self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _written(self) -> str:
        """How far the cluster's log of writes is. Every transaction that writes anything, also one that is rolled back
        or writes what is not logged itself, leaves a line in it: PostgreSQL, RecordTransactionCommit and -Abort."""
        row = self.admin.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        return str(row and row[0])

    def _give_back(self, played: Played, template: str, since: str) -> None:
        played.alone()
        if self._written() == since or played.as_it_was():
            self.idle.setdefault(template, []).append(played)
        else:
            self._thrown_away(played)

    def _thrown_away(self, played: Played) -> None:
        played.leave()
        self._dropped(played.name)


def connected(cluster: Cluster, name: str, role: str = APP, staying: Connection | None = None) -> None:
    """Django's connection is to this database from now on; by one that stayed open, if there is."""
    from django.db import connection

    connection.close()
    connection.settings_dict.update(NAME=name, HOST=str(cluster.sockets), PORT=str(cluster.port), USER=role)
    if staying is not None and not staying.closed:
        connection.get_new_connection = lambda params: staying
        try:
            connection.connect()
        finally:
            del connection.get_new_connection


def detached(name: str) -> Connection | None:
    """Django's connection to this database, taken from it, if nothing in it is half done."""
    from django.db import connection

    raw = connection.connection
    whole = raw is not None and not raw.closed and not connection.in_atomic_block and connection.get_autocommit()
    if not whole or raw.info.dbname != name or raw.info.user != APP or raw.info.transaction_status != 0:
        connection.close()
        return None
    connection.connection = None
    connection.run_on_commit = []
    with contextlib.suppress(psycopg.Error):
        return as_new(raw)
    return None
