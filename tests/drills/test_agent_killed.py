"""The node's agent dies by kill -9 under load: mail goes on, and when it is back it catches up."""

import random
import time
import uuid

import pytest
from hands import Hands
from life import living

from conftest import SECRET, House
from world import Stack, until

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.soak)])
def test_agent_killed_under_load(
    stack: Stack, hands: Hands, house: House, mia: str, leo: str, rng: random.Random, kills: int
) -> None:
    """Guard: a node's list is a set that only an acknowledgement with evidence shortens (node_todo, node_ack)."""
    with living(stack, mia):
        changes = []
        for _ in range(kills):
            boxes = [{"address": f"a{uuid.uuid4().hex[:8]}@{house.domain}"} for _ in range(20)]
            changes.append(house.operator.change("mailboxes.create", boxes))
            time.sleep(rng.uniform(0, 1))
            agent = hands.pid("agent")
            hands.kill(agent)
            hands.back("agent", agent)
        for change in changes:
            house.operator.verified(change, within=60)
            assert {b["address"] for b in change["params"]} <= hands.in_maps(house.domain)
        assert stack.rcpt(changes[-1]["params"][-1]["address"]) == 250

        hands.hold(agent := hands.pid("agent"))
        suspended = house.operator.change("mailboxes.suspend", {"mailbox": leo})
        time.sleep(2)
        waiting = house.operator.get(f"/changes/{suspended['id']}")
        assert waiting["stage"] == "applied"
        assert [one["target"] for one in waiting["incomplete"]] == ["nodes"]
        assert stack.may_sign_in(leo, SECRET), "the node serves its last good state"
        hands.kill(agent)
        hands.held.discard(agent)
        house.operator.verified(suspended, within=60)
        assert not stack.may_sign_in(leo, SECRET)
    until("nothing is left to do", lambda: hands.one("SELECT count(*) FROM node_todo") == 0)
