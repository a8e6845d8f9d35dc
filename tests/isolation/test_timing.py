"""How long an answer takes tells nobody that there is a foreign object: it takes as long as for one there is not.

A foreign one and one there is not are asked in turns, and compared by their medians, and by the quickest answer of
each, which a busy machine slows least: a difference that is there is in both. What seems to differ is asked again,
longer each time, and what is there stays.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
from asked import API
from asked_kinds import of_kinds
from asked_pages import PAGES
from cells import Cell, grounds, of_objects, sends
from principals import NAMED, Principal
from test_matrix import unhurried  # noqa: F401  a fixture
from three_clients import World

from postroom.changes.errors import NotThere
from postroom.queries import objects

pytestmark = pytest.mark.matrix
APART = 0.005  # seconds
ROUNDS = (9, 25, 61)  # pairs of questions; the next only where the one before seemed to differ
SEED, SAMPLE = 20261130, 12
ASKS = "operator of A"
Pair = tuple[Cell, Cell]


def pairs(who: Principal, world: World) -> list[Pair]:
    """Every way to name a foreign object, and the same for one that there is not: both are not there."""
    all_of, found = grounds(world, who), {}
    for cell in _cells(who, all_of):
        if cell.twin and cell.expect == "not there" and cell.letter not in who.knows:
            found.setdefault(cell.twin, []).append(cell)
    return [(first, second) for first, second in (both for both in found.values() if len(both) == 2)]


def _cells(who: Principal, all_of: Any) -> Iterator[Cell]:
    for what, asked in {**API, **PAGES}.items():
        if asked.about:
            yield from of_objects(who, what, asked, all_of)
    yield from of_kinds(who, all_of)


def lag(http: dict[bool, Any], pair: Pair, times: int) -> float:
    """Seconds by which the foreign one takes longer, or is quicker: at the median, and where nothing was in the way."""
    took: dict[int, list[float]] = {0: [], 1: []}
    for n in range(times):
        for at in (0, 1) if n % 2 else (1, 0):
            began = time.perf_counter()
            sends(http[pair[at].at_api], pair[at])
            took[at].append(time.perf_counter() - began)
    return min(abs(of(took[0]) - of(took[1])) for of in (median, min))


def apart(http: dict[bool, Any], pair: Pair) -> bool:
    sends(http[pair[0].at_api], pair[0])  # what is read once is read
    return all(lag(http, pair, times) >= APART for times in ROUNDS)


def doors(who: Principal, world: World) -> dict[bool, Any]:
    return {True: who.at_api(world), False: who.at_pages(world)}


def told_apart(world: World, chosen: list[Pair]) -> list[str]:
    http = doors(NAMED[ASKS], world)
    return [f"{one[0]}: by how long it takes" for one in chosen if apart(http, one)]


@pytest.mark.usefixtures("unhurried")
def test_a_foreign_object_takes_as_long_as_none(world: World) -> None:
    """A seeded sample of all routes and kinds; POSTROOM_SOAK: all of them."""
    every = pairs(NAMED[ASKS], world)
    assert len(every) > 100
    chosen = random.Random(SEED).sample(every, SAMPLE) + [one for one in every if "history.roll_back" in str(one[0])]
    assert told_apart(world, chosen) == [], f"seed {SEED}"


@pytest.mark.soak
@pytest.mark.skipif(not os.environ.get("POSTROOM_SOAK"), reason="minutes: make soak asks all of them")
@pytest.mark.usefixtures("unhurried")
def test_every_foreign_object_takes_as_long_as_none(world: World) -> None:
    assert told_apart(world, pairs(NAMED[ASKS], world)) == []


@pytest.mark.usefixtures("unhurried")
def test_a_door_that_looks_longer_at_what_is_there_is_found(
    world: World, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flaw: what is somebody else's is read first, and only then said not to be there."""
    real = objects.one

    def slow(actor: Any, noun: str, ref: str, **more: Any) -> Any:
        try:
            return real(actor, noun, ref, **more)
        except NotThere:
            table = objects.NOUNS[noun].model._meta.db_table
            admin.execute(f"SELECT pg_sleep(0.03) FROM {table} WHERE id::text = %s", [ref])
            raise

    what = "GET /api/v1/mailboxes/<ref>"
    one = next(both for both in pairs(NAMED[ASKS], world) if both[0].twin == f"{what} by ('mailbox',)")
    assert told_apart(world, [one]) == []
    monkeypatch.setattr("postroom.api.objects.one", slow)
    assert told_apart(world, [one]) != []
