"""The table is whole: every row, every test it names, every flaw it plants; and nothing it waits for is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from django.urls import URLPattern, get_resolver

import postroom
from collecting import collected, functions
from flaws.page import COMMAND, page
from flaws.plants import instead
from flaws.table import ROWS, Row, Waits
from postroom.api.urls import api
from postroom.changes.kind import KINDS
from postroom.cli import main

CHECKOUT = Path(__file__).parents[2]
HOUSE = Path(postroom.__file__).parent
MANY = 35

# Names that hold a word of the table and are no such feature, each with its reason.
NOT_IT = {
    "module dns/delegations.py": "of zones, not of mailboxes",
    "module protocols/csv_cells.py": "writes tables, and reads none",
}


def test_every_row_is_there_once_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, MANY + 1))


def missing(row: Row) -> Iterator[str]:
    """Tests that no run has. A flaw is planted at one whole name: where its parameter has another, it never is."""
    there = collected(test for row in ROWS for test in (*row.tests, *(planted for _, planted, _ in row.planted)))
    yield from (test for test in row.tests if test not in functions(there))
    yield from (test for _, test, _ in row.planted if test not in there)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number:02}")
def test_a_row_is_held_by_tests_that_are_there_or_says_what_it_waits_for(row: Row) -> None:
    assert list(missing(row)) == []
    assert bool(row.tests) == bool(row.planted), "what holds a row was seen to find its flaw"
    assert row.tests or row.waits, "neither held nor waiting"
    named = {test.partition("[")[0] for test in row.tests}
    assert {test.partition("[")[0] for _, test, _ in row.planted} <= named, "a plant is found by a test of its row"


def test_a_test_that_is_gone_is_missed() -> None:
    gone = Row(1, "", "", ("tests/web/test_urls.py::test_of_another_time", "tests/nowhere.py::test_x"))
    assert list(missing(gone)) == list(gone.tests)


def test_a_plant_at_a_parameter_that_is_gone_is_missed() -> None:
    """And at none where the test has some: nothing would be planted, and nothing would say so."""
    (one, *_) = [test for row in ROWS for _, test, _ in row.planted if "[" in test]
    base, _, which = one.partition("[")
    for where in (f"{base}[of another time]", f"{base}[{which[:-1]}", base):
        assert list(missing(Row(1, "", "", (base,), (("x", where, instead("nowhere", 0)),)))) == [where]
    assert list(missing(Row(1, "", "", (base,), (("x", one, instead("nowhere", 0)),)))) == []


def names() -> Iterator[str]:
    """All that this product has names for: kinds, addresses, operations, modules, commands."""
    yield from (f"kind {name}" for name in KINDS)
    yield from (f"address {one}" for one in addresses("/", get_resolver().url_patterns))
    for prefix, router in api._routers:
        yield from (f"operation {prefix}{path}" for path in router.path_operations)
    yield from (f"module {path.relative_to(HOUSE).as_posix()}" for path in HOUSE.rglob("*.py"))
    yield from (f"command {one}" for one in commands("", main))


def addresses(prefix: str, patterns: object) -> Iterator[str]:
    for one in patterns:  # type: ignore[attr-defined]
        here = prefix + str(one.pattern)
        yield from [here] if isinstance(one, URLPattern) else addresses(here, one.url_patterns)


def commands(above: str, one: click.Command) -> Iterator[str]:
    yield f"{above} {one.name}".strip()
    if isinstance(one, click.Group):
        for below in one.commands.values():
            yield from commands(f"{above} {one.name}".strip(), below)


def come(waits: Waits, known: list[str]) -> list[str]:
    """What has the name of the feature that is waited for. `x.` means a kind's noun, `/x` an address."""
    return [name for name in known if name not in NOT_IT and any(word in name.lower() for word in waits.words)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.waits], ids=lambda row: f"{row.number:02}")
def test_what_a_row_waits_for_is_not_there_yet(row: Row) -> None:
    known = list(names())
    assert len(known) > 300
    for waits in row.waits:
        assert come(waits, known) == [], f"row {row.number}: {waits.what} is there now; give the row its test"


@pytest.mark.parametrize("row", [row for row in ROWS if row.waits], ids=lambda row: f"{row.number:02}")
def test_what_a_row_waits_for_is_seen_when_it_comes(row: Row) -> None:
    for waits in row.waits:
        assert waits.what and re.fullmatch(r"issues? [\d, ]+|not filed yet", waits.brings) and waits.words
        for word in waits.words:
            assert come(waits, [f"module x/{word}.py", f"kind {word}create", f"address /{word.strip('/')}/"]), word


def test_nothing_is_excused_that_is_not_there() -> None:
    known = set(names())
    assert [name for name in NOT_IT if name not in known] == []


def test_the_page_says_what_the_table_says() -> None:
    assert (CHECKOUT / "docs/flaws.md").read_text() == page(), f"docs/flaws.md is out of date: run {COMMAND}"
