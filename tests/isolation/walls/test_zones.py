"""A change writes the zones of its own client, and names within them: asked where they are written, as in a plan.

The rows are bent by a superuser, as if a plan had let another's zone through; guard: `_beyond` in worker/zones.py.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from city import City

from cast import do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.models import Change, Delivery, Domain
from postroom.worker import zones

pytestmark = pytest.mark.matrix
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(zone, name) of all that a name server of ours is sent."""
    sent: list[tuple[str, str]] = []

    def write(provider: object, zone: str, changes: Any, **_: object) -> None:
        sent.extend((zone, one.name) for one in changes)

    monkeypatch.setattr(zones, "hosted", lambda: "a server")
    monkeypatch.setattr(zones, "write", write)
    monkeypatch.setattr(zones, "_read_back", lambda *_: [])
    return sent


def noted(city: City) -> Change:
    """A record that Acme's operator sets, not delivered yet."""
    return do("record_sets.set", city.who["otto"], domain="acme.example", name="note.acme.example", type="TXT",
              values=['"x"'], accept_loss=True)  # fmt: skip


def delivered(change: Change) -> Outcome:
    with acting_as(SYSTEM):
        delivery = Delivery.objects.get(change=change, target="zone")
    return zones.publish(change, delivery)


def bent(sql: Sql, change: Change, *, domain: UUID | None = None, name: str = "") -> None:
    """As recorded, but at another domain, or with another name."""
    moves = {"domain_id": str(domain)} if domain else {"name": name}
    ((key, value),) = moves.items()
    sql("ALTER TABLE edits DISABLE TRIGGER USER")
    sql(f"""UPDATE edits SET after = jsonb_set(after, '{{{key}}}', '"{value}"') WHERE "table" = 'record_sets' AND
            entry_id IN (SELECT id FROM entries WHERE client_id = '{change.client_id}'
            AND version = {change.version})""")
    if domain:
        sql(f"UPDATE deliveries SET object = '{domain}' WHERE change_id = '{change.pk}' AND target = 'zone'")


def test_what_a_client_set_is_written_to_its_own_zone(city: City, written: list[tuple[str, str]]) -> None:
    delivered(noted(city))
    assert written == [("acme.example", "note.acme.example.")]


def test_a_change_that_names_anothers_zone_writes_nothing(
    city: City, sql: Sql, written: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = noted(city)
    bent(sql, change, domain=the(Domain, name="globex.example").pk)
    assert "not of the client" in delivered(change).why and written == []
    monkeypatch.setattr(zones, "_beyond", lambda *_: "")
    delivered(change)
    assert written == [("globex.example", "note.acme.example.")], "without the guard it would"


@pytest.mark.parametrize("name", ["www.globex.example.", "example.", "notacme.example."])
def test_a_name_outside_of_the_zone_is_not_written(
    city: City, sql: Sql, written: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    change = noted(city)
    bent(sql, change, name=name)
    assert "does not stand in acme.example" in delivered(change).why and written == []
    monkeypatch.setattr(zones, "_beyond", lambda *_: "")
    delivered(change)
    assert written == [("acme.example", name)], "without the guard it would"
