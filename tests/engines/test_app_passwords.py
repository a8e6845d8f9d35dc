"""App passwords in the node's files: each is a row of its own, and its end closes its own sessions and no others."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from bearers import consent, letting_in
from live_node import mailbox, named

from postroom.engines import by_time, compile, maps
from postroom.engines.layout import MAPS, NodeConfig
from postroom.engines.source import Compiled, Todo

MIA = "mia@acme.example"


@pytest.fixture
def config() -> NodeConfig:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for name in MAPS:
        (folder / "db" / name).mkdir(parents=True)
    return NodeConfig("mx1", folder, "127.0.0.1")


@pytest.fixture
def files(config: NodeConfig) -> Iterator[maps.Files]:
    opened = maps.open_files(config)
    yield opened
    for one in opened:
        one.connection.close()


def put(files: maps.Files, name: str, compiled: Compiled | None) -> compile.Closed:
    if compiled is not None:
        compile.checked(compiled)
    return compile.write(files, [Todo(1, "address", named(name), None, compiled)])


def rows(one: maps.Map, table: str) -> list[tuple[object, ...]]:
    columns = ", ".join(maps.COLUMNS[one.name][table])
    return one.connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()


def with_apps(*apps: dict[str, object], app_only: int | None = None, **options: object) -> Compiled:
    compiled = mailbox(MIA, **options)  # type: ignore[arg-type]
    compiled["secrets"]["app"] = [
        {"address": MIA, "sha256": f"{one['cred']}", "protocols": "imap", **one} for one in apps
    ]
    if app_only is not None:
        compiled["secrets"]["password"][0]["app_only"] = app_only
    return compiled


A, B = {"cred": "a1", "access_epoch": 0}, {"cred": "b2", "access_epoch": 0}


def test_an_app_password_that_ends_closes_its_own_sessions_alone(files: maps.Files) -> None:
    put(files, MIA, with_apps(A, B))
    closed = put(files, MIA, with_apps(B))
    assert closed.credentials == {"a1": MIA} == compile.closing_credentials(files)
    assert closed.sessions == set() == compile.closing(files)
    compile.credentials_closed(files, ["a1"])
    assert put(files, MIA, with_apps(B)).credentials == {} == compile.closing_credentials(files)


def test_one_that_starts_or_stays_closes_nothing(files: maps.Files) -> None:
    put(files, MIA, with_apps(A))
    closed = put(files, MIA, with_apps(A, B))
    assert (closed.credentials, closed.sessions) == ({}, set())


def test_a_raised_epoch_of_one_closes_its_sessions(files: maps.Files) -> None:
    put(files, MIA, with_apps(A, B))
    assert put(files, MIA, with_apps({**A, "access_epoch": 1}, B)).credentials == {"a1": MIA}


def test_where_the_account_ends_there_is_nothing_left_to_close_by_itself(files: maps.Files) -> None:
    put(files, MIA, with_apps(A, B))
    closed = put(files, MIA, with_apps(B, epoch=1))
    assert (closed.credentials, closed.sessions) == ({}, {MIA})


def test_app_passwords_alone_for_mail_end_what_the_main_one_opened(files: maps.Files) -> None:
    put(files, MIA, with_apps(A))
    assert put(files, MIA, with_apps(A, app_only=1)).sessions == {MIA}
    assert put(files, MIA, with_apps(A, app_only=1)).sessions == set()
    assert put(files, MIA, with_apps(A)).sessions == set(), "what opens more ends nothing"


def test_that_one_ended_is_kept_before_its_row_goes(files: maps.Files) -> None:
    """The agent dies between: the row is gone from secrets.db, and nothing but this says whose sessions are to end."""
    put(files, MIA, with_apps(A))
    files.maps.connection.execute("CREATE TRIGGER no BEFORE INSERT ON login BEGIN SELECT raise(ABORT, 'no room'); END")
    with pytest.raises(sqlite3.IntegrityError):
        put(files, MIA, {**with_apps(), "maps": mailbox(MIA, epoch=0, until=9_000_000_000)["maps"]})
    assert rows(files.secrets, "app") == []
    assert compile.closing_credentials(files) == {"a1": MIA}


def test_one_that_ends_by_time_is_found_when_it_has(files: maps.Files) -> None:
    now = time.time()
    put(files, MIA, with_apps({**A, "until": int(now) + 5}, B))
    assert by_time.next_end(files, now) == int(now) + 5
    assert by_time.credentials_ended_between(files, now, now + 4) == {}
    assert by_time.credentials_ended_between(files, now, now + 5) == {"a1": MIA}


def test_a_file_of_before_gets_what_came_since(config: NodeConfig) -> None:
    """In place and with its rows: a node that is brought up to date serves on from what it has."""
    for one in maps.open_files(config):
        one.connection.close()
    with closing(sqlite3.connect(config.database("maps"))) as old:
        old.execute("DROP TABLE closing_cred")
    with closing(sqlite3.connect(config.database("secrets"))) as old:
        for table, column in (("password", "app_only"), ("app", "access_epoch")):
            old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        old.execute("INSERT INTO password VALUES ('joe@acme.example', 'o', 'h', NULL)")
        old.commit()
    again = maps.open_files(config)
    put(again, MIA, with_apps(A, app_only=1))
    assert rows(again.secrets, "password")[0][1:] == ("h", None, None), rows(again.secrets, "password")
    compile.close_credentials(again, {"a1": MIA})
    for one in again:
        one.connection.close()


def test_a_consent_ends_as_an_app_password_does_and_by_a_name_of_its_own(files: maps.Files) -> None:
    soon = int(time.time()) + 5
    phone, laptop = consent(MIA, "phone", until=soon), consent(MIA, "laptop")
    put(files, MIA, letting_in(MIA, phone, laptop))
    gone = {f"oauth:{phone['cred']}": MIA}
    assert compile.consents(files, [MIA]) == {MIA: {phone["cred"], laptop["cred"]}}
    assert by_time.next_end(files, soon - 5) == soon
    assert by_time.credentials_ended_between(files, soon - 5, soon - 1) == {}
    assert by_time.credentials_ended_between(files, soon - 5, soon) == gone
    closed = put(files, MIA, letting_in(MIA, laptop))
    assert (closed.credentials, closed.sessions) == (gone, set()) and compile.closing_credentials(files) == gone
    assert put(files, MIA, letting_in(MIA, laptop | {"access_epoch": 1})).credentials == {
        f"oauth:{laptop['cred']}": MIA
    }
