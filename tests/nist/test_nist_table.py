"""The table is whole: every row once, each with tests, and each of those is there and is run."""

from __future__ import annotations

import pytest

from collecting import collected, functions
from nist.table import ROWS, ROWS_HERE, Row

MANY = 19


def there() -> frozenset[str]:
    """What would be run of the files that the table names."""
    return functions(collected(test for row in ROWS for test in row.tests))


def missing(row: Row) -> list[str]:
    return [test for test in row.tests if test not in there()]


def test_every_row_is_there_once_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, MANY + 1))


@pytest.mark.matrix
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number:02}")
def test_a_row_is_held_by_tests_that_are_run(row: Row) -> None:
    assert row.tests, f"row {row.number} has no test: {row.rule}"
    assert missing(row) == []


@pytest.mark.matrix
def test_a_test_that_is_gone_is_missed() -> None:
    gone = Row(0, "", "", ("tests/nist/test_nist_table.py::test_of_another_time", "tests/nowhere.py::test_x"))
    assert len(missing(gone)) == 2


@pytest.mark.matrix
def test_each_test_here_is_named_after_a_row_that_names_it() -> None:
    named = {
        test
        for row in ROWS
        for test in row.tests
        if test.startswith(f"tests/nist/test_nist_rows.py::test_row_{row.number:02}_")
    }
    here = {one for one in there() if one.startswith(ROWS_HERE)}
    assert here == named
