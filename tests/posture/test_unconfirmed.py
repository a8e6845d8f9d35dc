"""Recovery channels that nobody confirmed: beside each that is found, the one just short of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from cast import MIA, House, do
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Finding
from postroom.posture import run
from postroom.posture.checks.unconfirmed import UNCONFIRMED, evaluate

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def channel(made: timedelta, confirmed: timedelta | None, **more: Any) -> Any:
    address = SimpleNamespace(domain_id=UUID(int=2))
    box = SimpleNamespace(vip=more.pop("vip", False), label=MIA, address=address)
    said = None if confirmed is None else NOW - confirmed
    return SimpleNamespace(pk=UUID(int=1), made=NOW - made, confirmed_at=said, mailbox=box, value="mia@home.example",
                           mailbox_id=UUID(int=3), client_id=UUID(int=4), **{"ended_at": None, **more})  # fmt: skip


@pytest.mark.parametrize(("one", "wanted"), [
    (channel(14 * DAY, None), "medium"), (channel(13 * DAY, None), None),
    (channel(400 * DAY, 180 * DAY), "medium"), (channel(400 * DAY, 179 * DAY), None),
    (channel(400 * DAY, 180 * DAY, vip=True), "high"), (channel(400 * DAY, None, ended_at=NOW), None),
])  # fmt: skip
def test_unconfirmed(one: Any, wanted: str | None) -> None:
    found = list(evaluate([cast(Any, one)], NOW))
    assert [f.severity for f in found] == ([wanted] if wanted else [])
    assert all("m…@home.example" in f.title and "mia@home" not in f"{f.title}{f.evidence}" for f in found)
    assert UNCONFIRMED.name == "recovery.unconfirmed"


def test_it_is_read_from_the_channels_there_are(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    do("recovery_channels.name", house.olive, mailbox=MIA, value="mia@home.example")
    run.run(UNCONFIRMED)
    monkeypatch.setattr(run.timezone, "now", lambda: datetime.now(UTC) + 15 * DAY)
    with acting_as(SYSTEM):
        assert not Finding.objects.filter(check_name="recovery.unconfirmed").exists()
    run.run(UNCONFIRMED)
    with acting_as(SYSTEM):
        assert Finding.objects.get(check_name="recovery.unconfirmed").kind == "recovery_channels.ask"
