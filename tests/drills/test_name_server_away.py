"""PowerDNS is gone, or hangs: changes stay applied, say what waits and why, and finish by themselves."""

import time
import uuid
from typing import Any

import pytest
from hands import Hands, sent

from conftest import House
from world import Refused, Stack, until

pytestmark = pytest.mark.drill


def test_name_server_gone_while_a_domain_is_added_and_a_record_is_changed(
    stack: Stack, hands: Hands, house: House
) -> None:
    """Guard: verified only when every authoritative server answers the after (zones.publish, carry.settle)."""
    client, name = house.new_client(), f"d{uuid.uuid4().hex[:10]}.example"
    worker, supervisor = hands.pid("worker"), hands.pid("up")
    record = {"domain": house.domain, "name": f"www.{house.domain}", "type": "A", "values": ["192.0.2.7"], "ttl": 4711}
    hands.hold(worker)  # planned while it still answers, delivered when it does not
    added = house.operator.change("domains.add", {"client": client, "name": name})
    changed = house.operator.change("record_sets.set", record)
    hands.hold(supervisor)  # or it would be back at once
    hands.kill(hands.pid("pdns"))
    hands.let_go(worker)
    for change in (added, changed):
        left = until("it says what waits", lambda change=change: waiting(house, change, "zone"))
        assert "cannot be reached" in left["why"] and left["since"] and left["next_try"], left
    status, answer = sent(house.operator, "domains.add", {"client": client, "name": f"other-{name}"})
    assert status == 422 and "read" in answer["detail"], answer
    with pytest.raises(Refused):
        house.operator.get(f"/domains/other-{name}")
    assert waiting(house, added, "zone") and waiting(house, changed, "zone")
    hands.let_go(supervisor)
    house.operator.verified(added, within=60)
    house.operator.verified(changed, within=60)
    assert stack.dns(name, "MX") == ["10 mx.postroom.example."]
    assert stack.dns(f"www.{house.domain}", "A") == ["192.0.2.7"]
    house.proven(name)


def test_a_name_server_that_hangs_holds_nothing_else_up(hands: Hands, house: House, mia: str) -> None:
    """Guard: each beat of the worker's clock has a thread of its own."""
    hands.hold(hands.pid("pdns"))
    time.sleep(6)  # whoever looks at zones hangs there by now
    began = time.monotonic()
    for kind in ("mailboxes.suspend", "mailboxes.resume"):
        house.operator.verified(house.operator.change(kind, {"mailbox": mia}), within=15)
    took = time.monotonic() - began
    hands.let_go()
    print(f"suspend and resume while the name server hung: {took:.1f} s")
    assert took < 10


def waiting(house: House, change: Any, target: str) -> Any:
    """What a change that is applied says of this target, once it has been tried."""
    now = house.operator.get(f"/changes/{change['id']}")
    assert now["stage"] == "applied", now
    return next((o for o in now["incomplete"] if o["target"] == target and o["why"] != "on its way"), None)
