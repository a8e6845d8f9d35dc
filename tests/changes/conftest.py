"""Targets that do as they are told, and nodes that acknowledge: what deliveries meet in these tests."""

from collections.abc import Callable
from typing import Any

import pytest

from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import carry
from postroom.changes.carry import Outcome, Sender
from postroom.models import Change, Delivery


def willing(change: Change, delivery: Delivery) -> Outcome:
    return Outcome({"seen": True})


@pytest.fixture(autouse=True)
def targets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sender]:
    """Zones and mail that are willing; a test puts its own in where one shall not be."""
    senders: dict[str, Sender] = {"zone": willing, "mail": willing}
    monkeypatch.setattr(carry, "SENDERS", senders)
    return senders


@pytest.fixture
def all_done(house: Any, node: Callable[[str], Node]) -> Callable[[], None]:
    """Everything delivered: nodes have acknowledged, zones and mail have answered, follow-ups too."""
    nodes = [node(name) for name in ("mx1", "mx2")]

    def carried() -> None:
        for _ in range(4):  # a follow-up of a follow-up has deliveries of its own
            for one in nodes:
                acknowledge(one)
            with acting_as(SYSTEM):
                left = list(Change.objects.filter(stage="applied").values_list("pk", flat=True))
            for change in left:
                carry.carry_out(str(change))

    return carried
