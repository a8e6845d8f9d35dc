"""The demo is stopped by Ctrl-C and started again: all is there, nothing is loaded twice, and it takes seconds."""

import time
from typing import Any

import pytest
from hands import Hands

from conftest import House
from world import Person, Stack, until

pytestmark = pytest.mark.drill(last=True)
WITHIN = 20  # seconds, for a second start (on a machine that has its processors to itself)
NOUNS = ("clients", "domains", "mailboxes", "people", "changes", "entries")
SERVICES = ("up", "web", "worker", "pdns", "agent", "milter", "dovecot", "postfix")


def test_a_second_start_keeps_all_and_loads_nothing_twice(stack: Stack, hands: Hands, house: House) -> None:
    """Guard: the load asks whether its last step is there, and each step has an idempotency key (cli/demo.py)."""
    assert stack.up is not None, "POSTROOM_TEST_STACK is somebody else's to stop; run this without it"
    owner = house.owner
    until("nothing is under way", lambda: steady(owner), within=180)
    before, busy = everything(owner), how_busy()
    assert len(before["mailboxes"]) >= 60 and len(before["changes"]) >= 150

    assert stack.up.stop() == 0
    assert not (stack.state / "endpoints.json").exists()
    assert [one for one in SERVICES if hands.pid(one)] == []

    took = stack.up.start()
    busy = max(busy, how_busy())
    stack.look_again()
    after = everything(owner)
    for noun in NOUNS:
        assert before[noun].keys() <= after[noun].keys(), f"{noun} of before are there"
    for noun in NOUNS[:4]:
        assert before[noun].keys() == after[noun].keys(), f"no {noun} besides"
    new = [after["changes"][one] for one in after["changes"].keys() - before["changes"].keys()]
    assert {one["actor"] for one in new} <= {"system", "clock"}, new
    grown = len(after["entries"]) - len(before["entries"])
    assert grown < len(before["changes"]) / 3, f"{grown} entries: links for the demo people, and what went on meanwhile"
    assert took < WITHIN * busy, f"{took:.1f} s, while a loop took {busy:.1f} times as long as its work"


def everything(person: Person) -> dict[str, dict[Any, Any]]:
    """noun → id → row, of all there is."""
    return {noun: {one["id"]: one for one in pages(person, noun)} for noun in NOUNS}


def steady(person: Person) -> bool:
    """Whether the record does not grow for some seconds: what was carried out is an entry too."""
    newest = person.get("/entries?limit=1")["items"][0]["id"]
    time.sleep(5)
    return bool(person.get("/entries?limit=1")["items"][0]["id"] == newest)


def pages(person: Person, noun: str) -> list[Any]:
    rows, after = [], ""
    while True:
        page = person.get(f"/{noun}?limit=500{after}")
        rows += page["items"]
        if not page["next"]:
            return rows
        after = f"&after={page['next']}"


def how_busy() -> float:
    """How many times longer than its own work a loop takes here now; 1 on a machine that has nothing else to do."""
    wall, work = time.perf_counter(), time.process_time()
    while time.process_time() - work < 0.5:
        pass
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - work))
