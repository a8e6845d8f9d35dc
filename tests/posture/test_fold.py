"""Whatever is written to the database past Postroom is found, in every table; what goes through it never is."""

import json
import threading
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cast import MIA, House, do, the, with_consent
from changes.every_kind import something_for_each
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Domain, Finding, Look, Mailbox
from postroom.models.base import StateModel, state_models
from postroom.posture import fold
from postroom.posture.checks import behind_our_back
from postroom.posture.fold import Differs, differing
from postroom.posture.run import run

CHECK = "record.behind_our_back"
PAST_US = "SET session_replication_role = replica"  # no trigger, no foreign key: what a superuser can do


def looked() -> dict[tuple[str, UUID], Finding]:
    run(catalogue.BEHIND_OUR_BACK)
    with acting_as(SYSTEM):
        return {(one.noun, one.object): one for one in Finding.objects.filter(check_name=CHECK, closed_at=None)}


def found() -> list[Differs]:
    return list(differing(at_most=100))


def another(model: type[StateModel], row: dict[str, Any]) -> tuple[str, Any]:
    """A column of the row that may be anything, and something else than what is in it."""
    for name, value in row.items():
        if name.endswith("_id") or name in ("id", "severity", "owner_row", "finding", "node"):
            continue
        if isinstance(value, str) and not name.endswith(("_at", "_on")) and name not in ("until", "made"):
            return name, f"{value}x"
        if isinstance(value, bool):
            return name, not value
    return next((n, "2020-01-01T00:00:00+00:00") for n in row if n.endswith(("_at", "until", "made")))


@pytest.mark.matrix
def test_in_every_table_what_was_changed_taken_and_put_there_by_hand(house: House, sql: Any) -> None:
    ids = something_for_each(house)
    with_consent(house, do("record.erase", house.oskar, lines=[ids["line"]], reason="asked for"))
    do("freezes.start", house.ada, scope="globex", reason="a dispute")
    do("nodes.deliver_again", house.oskar, node="mx1")
    do("token_keys.change", SYSTEM, kid="k" * 43, public="p" * 124, issuer="https://postroom.example")
    do("people.change", house.oskar, person="henry@northlight.example", email="h@northlight.example")
    do("probes.send", house.olive, address="mia@acme.example")
    assert looked() == {}
    with acting_as(SYSTEM):
        rows = {t: model.objects.order_by("id").last() for t, model in state_models().items()}
    missing = {table for table, row in rows.items() if row is None}
    assert missing == set(), "a table without a row here is not tried"
    there = {t: row.row() for t, row in rows.items() if row is not None}
    changed = {t: another(state_models()[t], row) for t, row in there.items()}
    for t, (name, value) in changed.items():
        wanted = json.dumps({name: value}).replace("'", "''")
        sql(PAST_US, f"""UPDATE {t} SET "{name}" = (jsonb_populate_record({t}, '{wanted}')).{name}
                         WHERE id = '{there[t]["id"]}'""")  # fmt: skip
    seen = looked()
    assert {noun for noun, _ in seen} == set(there) and len(seen) == len(there)
    for (t, id), one in seen.items():
        name, value = changed[t]
        assert str(id) == there[t]["id"] and one.severity == "critical"
        assert one.evidence == {"before": {name: there[t][name]}, "after": {name: value}}, t
        was = json.dumps({name: there[t][name]}).replace("'", "''")
        sql(PAST_US, f"""UPDATE {t} SET "{name}" = (jsonb_populate_record({t}, '{was}')).{name} WHERE id = '{id}'""")
    assert looked() == {}, "set right by hand, it is as the record says"

    for t, row in there.items():
        sql(PAST_US, f"CREATE TABLE kept_{t} AS SELECT * FROM {t} WHERE id = '{row['id']}'",
            f"DELETE FROM {t} WHERE id = '{row['id']}'")  # fmt: skip
    gone = [one for one in found() if one.live is None]
    assert {(one.table, str(one.id)) for one in gone} == {(t, row["id"]) for t, row in there.items()}
    assert all(one.recorded == there[one.table] for one in gone)
    for t in there:
        columns = ", ".join(f'"{c}"' for c in columns_of(sql, t))
        sql(PAST_US, f"INSERT INTO {t} ({columns}) SELECT {columns} FROM kept_{t}")
    assert found() == []

    for t in there:
        columns = ", ".join(f'"{c}"' for c in columns_of(sql, t))
        sql(PAST_US, *freed(sql, t), f"UPDATE kept_{t} SET id = '{uuid4()}'",
            f"INSERT INTO {t} ({columns}) SELECT {columns} FROM kept_{t}")  # fmt: skip
    made = found()
    assert {one.table for one in made if one.recorded is None} == set(there)
    assert all(one.recorded is None or set(one.recorded) == {"version"} for one in made)
    assert "value" not in {name for one in made if one.live for name in one.live if one.table == "secrets"}


