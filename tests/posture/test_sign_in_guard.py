"""Whether wrong passwords are counted is each node's own word; a silent one's is not known."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from cast import House, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Finding, Node, Report
from postroom.posture.checks.sign_in_guard import SIGN_IN_GUARD, evaluate
from postroom.posture.run import run


@pytest.mark.parametrize(("guard", "said"), [
    ({"ok": True, "why": "", "asked": 4}, None),
    ({"ok": False, "why": "asked 2 times with another key than Dovecot shall have"}, "asked 2 times"),
    ({"error": "timed out"}, "timed out"),
    ({}, "it did not say why"),
    ({"ok": "yes"}, "it did not say why"),
])  # fmt: skip
def test_nodes_sign_in_guard(guard: dict[str, Any], said: str | None) -> None:
    """`nodes.sign_in_guard`: high, one a node."""
    found = list(evaluate(UUID(int=7), "mx1", guard))
    assert [one.severity for one in found] == (["high"] if said else [])
    assert not said or said in found[0].evidence["said"]


def told(ago: int = 0, **facts: Any) -> None:
    with acting_as(SYSTEM):
        at = timezone.now() - timedelta(seconds=ago)
        Report.objects.create(node=the(Node, name="mx1"), sort="heartbeat", facts=facts, at=at)


def looked() -> Finding | None:
    run(SIGN_IN_GUARD)
    with acting_as(SYSTEM):
        return Finding.objects.filter(check_name="nodes.sign_in_guard").order_by("-id").first()


def test_it_opens_is_unknown_and_closes_as_the_node_says(house: House) -> None:
    told(ago=50, sign_in_guard={"error": "timed out"})
    one = looked()
    assert one and one.label == "mx1" and one.unknown_since is None
    with acting_as(SYSTEM):
        Report.objects.all().update(at=timezone.now() - timedelta(seconds=90))
    one = looked()
    assert one and one.closed_at is None and one.unknown_since, "it is silent"
    told()
    one = looked()
    assert one and one.closed_at is None and one.unknown_since, "an agent of before says nothing of it"
    told(sign_in_guard={"ok": True})
    one = looked()
    assert one and one.closed_at
