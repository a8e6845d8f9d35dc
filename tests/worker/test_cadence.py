"""Whoever looks at all domains keeps up with them, many at a time, and asks no server more often than is decent."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from cast import House, as_wanted
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.readings import ZoneRead
from postroom.models import Reading, ServerReading
from postroom.models.domains import FRESH
from postroom.posture.checks.drift import DRIFT
from postroom.resolve import walk
from postroom.resolve.answer import Server
from postroom.resolve.pace import Pace
from postroom.worker import cadence, name_servers, watch
from postroom.worker.cadence import BEAT, THREADS, at_once, side_by_side
from postroom.worker.name_servers import NameServers


@pytest.mark.parametrize("total", [0, 1, 420, 480, 1_200, 5_000, 16_800])
def test_what_is_changed_at_dns_is_found_within_five_minutes(total: int) -> None:
    """Its zone is read, and after that the check has its turn."""
    beats = (timedelta(minutes=5) - timedelta(seconds=DRIFT.every)) // BEAT
    many = at_once(total, least=watch.AT_ONCE, within=watch.WITHIN)
    assert many * beats >= total and many >= watch.AT_ONCE


@pytest.mark.parametrize("total", [0, 1, 1_200, 5_000, 20_000, 38_000])
def test_each_server_is_asked_again_before_what_it_said_is_old(total: int) -> None:
    many = at_once(total, least=name_servers.AT_ONCE, within=name_servers.WITHIN)
    assert many * (FRESH / BEAT) >= total and many >= name_servers.AT_ONCE


def test_and_no_more_are_taken_than_one_worker_can_ask() -> None:
    assert at_once(10_000_000, least=10, within=watch.WITHIN) == cadence.MOST
    assert 10 * (FRESH / BEAT) < 20_000, "as many as were always taken would not do"


def test_they_are_asked_side_by_side_in_their_order_and_not_all_at_once() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def one(n: int) -> int:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        time.sleep(0.01)
        with lock:
            now -= 1
        return n

    assert list(side_by_side(one, range(64))) == list(range(64))
    assert 4 <= most <= THREADS


def test_a_server_is_asked_so_often_a_second_and_another_one_meanwhile() -> None:
    time_ = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        time_.now += seconds

    pace = Pace(100, clock=lambda: time_.now, sleep=sleep)
    one, other = Server("ns1.x.", "192.0.2.1"), Server("ns2.x.", "192.0.2.2")
    for _ in range(201):
        pace.wait(one)
    assert time_.now == pytest.approx(2.0)
    pace.wait(other)
    assert time_.now == pytest.approx(2.0), "what one server has had is no other's"


def test_every_question_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(walk, "ask", lambda server, name, type, timeout: asked.append("asked"))
    monkeypatch.setattr(walk, "exchange", lambda server, name, type, timeout: walk.not_read(server, name, type, "x"))
    pace = SimpleNamespace(wait=lambda server: asked.append("waited"))
    net = walk.NetResolver([Server("root.", "192.0.2.1")], pace=pace)  # type: ignore[arg-type]
    net.ask(Server("ns1.x.", "192.0.2.1"), "x.", "A")
    assert asked == ["waited", "asked"]
    net.authoritative("acme.example.")
    assert asked == ["waited", "asked", "waited"]


def test_both_readers_take_as_many_as_there_are(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand domains a beat takes more than its least; here two, whose share is two."""
    for zone in ("acme.example", "globex.example"):
        as_wanted(house, zone)
    with acting_as(SYSTEM):
        Reading.objects.update(at=timezone.now() - timedelta(hours=1))
    where = []

    def read(zone: str, hosting: str) -> ZoneRead:
        where.append(threading.current_thread())
        with acting_as(SYSTEM):  # as a zone that is read by name does
            assert Reading.objects.exists()
        return ZoneRead(zone)

    for module in (watch, name_servers):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(watch, "read", read)
    monkeypatch.setattr(name_servers, "resolver", lambda: SimpleNamespace(authoritative=lambda zone: ()))
    assert (watch.look_around(), NameServers().look()) == (1, 1)
    for module in (watch, name_servers):
        monkeypatch.setattr(module, "WITHIN", BEAT)
    with acting_as(SYSTEM):
        Reading.objects.update(at=timezone.now() - timedelta(hours=1))
        assert not ServerReading.objects.exists()
    assert (watch.look_around(), NameServers().look()) == (2, 2)
    assert threading.main_thread() not in where and connection.connection is not None
