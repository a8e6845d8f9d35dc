"""What doctor says of the clock."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import doctor
from postroom.models import Due


def test_a_line_the_clock_has_not_done_is_wrong_after_five_minutes(house: House) -> None:
    assert [one.good for one in doctor._safely(doctor._clock)] == [True]
    with acting_as(SYSTEM):
        Due.objects.create(at=timezone.now() - timedelta(minutes=4), kind="grants.end")
    assert [one.good for one in doctor._safely(doctor._clock)] == [True]
    with acting_as(SYSTEM):
        Due.objects.create(at=timezone.now() - timedelta(minutes=6), kind="freezes.end")
    (found,) = doctor._safely(doctor._clock)
    assert found.good is False and "freezes.end" in found.words


def test_a_guard_that_fires_for_replicas_alone_is_none(house: House, sql: Any) -> None:
    """Switched off is not the only way to have a trigger that stands there and does nothing."""
    assert all(one.good for one in (*doctor._safely(doctor._triggers), *doctor._safely(doctor._kept)))
    sql("ALTER TABLE mailboxes ENABLE REPLICA TRIGGER postroom_guard", "ALTER TABLE edits ENABLE REPLICA TRIGGER"
        " postroom_kept", "UPDATE mailboxes SET name = 'x'")  # fmt: skip
    (guard,), (kept,) = doctor._safely(doctor._triggers), doctor._safely(doctor._kept)
    assert (guard.good, kept.good) == (False, False)
    assert guard.words == "missing on mailboxes" and kept.words == "missing on edits"


def test_a_guard_that_lets_all_through_is_none(house: House, sql: Any) -> None:
    sql("CREATE OR REPLACE FUNCTION postroom_guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "UPDATE mailboxes SET name = 'x'")  # fmt: skip
    (guard,) = doctor._safely(doctor._triggers)
    assert guard.good is False and "postroom_guard" in guard.words
