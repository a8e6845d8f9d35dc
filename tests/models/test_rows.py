"""What rows of state say of themselves: what they open, what an edit may carry, how they refuse to be written."""

from datetime import UTC, datetime
from typing import Any

import pytest

from postroom.models import (
    Alias,
    Client,
    Domain,
    Grant,
    Invite,
    Mailbox,
    Organization,
    Person,
    Secret,
    StateModel,
    WriteOutsideChange,
)  # fmt: skip
from postroom.models.base import state_models

NEVER = {"suspended_at": None, "removed_at": None, "ended_at": None, "used_at": None}
THEN = "2026-05-03T12:00:00+00:00"
ALL = {"receive", "sign in", "send"}

OPENS: list[tuple[type[StateModel], dict[str, Any], set[str]]] = [
    (Mailbox, {"kind": "person"}, ALL),
    (Mailbox, {"kind": "shared"}, {"receive"}),
    (Mailbox, {"kind": "person", "suspended_at": THEN}, {"receive"}),
    (Mailbox, {"kind": "person", "removed_at": THEN}, set()),
    (Client, {}, {"operate", *ALL}),
    (Client, {"closed_at": THEN}, ALL),
    (Client, {"suspended_at": THEN}, {"operate", "receive"}),
    (Client, {"suspended_at": THEN, "removed_at": THEN}, set()),
    (Domain, {"proof": "read"}, ALL),
    (Domain, {"proof": "waiting"}, set()),
    (Domain, {"proof": "lost"}, set()),
    (Domain, {"proof": "read", "suspended_at": THEN}, {"receive"}),
    (Alias, {"targets": ["a@b.example", "c@b.example"]}, {"a@b.example", "c@b.example"}),
    (Alias, {"targets": ["a@b.example"], "removed_at": THEN}, set()),
    (Person, {}, {"sign in"}),
    (Person, {"suspended_at": THEN}, set()),
    (Grant, {"role": "operator"}, {"operator"}),
    (Grant, {"role": "operator", "ended_at": THEN}, set()),
    (Invite, {}, {"set a secret"}),
    (Invite, {"used_at": THEN}, set()),
    (Secret, {"purpose": "password"}, {"password"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "row", "expected"), OPENS)
def test_what_a_row_opens(model: type[StateModel], row: dict[str, Any], expected: set[str]) -> None:
    assert model.opens({**NEVER, **row}) == expected


def test_an_edit_carries_every_column_but_secrets_and_versions() -> None:
    assert "value" not in Secret.columns() and {"owner_row", "purpose"} < set(Secret.columns())
    for model in (Client, Organization):
        assert "version" not in model.columns() and "name" in model.columns()
    everything = {t: {f.attname for f in m._meta.concrete_fields} - set(m.columns()) for t, m in state_models().items()}
    assert {t: left for t, left in everything.items() if left} == {
        "clients": {"version"}, "organizations": {"version"}, "secrets": {"value"},
    }  # fmt: skip


def test_a_row_is_plain_json() -> None:
    import json

    row = Person(
        id="01a20bea-8dae-7c6b-94ff-ff2900000002", name="Ada", suspended_at=datetime(2026, 5, 3, 12, tzinfo=UTC)
    )
    assert json.loads(json.dumps(row.row()))["suspended_at"] == THEN


@pytest.mark.parametrize("model", state_models().values())
def test_a_row_refuses_to_be_written_by_hand(model: type[StateModel]) -> None:
    row = model()
    for write in (row.save, row.delete, model.objects.create, model.objects.bulk_create, model.objects.update):
        with pytest.raises(WriteOutsideChange, match="plan an edit"):
            write()
    with pytest.raises(WriteOutsideChange):
        model.objects.all().delete()
