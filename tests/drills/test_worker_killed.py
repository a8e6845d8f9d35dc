"""The worker dies by kill -9 between an effect and its record, or at random: all is done in the end, each once."""

import random
import threading
import time
import uuid
from typing import Any

import pytest
from hands import Hands, sent

from conftest import House
from world import Browser, Stack, until

pytestmark = pytest.mark.drill
RESUMED = 95  # seconds: 35 until jobs of a dead worker go back on the queue, 60 from there


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_worker_killed_between_what_it_does_and_what_it_notes(
    stack: Stack, hands: Hands, house: House, rng: random.Random, rounds: int
) -> None:
    """Guard: every delivery reads before it writes, and a new link makes the older void (zones.write, invites.issue).

    Also worker/stalled.py: without it the job of the dead worker holds its client's queue for ever.
    """
    for _ in range(rounds):
        clients = [house.new_client() for _ in range(2)]
        published = killed_after_publishing(stack, hands, house, clients[0])
        issued = killed_after_issuing(hands, house, rng)
        at_random = killed_at_random(hands, house, clients[1], rng)
        for change in (published, issued, at_random):
            house.operator.verified(change, within=RESUMED)
        for change in (published, at_random):
            everything_once(stack, hands, house, change["params"]["name"])
        one_link_works(stack, hands, house, issued)


def killed_after_publishing(stack: Stack, hands: Hands, house: House, client: str) -> Any:
    """Its records are served, and that they are is noted nowhere: then it is killed."""
    for _ in range(8):
        name = f"d{uuid.uuid4().hex[:10]}.example"
        asking = in_background(house, "domains.add", {"client": client, "name": name})
        until("its MX is served", lambda name=name: stack.dns(name, "MX"), every=0.001)
        if change := caught(hands, "domains.add", asking):
            return change
    raise AssertionError("never caught between publishing and noting it")


def killed_after_issuing(hands: Hands, house: House, rng: random.Random) -> Any:
    """A link is issued, perhaps even mailed, and that is not noted: then it is killed."""
    for _ in range(8):
        contact = f"{uuid.uuid4().hex}@home.test"
        box = {"address": f"i{uuid.uuid4().hex[:8]}@{house.domain}", "contact": contact}
        asking = in_background(house, "mailboxes.create", box)
        link = "SELECT 1 FROM secrets s JOIN invites i ON i.id = s.owner_row WHERE i.contact = %s"
        until("a link is issued", lambda link=link, contact=contact: hands.sql(link, contact), every=0.002)
        time.sleep(rng.choice([0, rng.uniform(0, 0.1)]))
        if change := caught(hands, "mailboxes.create", asking):
            return change
    raise AssertionError("never caught between issuing a link and noting it")


def killed_at_random(hands: Hands, house: House, client: str, rng: random.Random) -> Any:
    asking = in_background(house, "domains.add", {"client": client, "name": f"d{uuid.uuid4().hex[:10]}.example"})
    time.sleep(rng.uniform(0, 2))
    worker = hands.pid("worker")
    hands.kill(worker)
    hands.back("worker", worker)
    asking["thread"].join(30)
    return asking["answer"]


def in_background(house: House, kind: str, params: Any) -> dict[str, Any]:
    asking: dict[str, Any] = {"params": params}

    def ask() -> None:
        status, asking["answer"] = sent(house.operator, kind, params)
        assert status == 200, asking["answer"]

    asking["thread"] = threading.Thread(target=ask)
    asking["thread"].start()
    return asking


def caught(hands: Hands, kind: str, asking: dict[str, Any]) -> Any:
    """Stop the worker, look whether its delivery is noted; if not, kill it there. The change, when it was caught."""
    worker = hands.pid("worker")
    hands.hold(worker)
    asking["thread"].join(30)
    change = asking["answer"]
    time.sleep(0.05)  # a commit that was sent is through by now
    left = hands.one("SELECT count(*) FROM deliveries WHERE change_id = %s AND target <> 'nodes' AND NOT done",
                     change["id"])  # fmt: skip
    if not left:
        hands.let_go(worker)
        return None
    hands.kill(worker)
    hands.held.discard(worker)
    hands.back("worker", worker)
    return change


def everything_once(stack: Stack, hands: Hands, house: House, domain: str) -> None:
    assert [len(stack.dns(domain, type)) for type in ("MX", "TXT")] == [1, 1]
    assert len(stack.dns(f"_dmarc.{domain}", "TXT")) == 1
    keys = house.operator.get(f"/dkim_keys?domain={domain}")["items"]
    assert len(keys) == 2
    for key in keys:
        assert len(stack.dns(f"{key['selector']}._domainkey.{domain}", "TXT")) == 1
        assert hands.one("SELECT count(*) FROM secrets WHERE owner_row = %s", key["id"]) == 1
        for kind in ("dkim_keys.make", "dkim_keys.activate"):
            done = "SELECT count(*) FROM changes WHERE kind = %s AND params ->> 'key' = %s AND version IS NOT NULL"
            assert hands.one(done, kind, key["id"]) == 1, kind
    house.proven(domain)
    until("its mail is taken", lambda: stack.rcpt(f"postmaster@{domain}") == 250)


def one_link_works(stack: Stack, hands: Hands, house: House, change: Any) -> None:
    contact = change["params"]["contact"]
    assert hands.one("SELECT count(*) FROM secrets s JOIN invites i ON i.id = s.owner_row WHERE i.contact = %s",
                     contact) == 1  # fmt: skip
    newest = stack.mailed_link(contact)
    links = {word for one in stack.sink() if contact in str(one["To"]) for word in _links(one)}
    assert len(links) <= 2
    for older in links - {newest}:
        assert "does not work" in Browser().open(older)
    house.sets(newest)


def _links(message: Any) -> list[str]:
    return [word for word in str(message.get_content()).split() if "/invite/" in word]
