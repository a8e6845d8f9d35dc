"""Jobs of a worker that died go back on the queue, and those of a living one do not, whatever the time of day says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.worker import clock
from postroom.worker.stalled import ALIVE_EVERY, LOOKS, Stalled

Sql = Callable[..., list[tuple[object, ...]]]
ALIVE = "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat + interval '5 s'"


@pytest.fixture
def job(house: House, sql: Sql) -> int:
    """One in the hands of a worker whose sign of life is a week old."""
    with acting_as(SYSTEM):
        made = app.configure_task("postroom.carry_out", queue="deliver", lock="x").defer(change_id="x")
    then = timezone.now() - timedelta(days=7)
    sql(f"INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE VALUES (7, '{then}')",
        f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = 7 WHERE id = {made}")  # fmt: skip
    return made


def status(sql: Sql, job: int) -> tuple[object, ...]:
    return sql(f"SELECT status, attempts FROM procrastinate_jobs WHERE id = {job}")[0]


@pytest.mark.parametrize("first", ["SELECT 1", "DELETE FROM procrastinate_workers"], ids=["silent", "struck off"])
def test_a_worker_that_gives_no_sign_over_several_looks_is_dead(sql: Sql, job: int, first: str) -> None:
    sql(first)
    stalled = Stalled()
    for _ in range(LOOKS):
        stalled.look()
        assert status(sql, job) == ("doing", 0)
    stalled.look()
    assert status(sql, job) == ("todo", 1)
    assert LOOKS * ALIVE_EVERY == 20, "seconds, which the drills count on"


def test_one_whose_sign_is_old_but_moves_is_alive(sql: Sql, job: int) -> None:
    """The machine was asleep for a week, or its clock was set: nothing is begun twice."""
    stalled = Stalled()
    for _ in range(3 * LOOKS):
        stalled.look()
        sql(ALIVE)
    assert status(sql, job) == ("doing", 0)


def test_a_job_that_was_begun_anew_has_all_its_time_again(sql: Sql, job: int) -> None:
    stalled = Stalled()
    for _ in range(LOOKS):
        stalled.look()
    sql(f"UPDATE procrastinate_jobs SET attempts = 1 WHERE id = {job}")
    stalled.look()
    assert status(sql, job) == ("doing", 1)


def test_two_that_look_put_it_back_once(sql: Sql, job: int) -> None:
    pair = (Stalled(), Stalled())
    for _ in range(LOOKS + 1):
        for one in pair:
            one.look()
    assert status(sql, job) == ("todo", 1)


def test_no_job_is_made_for_every_five_seconds_that_a_machine_slept() -> None:
    """The queue's own timetable makes up for each of them: 138,240 after eight days, before anything else is done."""
    assert not app.periodic_registry.periodic_tasks
    assert any(beat.every == ALIVE_EVERY for beat in clock.beats())