def columns_of(sql: Any, table: str) -> list[str]:
    return [name for (name,) in sql(
        f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = ''")]  # fmt: skip


def freed(sql: Any, table: str) -> list[str]:
    """A second row of the same name must not fail for that."""
    unique = f"""SELECT c.relname, i.indexrelid IN (SELECT conindid FROM pg_constraint) FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '{table}'::regclass AND indisunique
        AND NOT indisprimary"""
    return [f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if constraint else f"DROP INDEX {name}"
            for name, constraint in sql(unique)]  # fmt: skip


def test_a_finding_says_what_whose_and_how(house: House, sql: Any) -> None:
    mia, acme = the(Mailbox, address__address=MIA), the(Client, slug="acme")
    sql(PAST_US, f"UPDATE mailboxes SET quota_mb = 7 WHERE id = '{mia.pk}'",
        f"UPDATE clients SET version = version + 3, name = 'Evil' WHERE id = '{acme.pk}'")  # fmt: skip
    run(catalogue.BEHIND_OUR_BACK)
    with acting_as(house.carl):
        said = {one.title: (one.client_id, one.evidence) for one in Finding.objects.filter(check_name=CHECK)}
    assert said == {
        f"The mailbox {MIA} is not as the record says":
            (acme.pk, {"before": {"quota_mb": 10_000}, "after": {"quota_mb": 7}}),
        "The client acme is not as the record says":
            (acme.pk, {"before": {"name": "Acme"}, "after": {"name": "Evil"}}),
        f"The client {acme.pk} is not as the record says":
            (acme.pk, {"before": {"version": acme.version}, "after": {"version": acme.version + 3}}),
    }  # fmt: skip


def test_a_column_that_came_later_is_as_the_model_says(house: House, sql: Any) -> None:
    """Edits made before it do not name it; nor is one that went since compared."""
    sql(PAST_US, "UPDATE edits SET after = after - 'closed_at' || '{\"fax\": \"1\"}' WHERE \"table\" = 'clients'")
    assert found() == []
    sql(PAST_US, "UPDATE clients SET closed_at = '2020-01-01' WHERE slug = 'acme'")
    assert [one.fields() for one in found()] == [({"closed_at": None}, {"closed_at": "2020-01-01T00:00:00+00:00"})]


def test_what_was_erased_is_not_known(house: House, sql: Any) -> None:
    mia = the(Mailbox, address__address=MIA)
    sql(PAST_US, f"UPDATE edits SET before = NULL, after = NULL WHERE \"row\" = '{mia.pk}'",
        f"UPDATE mailboxes SET quota_mb = 7 WHERE id = '{mia.pk}'")  # fmt: skip
    assert [(one.id, one.erased) for one in found()] == [(mia.pk, True)]
    assert looked() == {}


ERASED = "UPDATE edits SET before = NULL, after = NULL WHERE "


def test_any_number_of_erasures_hides_nothing(house: House, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaves a row that is not known, for good: before all others, in one slice or in many."""
    sql(PAST_US, f"{ERASED} \"table\" IN ('grants', 'roles', 'domains', 'addresses')",
        f"UPDATE mailboxes SET quota_mb = 7 WHERE id = '{the(Mailbox, address__address=MIA).pk}'")  # fmt: skip
    mia = the(Mailbox, address__address=MIA).pk
    for at_once in (5, 20_000):
        rows = list(differing(1, at_once))
        assert [(one.table, one.id) for one in rows if not one.erased] == [("mailboxes", mia)]
        assert sum(one.erased for one in rows) > 10
    monkeypatch.setattr(behind_our_back, "MOST", 2)
    monkeypatch.setattr(behind_our_back, "differing", partial(differing, at_once=5))
    assert list(looked()) == [("mailboxes", mia)]
    assert failed() == "", "nothing that was found cannot be read"


def test_what_was_found_and_then_erased_is_unknown_and_nothing_besides(house: House, sql: Any) -> None:
    mia = the(Mailbox, address__address=MIA)
    sql(PAST_US, f"UPDATE mailboxes SET quota_mb = 7 WHERE id = '{mia.pk}'")
    assert looked()["mailboxes", mia.pk].unknown_since is None
    sql(PAST_US, f"{ERASED} \"row\" = '{mia.pk}' OR \"table\" = 'grants'")
    (one,) = looked().values()
    assert (one.object, one.unknown_why) == (mia.pk, "an edit of it was erased")
    assert failed() == "1 could not be read"


def failed() -> str:
    with acting_as(SYSTEM):
        return Look.objects.get(check_name=CHECK).failed


@pytest.mark.matrix
def test_slices_leave_nothing_out(house: House, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    something_for_each(house)
    sql(PAST_US, "UPDATE mailboxes SET quota_mb = quota_mb + 1", "UPDATE domains SET registrar = 'x'")
    whole = sorted((one.table, one.id) for one in found())
    for at_once in (1, 7, 100):
        assert sorted((one.table, one.id) for one in differing(100, at_once)) == whole
    first = "00000000-0000-0000-0000-000000000000"
    sql(PAST_US, f"UPDATE roles SET id = '{first}' WHERE name = (SELECT min(name) FROM roles)",
        f"UPDATE grants SET id = '{fold.LAST}' WHERE id = (SELECT max(id::text)::uuid FROM grants)")  # fmt: skip
    edges = {(one.table, str(one.id)) for one in differing(100, 10)}
    assert {("roles", first), ("grants", str(fold.LAST))} <= edges
    monkeypatch.setattr(behind_our_back, "MOST", 2)
    said = [one.title for one in looked().values()]
    assert len(said) == 3 and "More than 2 rows are not as the record says" in said


def test_what_is_applied_meanwhile_is_no_finding(house: House) -> None:
    """A change goes through between a slice's cut and its fold, and while it is folded; never one is found."""
    stop, wrong, rounds = threading.Event(), list[Differs](), 0

    def changes() -> None:
        from django.db import connection

        for n in range(40):
            do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=20_000 + n)
            do("mailboxes.create", house.olive, address=f"n{n}@acme.example")
        stop.set()
        connection.close()

    other = threading.Thread(target=changes)
    other.start()
    while not stop.is_set() and other.is_alive():
        wrong += differing(at_most=10, at_once=15)
        rounds += 1
    other.join()
    assert stop.is_set() and rounds > 3
    assert wrong == []
    assert the(Domain, name="acme.example")


STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=6)


@pytest.mark.matrix
def test_after_any_changes_the_fold_is_the_rows(house: House) -> None:
    numbers = iter(range(10_000))

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS, st.integers(1, 60))
    def holds(steps: list[tuple[int, int]], at_once: int) -> None:
        n = next(numbers)
        do("clients.create", house.oskar, name=f"p{n}")
        do("domains.add", house.oskar, client=f"p{n}", name=f"p{n}.example")
        for what, which in steps:
            step(house, f"p{n}", what, f"m{which}@p{n}.example")
        assert list(differing(10, at_once)) == []

    holds()


def step(house: House, client: str, what: int, address: str) -> None:
    from postroom.changes.errors import ChangeError, Problems

    kind, params = [
        ("mailboxes.create", {"address": address}),
        ("mailboxes.suspend", {"mailbox": address}),
        ("mailboxes.resume", {"mailbox": address}),
        ("aliases.create", {"address": f"a{address}", "targets": [address]}),
        ("aliases.remove", {"alias": f"a{address}"}),
        ("clients.change", {"client": client, "notes": address}),
    ][what]
    try:
        do(kind, house.oskar, **params)
    except (ChangeError, Problems):
        return
