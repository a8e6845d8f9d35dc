"""A database for each test, from a template, in a private cluster of this process. TRUNCATE is never needed."""

import gc
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count

import django
import psycopg
import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.settings"
for name in [name for name in os.environ if name.startswith("POSTROOM_")]:
    if name not in ("POSTROOM_SOAK", "POSTROOM_TEST_STACK", "POSTROOM_TEST_CLOCK"):
        del os.environ[name]
django.setup()

from django.conf import settings  # noqa: E402

from postroom.host.cluster import THROWAWAY, Cluster  # noqa: E402

settings.PASSWORD_HASHERS = ["quick_hasher.Quick"]  # the stacks of stories and drills have the real one

pytest_plugins = ["stack", "planting", "mailbox_owner"]
TEMPLATE = "postroom_template"
NODES = ("mx1", "mx2")
# No database here lives long enough to be tidied, and nothing reads this log of writes but a start after a crash.
UNTIDIED = {**THROWAWAY, "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0"}
numbers = count()


MEMORY = "/dev/shm"  # a database is a thousand files, made and dropped for each test: four times as fast as a disk
ROOM = 1 << 30


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """A cluster in memory, where there is some to spare; else wherever temporary files go."""
    spare = os.path.ismount(MEMORY) and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    with ExitStack() as until_the_end:
        with pytest.MonkeyPatch.context() as patch:
            if spare:
                patch.setattr(tempfile, "tempdir", MEMORY)
            running = until_the_end.enter_context(Cluster.temporary(nodes=NODES, settings=UNTIDIED))
        yield running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as running:
        running.found(files("postroom").joinpath("sql/roles.sql").read_text(), database=TEMPLATE)
        for node in NODES:
            running.execute(f"CREATE ROLE postroom_node_{node} LOGIN IN ROLE postroom_node")
        migrated(running)
        gc.collect()
        gc.freeze()  # what is loaded by now stays: looking through it over and over is a tenth of a run
        yield running


def connected(cluster: Cluster, name: str, role: str = "postroom_app") -> None:
    """Django's connection is to this database from now on."""
    from django.db import connection

    connection.close()
    connection.settings_dict.update(NAME=name, HOST=str(cluster.sockets), PORT=str(cluster.port), USER=role)


def migrated(cluster: Cluster) -> None:
    from django.core.management import call_command
    from django.db import connection

    connected(cluster, TEMPLATE, "postroom_owner")
    call_command("migrate", verbosity=0, skip_checks=True)
    connection.close()  # a template has no visitors while it is copied


@dataclass
class Copies:
    """Databases made from templates. One in which a test wrote nothing is as good as new, and the next one's."""

    cluster: Cluster
    admin: "psycopg.Connection[tuple[object, ...]]"
    unwritten: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, template: str) -> Iterator[str]:
        """A copy to play in: what a folder with a world of its own takes (`copied`)."""
        return copied(self, template)

    def take(self, template: str) -> str:
        if kept := self.unwritten.get(template):
            return kept.pop()
        name = f"test_{next(numbers)}"
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def written(self) -> str:
        """How far the cluster's log of writes is. Every transaction that writes anything, also one that is rolled back
        or writes what is not logged itself, leaves a line in it: PostgreSQL, RecordTransactionCommit and -Abort."""
        row = self.admin.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        return str(row and row[0])

    def give_back(self, name: str, template: str, since: str) -> None:
        self._empty(name)
        if self.written() == since:
            self.unwritten.setdefault(template, []).append(name)
        else:
            self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _empty(self, name: str) -> None:
        """Whoever is still in it is put out, and has written what they will: one that is thrown out rolls back."""
        self.admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])


@pytest.fixture(scope="session")
def copies(cluster: Cluster) -> Iterator[Copies]:
    with psycopg.connect(cluster.dsn(), autocommit=True) as admin:
        yield Copies(cluster, admin)


def copied(copies: Copies, template: str) -> Iterator[str]:
    """A fresh copy of a template, and Django's connection on it as postroom_app."""
    from django.db import connection

    name = copies.take(template)
    since = copies.written()
    connected(copies.cluster, name)
    yield name
    connection.close()
    copies.give_back(name, template, since)


@pytest.fixture(scope="session")
def founded(copies: Copies):  # type: ignore[no-untyped-def]
    """The cast, founded once in a run: (its database, who they are). Every test plays in a copy of it."""
    from cast import found

    databases = copied(copies, TEMPLATE)
    name = next(databases)
    people = found()
    from django.db import connection

    connection.close()
    yield name, people
    next(databases, None)


@pytest.fixture
def database(copies: Copies, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own for this test: with the cast in it where the test asks for `house`, else bare."""
    template = request.getfixturevalue("founded")[0] if "house" in request.fixturenames else TEMPLATE
    yield from copied(copies, template)


Sql = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def sql(cluster: Cluster, database: str) -> Iterator[Sql]:
    """As another role, outside Django: what an intruder, an installer or a node would do."""
    opened: dict[str, psycopg.Connection[tuple[object, ...]]] = {}

    def run(*statements: str, role: str = "postgres") -> list[tuple[object, ...]]:
        connection = opened.get(role)
        if connection is None or connection.closed:
            dsn = cluster.dsn(role, database)
            connection = opened[role] = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        else:
            connection.execute("DISCARD ALL")  # as new: nothing that was set before is left
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    yield run
    for one in opened.values():
        one.close()


@pytest.fixture
def node(cluster: Cluster, database: str) -> Iterator[Callable[[str], psycopg.Connection[tuple[object, ...]]]]:
    """A connection as a mail node makes it: its own role, four functions, no table."""
    opened: list[psycopg.Connection[tuple[object, ...]]] = []

    def connect(name: str = "mx1") -> psycopg.Connection[tuple[object, ...]]:
        opened.append(psycopg.connect(cluster.dsn(f"postroom_node_{name}", database), autocommit=True))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def house(database: str, founded):  # type: ignore[no-untyped-def]
    from cast import at_home

    return at_home(founded[1])


class OutsideOfTheTest(AssertionError):
    """A quick test spoke to another machine, or asked where one is."""


def stays_here(address: object) -> bool:
    """A socket file, or 127.0.0.0/8 and ::1 by number."""
    host = address[0] if isinstance(address, tuple) else None
    return not isinstance(host, str) or host.startswith("127.") or host in ("::1", "localhost", "")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests without a mark for servers, drills or soak stay on this machine; those have addresses of their own."""
    if any(request.node.get_closest_marker(mark) for mark in ("server", "drill", "soak")):
        return

    def guarded(name: str, at: int) -> None:
        real = getattr(socket.socket, name)

        def only_here(self: socket.socket, *args: object) -> object:
            if not stays_here(args[at]):
                raise OutsideOfTheTest(f"{name} {args[at]}")
            return real(self, *args)

        monkeypatch.setattr(socket.socket, name, only_here)

    for name, at in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        guarded(name, at)
    look_up = socket.getaddrinfo

    def by_number(host: object, *args: object, **kwargs: object) -> object:
        if (
            isinstance(host, str)
            and not stays_here((host,))
            and not host.replace(".", "").isdigit()
            and ":" not in host
        ):
            raise OutsideOfTheTest(f"looks up {host}")
        return look_up(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", by_number)
