"""Each question of doctor's, beside what is so: good, wrong, or not known."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.readings import ZoneRead
from postroom.cli import doctor
from postroom.cli.doctor import PARTS, Answer
from postroom.host import answers, ports, processes
from postroom.host.installation import Installation
from postroom.models import Delivery, Entry, Node, NodeTodo, Report

RUN = dict.fromkeys(PARTS, True)
AWAY = {"milter": True, "parent": "[Errno 111] Connection refused"}
Says = dict[str, tuple[bool | None, str]]
PAST_THE_GUARDS = "SET session_replication_role = replica"


def said(question: Any) -> Says:
    return {one.asked: (one.good, one.words) for one in doctor._safely(question)}


def here(folder: Path, *, address: str = "127.0.0.1", web_port: int = 0) -> Installation:
    return Installation(folder, "a test", False, address, "", web_port)


@pytest.mark.parametrize(("facts", "ago", "good", "words"), [
    (RUN, 0, True, "last heartbeat"),
    (RUN, 50, True, "last heartbeat 5"),
    (RUN, 61, False, "last heartbeat 6"),
    *(({**RUN, name: False}, 0, False, f"; down: {name}") for name in PARTS),
    *(({key: True for key in PARTS if key != name}, 0, None, f"not known: {name}: it did not say") for name in PARTS),
    (AWAY, 0, False, "not known: agent, postfix, dovecot, auth_policy, srs: the node's parent is away: [Errno 111]"),
    ({**RUN, "dovecot": False, "postfix": "?"}, 0, False, "; down: dovecot; not known: postfix"),
])  # fmt: skip
def test_a_node(house: House, facts: dict[str, Any], ago: int, good: bool | None, words: str) -> None:
    with acting_as(SYSTEM):
        at = timezone.now() - timedelta(seconds=ago)
        Report.objects.create(node=Node.objects.get(name="mx1"), sort="heartbeat", facts=facts, at=at)
    found = said(doctor._node)
    assert found["node mx1"][0] is good and words in found["node mx1"][1]
    assert found["node mx2"] == (None, "no heartbeat yet")


def test_a_node_in_step(house: House, sql: Any) -> None:
    with acting_as(SYSTEM):
        mx1 = Node.objects.get(name="mx1")
        Report.objects.create(node=mx1, sort="heartbeat", facts=RUN, at=timezone.now())
    sql(PAST_THE_GUARDS, "DELETE FROM node_todo")
    assert said(doctor._node)["node mx1 in step"] == (True, "0 objects to look at again")
    with acting_as(SYSTEM):
        NodeTodo.objects.create(node=mx1, object="domain", object_id=mx1.pk)
    assert said(doctor._node)["node mx1 in step"] == (False, "1 objects to look at again")


def test_no_node_has_joined(database: str) -> None:
    ((good, words),) = said(doctor._node).values()
    assert good is None and "none has joined yet" in words


@pytest.mark.parametrize(("ago", "good"), [(None, False), (5, True), (59, True), (61, False)])
def test_a_worker(house: House, sql: Any, ago: int | None, good: bool) -> None:
    if ago is not None:
        sql(f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{ago} seconds')",
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 day')")  # fmt: skip
    found = said(doctor._worker)["worker"]
    assert found[0] is good and ("none has ever worked" in found[1]) == (ago is None)


@pytest.mark.parametrize(("minutes", "done", "good"), [(4, False, True), (6, False, False), (6, True, True)])
def test_a_delivery_that_waits(house: House, minutes: int, done: bool, good: bool) -> None:
    with acting_as(SYSTEM):
        Delivery.objects.update(done=True)
        one = Delivery.objects.filter(target="zone").latest("id")
        since = timezone.now() - timedelta(minutes=minutes)
        Delivery.objects.filter(pk=one.pk).update(done=done, since=since, why="500 backend unavailable")
    ((found, words),) = said(doctor._overdue).values()
    assert found is good and ("1, the oldest: zone" in words and "500 backend" in words) == (not good)


def test_a_name_server(house: House) -> None:
    stands = {("acme.example.", "A"): {"ttl": 1, "values": ["127.0.0.1"]}}
    house.zones["acme.example"] = ZoneRead("acme.example", stands)
    assert said(doctor._zone) == {"our name server can be read": (True, "acme.example: 1 sets")}
    house.zones["acme.example"] = ZoneRead("acme.example", failed="our own PowerDNS: refused")
    assert said(doctor._zone) == {"our name server can be read": (False, "our own PowerDNS: refused")}


@pytest.mark.parametrize(("off", "good"), [(None, True), ("start", False), ("boot", False), ("pid", False)])
def test_a_process(tmp_path: Path, off: str | None, good: bool) -> None:
    """Another program that got the number of one of ours is none of ours."""
    me = processes.read(os.getpid())
    assert me is not None
    told: dict[str, Any] = {"pid": me.pid, "start": me.start, "boot": processes.boot_id()}
    if off:
        told[off] = {"pid": 2**22 + 1, "start": me.start + 1, "boot": "another"}[off]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/web.pid").write_text(f"{told['pid']} {told['start']} {told['boot']} 15\n")
    (found,) = doctor._processes(here(tmp_path))
    assert found.asked == "process web" and found.good is good and ("is gone" in found.words) != good


@contextmanager
def listening(says: bytes) -> Iterator[int]:
    """A port that takes connections and says this to each; nothing: it hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                held.append(line)
                if says:
                    line.sendall(says)
                    line.close()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            serving.join(10)  # or one that was taken just now would be held by nobody
            for line in held:
                line.close()


