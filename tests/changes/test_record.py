"""What the record holds can be checked from what is stored; hostile text survives both ways into it."""

import hashlib
import json
from typing import Any

import pytest

from cast import MIA, House, do, kind
from postroom.access.acting import acting_as
from postroom.changes import record
from postroom.changes.pipeline import submit
from postroom.changes.plan import Edit, NotEditable, create, edit
from postroom.models import Client, Mailbox, RecordedEdit, Secret
from postroom.models.base import plain

HOSTILE = [
    "a\\b", 'q"\\"q', "\\N", "\\x41", "ünï", "\U0001f4e7", "'; DROP TABLE x; --", "%s {0}", "</script>",
    "{\"a\": 1}", "a\\tb", "𝒳",
]  # fmt: skip


def stored_leaf(sql: Any, entry: int) -> bytes:
    """As somebody would who has only the rows and the standard library."""
    leaf = hashlib.sha256(b"\x00")
    rows = sql(f'SELECT "table", "row"::text, before, after, salt FROM edits WHERE entry_id = {entry} ORDER BY n')
    for table, row, before, after, salt in rows:
        line = json.dumps([table, row, before, after], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        leaf.update(hashlib.sha256(salt + line.encode()).digest())
    return leaf.digest()


@pytest.mark.parametrize("copy_from", [1, 10**9], ids=["copy", "arrays"])
def test_every_leaf_can_be_worked_out_from_what_is_stored(
    house: House, sql: Any, copy_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "COPY_FROM", copy_from)
    new = [kind("mailboxes.create", address=f"h{n}@acme.example", name=name) for n, name in enumerate(HOSTILE)]
    assert submit(new, actor=house.olive, why=HOSTILE[1]).stage == "applied"
    with acting_as(house.olive):
        assert {m.name for m in Mailbox.objects.filter(address__address__startswith="h")} == set(HOSTILE)
    entries = sql("SELECT id, leaf FROM entries")
    assert len(entries) > 20
    for entry, leaf in entries:
        assert stored_leaf(sql, entry) == leaf


def test_a_change_of_a_single_letter_is_another_leaf(house: House, sql: Any) -> None:
    change = do("mailboxes.change", house.olive, mailbox=MIA, name="Mia M.")
    ((entry, leaf),) = sql(
        f"SELECT id, leaf FROM entries WHERE client_id = '{change.client_id}' ORDER BY id DESC LIMIT 1"
    )
    assert stored_leaf(sql, entry) == leaf
    other = f"UPDATE edits SET after = jsonb_set(after, '{{why}}', '\"a tesT\"') WHERE entry_id = {entry} AND n = 0"
    sql("SET session_replication_role = replica", other)
    assert stored_leaf(sql, entry) != leaf, "who and why stand under the same leaf as what"


def test_the_vector_that_pins_canonical_json() -> None:
    one = Edit("t", "1", None, {"b": [1, True, None], "a": 'é\u2028"\\\n'}, None)
    assert one.canonical == b'["t","1",null,{"a":"\xc3\xa9\xe2\x80\xa8\\"\\\\\\n","b":[1,true,null]}]'
    assert (
        hashlib.sha256(one.canonical).hexdigest() == "0f847467c97195e98a48ba98d8208f2c1174b6e9fd1985748fd2a4ad11527e6c"
    )


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_no_floats_in_the_record(value: float) -> None:
    with pytest.raises(ValueError):
        plain(value)


def test_times_in_the_record_are_whole_seconds_utc() -> None:
    from datetime import UTC, datetime, timedelta, timezone

    assert plain(datetime(2026, 5, 3, 12, tzinfo=UTC)) == "2026-05-03T12:00:00+00:00"
    for wrong in (
        datetime(2026, 5, 3, 12),
        datetime(2026, 5, 3, 12, 0, 0, 5, tzinfo=UTC),
        datetime(2026, 5, 3, 12, tzinfo=timezone(timedelta(hours=2))),
    ):
        with pytest.raises(ValueError):
            plain(wrong)


def test_an_edit_refuses_a_secret_a_version_and_what_is_no_column(house: House) -> None:
    with pytest.raises(NotEditable, match="value"):
        create(Secret, house.olive.person, value="x")  # type: ignore[arg-type]
    with acting_as(house.olive):
        acme = Client.objects.get(slug="acme")
        for wrong in ({"version": 9}, {"colour": "red"}):
            with pytest.raises(NotEditable):
                edit(acme, **wrong)


def test_an_edit_of_what_stands_so_already_says_nothing(house: House) -> None:
    with acting_as(house.olive):
        acme = Client.objects.get(slug="acme")
        same = edit(acme, name="Acme", notes="new")
    assert (same.before, same.after) == ({"notes": ""}, {"notes": "new"})


def test_a_refusal_is_on_record_too(house: House) -> None:
    change = do("mailboxes.suspend", house.ada, mailbox=MIA)
    with acting_as(house.olive):
        (line,) = RecordedEdit.objects.filter(table="changes", row=change.pk)
    assert (line.after["stage"], line.after["proposer_id"]) == ("refused", str(house.ada.person))


def test_what_is_no_change_is_an_entry_of_its_own(house: House) -> None:
    with acting_as(house.olive):
        entry = record.note("looked at an invite link", client=None, person=house.olive.person)
        (line,) = RecordedEdit.objects.filter(entry_id=entry)
    told = {"what": "looked at an invite link", "person": str(house.olive.person), "client_id": None}
    assert (line.table, {**line.after, "at": ""}) == ("events", {**told, "at": ""}) and line.after["at"]
