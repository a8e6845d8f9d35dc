"""What the control plane compiles ends up in the files, in the order in which nothing opens early or closes late."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_node import CODE, domain, mailbox, named

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


def test_a_mailbox_is_in_every_table_it_needs(files: maps.Files) -> None:
    put(files, MIA, mailbox(MIA))
    assert rows(files.maps, "mailbox") == [(MIA, 100, None)]
    assert rows(files.maps, "route") == [(MIA, MIA, None)]
    assert rows(files.maps, "sender") == [(MIA, MIA, None)]
    assert rows(files.maps, "login") == [(MIA, 1, 0, None)]
    assert len(rows(files.secrets, "password")) == 1


def test_writing_the_same_again_writes_nothing(files: maps.Files) -> None:
    compiled = mailbox(MIA)
    put(files, MIA, compiled)
    before = files.generations()
    assert put(files, MIA, compiled) == compile.Closed()
    assert files.generations() == before


def test_only_the_files_that_change_get_a_new_generation(files: maps.Files) -> None:
    before = files.generations()
    put(files, "acme.example", domain("acme.example"))
    assert files.generations() == {**before, "maps": before["maps"] + 1}


def order_of(files: maps.Files) -> list[str]:
    """Each write as it happens: the file, and whether mia can be found in secrets and in sender just after it."""
    seen: list[str] = []

    def watch(one: maps.Map) -> None:
        def traced(statement: str) -> None:
            if statement == "COMMIT":
                seen.append(one.name)

        one.connection.set_trace_callback(traced)

    for one in files:
        watch(one)
    return seen


def test_an_end_is_written_to_secrets_first(files: maps.Files) -> None:
    put(files, MIA, mailbox(MIA))
    seen = order_of(files)
    closed = put(files, MIA, mailbox(MIA, sign_in=0))
    assert seen == ["secrets", "maps"]
    assert closed.sessions == {MIA} == compile.closing(files)


def test_a_start_is_written_to_maps_first(files: maps.Files) -> None:
    seen = order_of(files)
    assert put(files, MIA, mailbox(MIA)).sessions == set()
    assert seen == ["maps", "secrets"]


def test_a_batch_of_both_is_three_transactions(files: maps.Files) -> None:
    put(files, MIA, mailbox(MIA))
    seen = order_of(files)
    joe = "joe@acme.example"
    compile.write(
        files, [Todo(1, "address", named(MIA), None, None), Todo(2, "address", named(joe), None, mailbox(joe))]
    )
    assert seen == ["secrets", "maps", "secrets"]
    assert rows(files.secrets, "password")[0][0] == joe


ENDS = {
    "suspended": mailbox(MIA, sign_in=0),
    "gone": None,
    "access epoch raised": mailbox(MIA, epoch=1),
    "no password any more": mailbox(MIA, None),
}


@pytest.mark.parametrize("after", ENDS.values(), ids=ENDS)
def test_sessions_that_end(files: maps.Files, after: Compiled | None) -> None:
    put(files, MIA, mailbox(MIA))
    assert put(files, MIA, after).sessions == {MIA}


def test_a_new_quota_ends_nothing(files: maps.Files) -> None:
    compiled = mailbox(MIA)
    put(files, MIA, compiled)
    compiled["maps"]["mailbox"][0]["quota_mb"] = 5
    assert put(files, MIA, compiled).sessions == set()


def test_what_an_object_lost_is_told_for_the_read_back(files: maps.Files) -> None:
    put(files, "info", {"maps": {"route": [{"source": "info@acme.example", "destination": MIA}]}})
    closed = put(files, "info", None)
    assert closed.gone == {str(named("info")): {"route": [("info@acme.example", MIA, None)]}}


def test_two_objects_may_say_the_same(files: maps.Files) -> None:
    same: Compiled = {"maps": {"sender": [{"sender": "sales@acme.example", "login": MIA}]}}
    put(files, "one", same)
    put(files, "two", same)
    put(files, "one", None)
    assert rows(files.maps, "sender") == [("sales@acme.example", MIA, None)]


def test_an_address_that_moves_to_another_object(files: maps.Files) -> None:
    put(files, "old", mailbox(MIA))
    put(files, "new", mailbox(MIA))
    put(files, "old", None)
    assert rows(files.maps, "login") == [(MIA, 1, 0, None)]
    assert len(rows(files.secrets, "password")) == 1


@pytest.mark.parametrize("address", [
    "a b@acme.example", "a\nb@acme.example", "a\x00@acme.example", "../up@acme.example", "a/b@acme.example",
    "-Cevil@acme.example", ".hidden@acme.example", "a,b@acme.example", "*@acme.example", "a%b@acme.example",
    "", "x" * 400,
    "'; DROP TABLE mailbox; --@acme.example", '"quoted"@acme.example',
])  # fmt: skip
def test_what_no_map_may_hold(address: str) -> None:
    with pytest.raises(compile.RowRefused):
        compile.checked(mailbox(address))


@pytest.mark.parametrize("other", [
    {"host": "mx]:25, OK"}, {"host": "mx far"}, {"host": "::1"}, {"host": ""}, {"port": 0}, {"port": 65536},
    {"port": "25"}, {"port": True}, {"port": "25, OK"},
])  # fmt: skip
def test_no_other_server_that_would_say_more_than_its_place(other: dict[str, object]) -> None:
    row = {"address": MIA, "host": "mx.far.example", "port": 25, "tls": 0, "until": None}
    compile.checked({"maps": {"handed": [row]}})
    with pytest.raises(compile.RowRefused):
        compile.checked({"maps": {"handed": [{**row, **other}]}})


def test_all_faults_of_an_object_at_once() -> None:
    with pytest.raises(compile.RowRefused) as refused:
        compile.checked({"maps": {"rout": [], "route": [{"source": "a b", "destination": "c d", "colour": 1}]}})
    assert all(word in str(refused.value) for word in ("rout", "a b", "c d", "colour"))


def test_what_ends_by_time_is_found_when_it_has(files: maps.Files) -> None:
    now = time.time()
    put(files, MIA, mailbox(MIA, until=int(now) + 5))
    assert by_time.next_end(files, now) == int(now) + 5
    assert by_time.ended_between(files, now, now + 4) == set()
    assert by_time.ended_between(files, now, now + 5) == {MIA}
    assert by_time.next_end(files, now + 5) is None


def test_a_crash_in_the_middle_leaves_no_half(files: maps.Files, config: NodeConfig) -> None:
    put(files, MIA, mailbox(MIA))
    files.maps.connection.execute("CREATE TRIGGER no BEFORE INSERT ON login BEGIN SELECT raise(ABORT, 'no room'); END")
    with pytest.raises(sqlite3.IntegrityError):
        put(files, MIA, mailbox(MIA, sign_in=0))
    assert rows(files.secrets, "password") == []  # the end came first
    assert rows(files.maps, "login") == [(MIA, 1, 0, None)]
    files.maps.connection.execute("DROP TRIGGER no")
    assert put(files, MIA, mailbox(MIA, sign_in=0)).sessions == {MIA}


# The files


def test_a_new_file_is_missing_once(config: NodeConfig) -> None:
    for missing in (MAPS, ()):
        opened = maps.open_files(config)
        assert opened.missing == missing
        assert not opened.filled
        for one in opened:
            one.connection.close()


def test_opening_writes_to_each_file(files: maps.Files, config: NodeConfig) -> None:
    before = files.generations()
    again = maps.open_files(config)
    assert {name: number - before[name] for name, number in again.generations().items()} == dict.fromkeys(MAPS, 1)
    for one in again:
        one.connection.close()


def test_who_opens_anothers_mailbox_no_longer_has_their_sessions_ended_and_nobody_else(files: maps.Files) -> None:
    def box(rights: str, *logins: tuple[str, int | None]) -> Compiled:
        compiled = mailbox(MIA)
        compiled["maps"]["opens"] = [
            {"address": MIA, "login": login, "rights": rights, "until": end} for login, end in logins
        ]
        return compiled

    now, leo, zoe = int(time.time()), "leo@acme.example", "zoe@acme.example"
    assert put(files, MIA, box("lr", (leo, now + 50), (zoe, None))).sessions == set(), "a start ends nothing"
    assert put(files, MIA, box("lr", (leo, now + 90), (zoe, None))).sessions == set(), "nor does more time"
    assert put(files, MIA, box("lr", (leo, now + 9), (zoe, None))).sessions == {leo}
    assert by_time.next_end(files, now) == now + 9
    assert by_time.ended_between(files, now, now + 8) == set()
    assert by_time.ended_between(files, now, now + 9) == {leo}
    assert put(files, MIA, box("lrwstipek", (leo, now + 9), (zoe, None))).sessions == {leo, zoe}
    assert put(files, MIA, box("lrwstipek", (leo, now + 9))).sessions == {zoe}
    assert put(files, MIA, None).sessions == {MIA, leo}


def test_sound_files_are_not_taken_for_damaged(files: maps.Files, config: NodeConfig) -> None:
    """With a row in every table: a check that cries wolf would throw good files away at every start."""
    put(files, MIA, mailbox(MIA, until=5))
    put(files, "acme.example", {
        "maps": {"domain": [{"name": "acme.example"}], "pool": [{"domain": "acme.example", "transport": "pool-a:"}],
                     "consent": [{"address": MIA, "cred": "2", "subject": "m", "protocols": "imap"}],
                     "alias_domain": [{"name": "acme.test", "target": "acme.example"}],
                     "allowed": [{"source": MIA, "target": "@.far.example"}],
                     "forbidden": [{"source": "@acme.example", "target": "@.evil.example"}],
                     "behalf": [{"sender": MIA, "login": "leo@acme.example"}],
                     "opens": [{"address": MIA, "login": "leo@acme.example", "rights": "lr"}],
                     "handed": [{"address": MIA, "host": "mx.far.example", "port": 25, "tls": 0}],
                     "token_key": [{"kid": "k", "public": "p", "issuer": "i"}]},
        "secrets": {"app": [{"address": MIA, "cred": "1", "sha256": "ab", "protocols": ["imap", "smtp"]}],
                    "filter": [{"address": MIA, "revision": 1, "active": 1, "clears": 0, "digest": "ab",
                                "script": "a2VlcDs="}]},
        "keys": {"key": [{"domain": "acme.example", "selector": "s1", "algorithm": "rsa-sha256", "sealed": "x"}]},
    })  # fmt: skip
    assert all(rows(one, table) for one in files for table in maps.COLUMNS[one.name])
    for one in maps.open_files(config):
        one.connection.close()


def test_side_files_stay_when_the_agent_leaves(config: NodeConfig) -> None:
    """As it leaves: by os._exit. Readers can open what it left, though they may make nothing."""
    program = (
        "import os, pathlib; from postroom.engines import maps; from postroom.engines.layout import NodeConfig\n"
        f"maps.open_files(NodeConfig('mx1', pathlib.Path({str(config.folder)!r}), '127.0.0.1')); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(CODE)})
    for name in MAPS:
        path = config.database(name)
        assert sorted(one.name for one in path.parent.iterdir()) == [f"{name}.db", f"{name}.db-shm", f"{name}.db-wal"]


@pytest.mark.parametrize("damage", [b"", b"not a database at all, but long enough to be read as one" * 100])
def test_a_damaged_file_is_told_and_set_aside(config: NodeConfig, damage: bytes) -> None:
    path = config.database("secrets")
    if not damage:
        sqlite3.connect(path).close()
        damage = b"\x00" * 4096
    path.write_bytes(damage)
    with pytest.raises(maps.MapsDamaged) as damaged:
        maps.open_files(config)
    assert damaged.value.name == "secrets"
    assert maps.set_aside(config, "secrets").read_bytes() == damage
    for one in maps.open_files(config):
        one.connection.close()


def test_a_file_that_grew_says_so_until_all_was_asked_for_again(config: NodeConfig) -> None:
    """What belongs into a new column is not in the rows that are there: who reads them would take it for nothing."""
    files = maps.open_files(config)
    assert files.maps.marked(maps.GROWN) is None, "made new, it lacks nothing"
    files.maps.connection.executescript("DROP TABLE forbidden; DROP TABLE alias_domain;")
    for one in files:
        one.connection.close()
    again = maps.open_files(config)
    assert again.maps.marked(maps.GROWN) == maps.YES and again.keys.marked(maps.GROWN) is None
    for one in again:
        one.connection.close()
