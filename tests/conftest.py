"""A database for each test, as its template was (databases.py), in a private cluster of this process."""

import gc
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files

import django
import hypothesis
import psycopg
import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.settings"
for name in [name for name in os.environ if name.startswith("POSTROOM_")]:
    if name not in ("POSTROOM_SOAK", "POSTROOM_TEST_STACK", "POSTROOM_TEST_CLOCK"):
        del os.environ[name]
django.setup()

from django.conf import settings  # noqa: E402

from clusters import ready  # noqa: E402
from databases import Copies, connected  # noqa: E402
from postroom.host.cluster import THROWAWAY, Cluster  # noqa: E402

settings.PASSWORD_HASHERS = ["quick_hasher.Quick"]  # the stacks of stories and drills have the real one

# How long one example takes says how busy the machine is; a test that is about time says so itself.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

pytest_plugins = ["stack", "planting", "mailbox_owner", "submission"]
TEMPLATE = "postroom_template"
NODES = ("mx1", "mx2")
# No database here lives long enough to be tidied, and nothing reads this log of writes but a start after a crash.
UNTIDIED = {**THROWAWAY, "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0"}


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
            running = until_the_end.enter_context(ready(made, NODES, UNTIDIED))
        yield running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as running:
        gc.collect()
        gc.freeze()  # what is loaded by now stays: looking through it over and over is a tenth of a run
        yield running


def made(cluster: Cluster) -> None:
    """The template, in a new cluster."""
    cluster.found(files("postroom").joinpath("sql/roles.sql").read_text(), database=TEMPLATE)
    for node in NODES:
        cluster.execute(f"CREATE ROLE postroom_node_{node} LOGIN IN ROLE postroom_node")
    migrated(cluster)


def migrated(cluster: Cluster) -> None:
    from django.core.management import call_command
    from django.db import connection

    connected(cluster, TEMPLATE, "postroom_owner")
    call_command("migrate", verbosity=0, skip_checks=True)
    connection.close()  # a template has no visitors while it is copied


@pytest.fixture(scope="session")
def copies(cluster: Cluster) -> Iterator[Copies]:
    with psycopg.connect(cluster.dsn(), autocommit=True) as admin:
        made = Copies(cluster, admin)
        yield made
        made.leave()


@pytest.fixture(scope="session")
def founded(copies: Copies):  # type: ignore[no-untyped-def]
    """The cast, founded once in a run: (its database, who they are). Every test plays in a copy of it."""
    from cast import found

    databases = copies.template(TEMPLATE)
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
    yield from copies(template)


Sql = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def sql(copies: Copies, database: str) -> Sql:
    """As another role, outside Django: what an intruder, an installer or a node would do."""

    def run(*statements: str, role: str = "postgres") -> list[tuple[object, ...]]:
        connection = copies.playing[database].connection(role)
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    return run


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
