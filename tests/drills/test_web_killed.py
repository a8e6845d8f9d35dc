"""The web dies by kill -9 in the middle of requests: each change is there whole or not at all, and a retry finds it."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hands import Hands, asked, insisted, sent

from conftest import House
from world import Stack, until

pytestmark = pytest.mark.drill
PART = 25  # mailboxes in one change that needs no second person


@pytest.mark.parametrize("points", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_web_killed_while_mailboxes_are_made_in_bulk(
    stack: Stack, hands: Hands, house: House, rng: random.Random, points: int
) -> None:
    """Guard: the key is looked up, under a lock, in the transaction that writes (pipeline._made_before)."""
    client = house.new_client()
    domain = house.new_domain(client)
    started = time.monotonic()
    insisted(house.operator, "mailboxes.create", bulk(domain, "first", PART), "first " + domain)
    took = time.monotonic() - started
    there, absent = {f"first0@{domain}"}, set()
    for point in range(points):
        sizes = [2 * PART] if point % 3 == 2 else [PART, PART]
        parts = [bulk(domain, f"p{point}n{n}x", size) for n, size in enumerate(sizes)]
        keys = [f"{domain} {point} {n}" for n in range(len(parts))]
        with ThreadPoolExecutor(2) as pool:
            asking = [
                pool.submit(sent, house.operator, "mailboxes.create", *one) for one in zip(parts, keys, strict=True)
            ]
            time.sleep(rng.uniform(0, took * 1.5))
            shot(hands, rng)
        for part, key, answer in zip(parts, keys, asking, strict=True):
            kept = checked(hands, house, part, key, answer.result(), give_up=rng.random() < 0.3)
            (there if kept else absent).add(part[0]["address"])
            if kept and kept["stage"] == "held":
                approved_under_fire(hands, house, kept, part, rng, took)
    for (change,) in hands.sql("SELECT id FROM changes WHERE key LIKE %s", f"{domain} %"):
        house.operator.verified({"id": str(change), "kind": "mailboxes.create"}, within=60)
    rows = {row[0] for row in hands.sql("SELECT address FROM addresses WHERE address LIKE %s", f"%@{domain}")}
    rows -= {f"postmaster@{domain}", f"abuse@{domain}"}
    assert hands.in_maps(domain) == rows
    assert {one for one in there if stack.rcpt(one) != 250} == set()
    assert {one for one in absent if stack.rcpt(one) != 550} == set()
    print(f"{points} points: {len(there)} changes went through, {len(absent)} were given up")


def bulk(domain: str, tag: str, size: int) -> list[dict[str, Any]]:
    return [{"address": f"{tag}{n}@{domain}"} for n in range(size)]


def shot(hands: Hands, rng: random.Random) -> None:
    """One of the web's workers, now and then all of them."""
    workers = hands.below("web")
    hands.kill(*(workers if rng.random() < 0.25 else [rng.choice(workers)] if workers else []))


def checked(
    hands: Hands, house: House, part: list[dict[str, Any]], key: str, answer: tuple[int, Any], *, give_up: bool
) -> Any:
    """All or nothing; asked again, the same change. What was acknowledged is there."""
    whole(hands, part)
    if answer[0] in (200, 202):
        assert hands.one("SELECT count(*) FROM changes WHERE id = %s", answer[1]["id"]) == 1
    elif give_up:
        until("its transaction has ended", lambda: not _running(hands), within=10)
        if not hands.one("SELECT count(*) FROM changes WHERE key = %s", key):
            assert whole(hands, part) == 0
            return None
    again = insisted(house.operator, "mailboxes.create", part, key)
    assert again["stage"] in ("held", "applied", "verified"), again
    if answer[0] in (200, 202):
        assert again["id"] == answer[1]["id"]
    assert insisted(house.operator, "mailboxes.create", part, key)["id"] == again["id"]
    assert hands.one("SELECT count(*) FROM changes WHERE key = %s", key) == 1
    assert whole(hands, part) == (0 if again["stage"] == "held" else len(part))
    return again


def whole(hands: Hands, part: list[dict[str, Any]]) -> int:
    """How many of these addresses have a mailbox: none or all."""
    named = [one["address"] for one in part]
    joined = "SELECT count(*) FROM addresses a JOIN mailboxes m ON m.address_id = a.id WHERE a.address = ANY(%s)"
    found = int(hands.one(joined, named))
    assert found in (0, len(part))
    return found


def approved_under_fire(
    hands: Hands, house: House, held: Any, part: list[dict[str, Any]], rng: random.Random, took: float
) -> None:
    """Killed between approval and apply, or in either: the clock or a second try brings it in, once."""
    path, body = f"/changes/{held['id']}/approve", {"plan_hash": held["plan_hash"]}
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asked, house.approver, "POST", path, body)
        time.sleep(rng.uniform(0, took * 1.5))
        shot(hands, rng)
    whole(hands, part)

    def through() -> bool:
        status, now = asked(house.approver, "GET", f"/changes/{held['id']}")
        if status == 200 and now["stage"] == "held":
            asked(house.approver, "POST", path, body)
        return status == 200 and now["stage"] in ("applied", "verified")

    until("what was approved is applied", through, within=30)
    assert whole(hands, part) == len(part)
    approvals = "SELECT count(*) FROM approvals WHERE change_id = %s AND NOT void"
    assert hands.one(approvals, held["id"]) == 1


def _running(hands: Hands) -> int:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'postroom_app' AND state <> 'idle' AND query LIKE %s"
    return int(hands.one(busy, "%addresses%"))
