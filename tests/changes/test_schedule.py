"""For when a change may be kept: a time the clock can come to, and every reader can read."""

from datetime import UTC, datetime, timedelta

import pytest

from cast import MIA, House, kind, tick
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problem
from postroom.changes.pipeline import submit
from postroom.models import Due

NOW = datetime.now(UTC)
OUT_OF_REACH = [
    NOW - timedelta(minutes=1),
    NOW + timedelta(days=6 * 366),
    (NOW + timedelta(hours=1)).replace(tzinfo=None),
    datetime.fromisoformat("9999-12-31T23:59:59-14:00"),
    datetime.fromisoformat("0001-01-01T00:00:00+14:00"),
]


def test_a_change_waits_for_no_time_that_never_comes(house: House) -> None:
    for at in OUT_OF_REACH:
        with pytest.raises(Problem) as wrong:
            submit(kind("mailboxes.suspend", mailbox=MIA), actor=house.olive, why="x", at=at)
        assert wrong.value.where == "at", at
    good = submit(
        kind("mailboxes.suspend", mailbox=MIA), actor=house.olive, why="x", at=NOW + timedelta(days=4 * 366), key="k"
    )
    assert good.stage == "scheduled"


def test_a_line_that_cannot_be_read_hides_no_other(house: House, sql) -> None:  # type: ignore[no-untyped-def]
    """Year 1 before Christ: PostgreSQL holds it, Python does not."""
    submit(kind("mailboxes.suspend", mailbox=MIA), actor=house.olive, why="x", at=NOW + timedelta(hours=1))
    with acting_as(SYSTEM):
        other = Due.objects.create(at=NOW, kind="grants.end", params={"grant": str(house.olive.person)})
    sql(f"UPDATE due SET at = '0001-01-01 00:00:00 BC' WHERE id = {other.pk}")
    assert [change.stage for change in tick(NOW + timedelta(hours=2))] == ["applied"]
