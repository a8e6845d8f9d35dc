"""A worker sleeps past its turn and another does its work: when it wakes, what it writes is refused."""

import contextlib
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hands import Hands
from test_worker_killed import RESUMED, everything_once

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill


def test_a_worker_asleep_past_its_turn(stack: Stack, hands: Hands, house: House) -> None:
    """Guard: a try takes its number first and notes its outcome only under that number (carry.attempt, _noted)."""
    client, name = house.new_client(), f"d{uuid.uuid4().hex[:10]}.example"
    first, pdns = hands.pid("worker"), hands.pid("pdns")
    hands.hold(first)
    added = house.operator.change("domains.add", {"client": client, "name": name})
    hands.hold(pdns)
    hands.let_go(first)
    until("it is at work", lambda: tries(hands, added) == [1], every=0.01)
    time.sleep(0.2)  # by now it waits for the name server's answer
    hands.hold(first)
    hands.let_go(pdns)
    with second_worker(hands, first):
        house.operator.verified(added, within=RESUMED)
        everything_once(stack, hands, house, name)
        noted, zone = deliveries(hands, added), hands.zone(name)
        assert tries(hands, added) == [2]
        log = hands.state / "log/worker.log"
        size = log.stat().st_size
        hands.let_go(first)
        time.sleep(5)  # longer than the question it was asking may take
        assert hands.pid("worker") == first, log.read_text()[size:]
        assert (deliveries(hands, added), hands.zone(name)) == (noted, zone)
        everything_once(stack, hands, house, name)


@contextlib.contextmanager
def second_worker(hands: Hands, like: int) -> Iterator[int]:
    """Another worker of the same installation, started by hand."""
    pairs = (Path("/proc") / str(like) / "environ").read_bytes().decode().split("\0")
    environ = dict(pair.split("=", 1) for pair in pairs if pair)
    who = ["setpriv", "--reuid=postroom", "--regid=postroom", "--init-groups", "--"]
    said = (hands.state / "log/second-worker.log").open("wb")
    process = subprocess.Popen([*who, str(hands.stack.program), "worker"], env=environ, cwd="/", stdout=said,
                               stderr=said, stdin=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)
        said.close()
        os.unlink(hands.state / "log/second-worker.log")


def tries(hands: Hands, change: Any) -> list[int]:
    rows = hands.sql("SELECT attempt FROM deliveries WHERE change_id = %s AND target = 'zone'", change["id"])
    return [row[0] for row in rows]


def deliveries(hands: Hands, change: Any) -> list[tuple[Any, ...]]:
    """Of the change and all that followed from it."""
    tree = (
        "WITH RECURSIVE t(id) AS (SELECT %s::uuid UNION SELECT c.id FROM changes c JOIN t ON c.caused_by_id = t.id) "
        "SELECT d.* FROM deliveries d JOIN t ON t.id = d.change_id ORDER BY d.id"
    )
    return hands.sql(tree, change["id"])