GREETED = {"smtp": b"220 mx ESMTP\r\n", "submission": b"220 mx ESMTP\r\n", "imap": b"* OK ready\r\n",
           "managesieve": b'"IMPLEMENTATION" "x"\r\n'}  # fmt: skip
SILENT = ("submissions", "imaps", "dns", "pdns_api", "postgres")  # who comes has to speak first


def test_every_port_that_people_and_servers_are_told_of_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "NUMBERS", dict.fromkeys(doctor.NUMBERS, 1))
    found = {one.asked: one.good for one in doctor._ports(here(tmp_path))}
    assert found == {f"port {one}": False for one in (*GREETED, *SILENT)}
    assert {one.name for one in ports.PORTS if one.told} <= {*GREETED, *SILENT}


@pytest.mark.parametrize(("port", "says", "good"), [
    *((port, says, True) for port, says in GREETED.items()),
    *((port, b"", False) for port in GREETED),
    *((port, b"421 too busy\r\n", False) for port in GREETED),
    *((port, b"", True) for port in SILENT),
])  # fmt: skip
def test_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str, says: bytes, good: bool) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.3)
    monkeypatch.setattr(doctor, "PORTS", (port,))
    with listening(says) as number:
        monkeypatch.setattr(doctor, "NUMBERS", {port: number})
        (found,) = doctor._ports(here(tmp_path))
    assert found.asked == f"port {port}" and found.good is good


@pytest.mark.parametrize(("says", "good"), [
    (b"HTTP/1.1 302 Found\r\nLocation: /in/\r\nContent-Length: 0\r\n\r\n", True),
    (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", False),
    (b"220 no pages here\r\n", False),
    (b"", False),
])  # fmt: skip
def test_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes, good: bool) -> None:
    """A process that lives and takes connections may hang."""
    monkeypatch.setattr(answers, "PATIENCE_WITH_PAGES", 0.3)
    with listening(says) as number:
        found = doctor._web(here(tmp_path, web_port=number))
    assert found.asked == "pages" and found.good is good and f"localhost:{number}" in found.words
    assert doctor._web(here(tmp_path, web_port=number)).good is False, "nobody is there any more"


def test_programs_and_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name, path: None if name == "sievec" else f"/usr/bin/{name}")
    found = {one.asked: one.good for one in doctor._programs()}
    assert found.pop("program sievec") is False and found and all(found.values())
    for free, good in ((2**30, True), (2**20, False)):
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert doctor._room(here(tmp_path)).good is good


def test_the_database_is_in_step(house: House, sql: Any) -> None:
    assert said(doctor._migrations) == {"database in step": (True, "all migrations are applied")}
    sql("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'postroom')")
    assert said(doctor._migrations) == {"database in step": (False, "1 migrations are not applied")}


def test_the_record(house: House, sql: Any) -> None:
    assert said(doctor._record)["record signed"] == (None, "nothing is signed yet")
    sql(PAST_THE_GUARDS, "UPDATE entries SET at = now() - interval '9 seconds'")
    assert said(doctor._record)["every entry has its place"][0] is True, "it has a few seconds"
    sql(PAST_THE_GUARDS, "UPDATE entries SET at = now() - interval '11 seconds'")
    with acting_as(SYSTEM):
        many = Entry.objects.count()
    assert said(doctor._record)["every entry has its place"] == (False, f"{many} have none")
    with acting_as(SYSTEM):
        newest = Entry.objects.latest("id").pk
    sql(PAST_THE_GUARDS, f"INSERT INTO places (entry_id, log_index, client_index) VALUES ({newest}, 7, 7)")
    for size, ago, good in ((8, 90, True), (7, 50, True), (7, 61, False)):
        at = f"now() - interval '{ago} seconds'"
        made = f"INSERT INTO checkpoints (size, root, note, at) VALUES ({size}, '', '', {at})"
        sql(PAST_THE_GUARDS, "DELETE FROM checkpoints", made)
        assert said(doctor._record)["record signed"][0] is good, (size, ago)


def test_the_signer(house: House, sql: Any, tmp_path: Path) -> None:
    assert said(doctor._told) == {} and not list(doctor._signer(here(tmp_path)))
    sql("INSERT INTO signer_alarms (id, why, since) VALUES (1, 'another tree', now())")
    assert said(doctor._told)["the signer"][0] is False
    (tmp_path / "signer").mkdir()
    (tmp_path / "signer/alarm").write_text("another tree\n")
    assert [(one.good, "another tree" in one.words) for one in doctor._signer(here(tmp_path))] == [(False, True)]


@pytest.mark.parametrize("error", [OSError("no route"), DatabaseError("gone\nand more")])
def test_what_cannot_be_asked_is_not_known(house: House, error: Exception) -> None:
    def _question() -> Iterator[Answer]:
        raise error
        yield Answer("", True, "")

    assert said(_question) == {"question": (None, str(error).splitlines()[0])}
