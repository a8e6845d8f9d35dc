"""Where a change stands is held against its last move: who asked, why, for what, how far it came. Nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from cast import MIA, House, do, with_consent
from changes.every_kind import something_for_each
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.record import HEAD
from postroom.models import Change, Entry, Finding
from postroom.posture import moves
from postroom.posture.fold import Differs, differing
from postroom.posture.run import run

CHECK = "record.behind_our_back"
PAST_US = "SET session_replication_role = replica"


def found() -> dict[UUID, Differs]:
    return {one.id: one for one in differing(at_most=100)}


def test_all_that_a_head_says_is_compared_but_what_moves_without_one() -> None:
    assert {*moves.COMPARED} == {*HEAD, "client_id", "mailbox_id"} - {"verdicts"}


@pytest.fixture
def held(house: House) -> Change:
    """A change that waits for somebody's approval."""
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    assert change.stage == "held" and found() == {}
    return change


BY_HAND = {
    "stage": "'scheduled'", "why": "'because'", "ticket": "'4711'", "plan_hash": "'00'", "version": "700",
    "kind": "'aliases.remove'", "params": "'[]'", "actor": "'system'", "client_id": "NULL",
    "proposer_id": "(SELECT id FROM people WHERE email = 'ada@northlight.example')",
    "undoes_id": "id", "caused_by_id": "id", "replans_id": "id", "batch_id": "id", "token_id": "id",
}  # fmt: skip


def test_whatever_is_changed_of_it_by_hand_is_a_finding(held: Change, sql: Any) -> None:
    assert {*BY_HAND} == {*moves.COMPARED} - {"mailbox_id"}, "which a head names only where there is one"
    said = last_said(held)
    for name, value in BY_HAND.items():
        row = json.dumps({name: said[name]}).replace("'", "''")
        sql(PAST_US, f"UPDATE changes SET {name} = {value} WHERE id = '{held.pk}'")
        before, after = found()[held.pk].fields()
        assert before is not None and after is not None and before.keys() == after.keys() == {name}
        sql(PAST_US, f"""UPDATE changes SET {name} = (jsonb_populate_record(changes, '{row}')).{name}
                         WHERE id = '{held.pk}'""")  # fmt: skip
        assert found() == {}, name


def last_said(change: Change) -> dict[str, Any]:
    with acting_as(SYSTEM):
        head = Entry.objects.filter(recordededit__row=change.pk, recordededit__n=0).latest("pk")
        said: dict[str, Any] = head.recordededit_set.get(n=0).after
        return said


def test_it_is_told_by_its_kind_at_its_client(held: Change, sql: Any, house: House) -> None:
    sql(PAST_US, f"UPDATE changes SET proposer_id = '{house.ada.person}' WHERE id = '{held.pk}'")
    run(catalogue.BEHIND_OUR_BACK)
    with acting_as(house.carl):
        (one,) = Finding.objects.filter(check_name=CHECK)
    assert one.title == f"The change mailboxes.remove {held.pk} is not as the record says"
    assert (one.noun, one.object, one.client_id, one.severity) == ("changes", held.pk, held.client_id, "critical")
    assert one.evidence == {
        "before": {"proposer_id": str(house.olive.person)}, "after": {"proposer_id": str(house.ada.person)}
    }  # fmt: skip


COLUMNS = """SELECT attname FROM pg_attribute
    WHERE attrelid = 'changes'::regclass AND attnum > 0 AND attname <> 'id' AND NOT attisdropped"""


def test_one_that_is_gone_and_one_that_nobody_asked_for(held: Change, sql: Any) -> None:
    columns = ", ".join(f"c.{name}" for (name,) in sql(COLUMNS))
    names = columns.replace("c.", "")
    sql(PAST_US, f"INSERT INTO changes (id, {names}) SELECT gen_random_uuid(), {columns} FROM changes c"
        f" WHERE id = '{held.pk}'", f"DELETE FROM changes WHERE id = '{held.pk}'")  # fmt: skip
    rows = found()
    assert rows.pop(held.pk).live is None
    assert [(one.table, one.recorded) for one in rows.values()] == [("changes", None)]
    run(catalogue.BEHIND_OUR_BACK)
    with acting_as(SYSTEM):
        titles = [one.title.partition(", ")[0] for one in Finding.objects.order_by("title")]
    assert sorted(title.rpartition(" is ")[2] for title in titles) == ["gone", "there"]
    assert f"The change {held.kind} {held.pk} is gone" in titles


Erase = Callable[[Change], None]


@pytest.fixture
def erased(house: House) -> Change:
    """Head and all of an entry of its: what was asked and why are forgotten, how far it came is known."""
    change = do("clients.change", house.olive, client="acme", notes="by hand")
    with acting_as(SYSTEM):
        entry = Entry.objects.get(client=change.client_id, version=change.version)
        lines = [f"{entry.pk}.{n}" for n in entry.recordededit_set.values_list("n", flat=True)]
    with_consent(house, do("record.erase", house.oskar, lines=lines, reason="asked for"))
    return change


def test_what_was_erased_is_not_held_against_it(erased: Change) -> None:
    assert [one for one in found().values() if one.table == "changes"] == []


def test_of_one_whose_earlier_move_was_erased_the_rest_is_held(house: House, held: Change, sql: Any) -> None:
    do("clients.change", house.olive, client="acme", notes="another")
    sql(PAST_US, f"""UPDATE edits SET before = NULL, after = NULL, hashed = '\\x00' WHERE "row" = '{held.pk}'""")
    assert found() == {}, "its only head is blank"
    sql(PAST_US, f"""INSERT INTO entries (id, client_id, leaf) VALUES (900000, '{held.client_id}', '')""",
        f"""INSERT INTO edits (entry_id, n, client_id, "table", "row", after, salt) VALUES (900000, 0,
            '{held.client_id}', 'changes', '{held.pk}', '{{"stage": "held", "why": "before", "params": {{"a": 1}}}}',
            '')""")  # fmt: skip
    assert found() == {}, "what was asked and why are forgotten with an earlier one"
    sql(PAST_US, f"UPDATE changes SET stage = 'verified' WHERE id = '{held.pk}'")
    assert found()[held.pk].fields() == ({"stage": "held"}, {"stage": "verified"})


@pytest.mark.matrix
def test_whatever_changes_go_through_they_are_as_their_last_move_says(house: House) -> None:
    something_for_each(house)
    with acting_as(SYSTEM):
        assert Change.objects.values("stage").distinct().count() > 2 and Change.objects.count() > 100
    assert found() == {}
    for at_once in (1, 50):
        assert list(differing(10, at_once)) == []
