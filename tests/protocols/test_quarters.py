"""Who is due a round, and when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from postroom.protocols.quarters import before, began, is_due, quarter_of

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("at, quarter", [
    (datetime(2026, 1, 1, tzinfo=UTC), "2026-Q1"), (datetime(2026, 3, 31, 23, 59, tzinfo=UTC), "2026-Q1"),
    (datetime(2026, 4, 1, tzinfo=UTC), "2026-Q2"), (datetime(2026, 9, 30, tzinfo=UTC), "2026-Q3"),
    (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "2026-Q4"),
    (datetime(2027, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-Q4"),
])  # fmt: skip
def test_a_moment_lies_in_one_quarter_of_utc(at: datetime, quarter: str) -> None:
    assert quarter_of(at) == quarter and began(quarter) <= at < began(quarter) + timedelta(days=93)


def test_quarters_follow_each_other_and_sort_by_their_names() -> None:
    names, at = [], datetime(2024, 1, 1, tzinfo=UTC)
    for _ in range(12):
        names.append(quarter_of(at))
        assert began(names[-1]) == at and quarter_of(at - SECOND) == before(names[-1])
        at = began(quarter_of(at + timedelta(days=95)))
    assert names == sorted(set(names)) and len(names) == 12


NOW = datetime(2026, 11, 29, tzinfo=UTC)
Q4 = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize("made, newest, now, due", [
    (Q4 - SECOND, "", NOW, True),  # an update of an installation: there are clients, and there was never a round
    (Q4, "", NOW, False), (NOW, "", NOW, False),  # made within this quarter: the next one
    (NOW, "", datetime(2027, 1, 1, tzinfo=UTC), True),
    (Q4 - SECOND, "2026-Q3", NOW, True), (Q4 - SECOND, "2026-Q4", NOW, False),
    (Q4 - SECOND, "2025-Q1", NOW, True),  # dark for long: one, for now
    (Q4, "2026-Q4", NOW, False),  # asked for by hand
    (Q4 - SECOND, "2027-Q1", NOW, False),  # the clock was ahead
])  # fmt: skip
def test_who_is_due(made: datetime, newest: str, now: datetime, due: bool) -> None:
    assert is_due(made, newest, now) is due
