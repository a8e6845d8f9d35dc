"""No entry, no change: with the record's inserts sabotaged in the database nothing else is written, by any kind.

The database is sabotaged from outside, in four ways: entries, or the lines of entries, are refused or swallowed. Every
kind meets two of them, the lines refused and another one in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from every_kind import NO_SECOND_TIME, WALKS, something_for_each

from cast import POSTMASTER, House, do, reasons, the
from postroom.access.acting import FOUNDER
from postroom.changes import approvals, record
from postroom.changes.approvals import approve
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.host.cluster import Cluster
from postroom.models import Change, Freeze

ALWAYS = ("edits", "refuse")
IN_TURN = [("entries", "refuse"), ("entries", "swallow"), ("edits", "swallow")]
HOW = """
CREATE TABLE sabotage (whose text, how text);
CREATE FUNCTION sabotaged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE wanted text := (SELECT how FROM public.sabotage WHERE whose = TG_TABLE_NAME);
BEGIN
  IF wanted = 'refuse' THEN
    RAISE EXCEPTION 'sabotaged';
  ELSIF wanted = 'swallow' THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sabotaged BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION sabotaged();
CREATE TRIGGER sabotaged BEFORE INSERT ON edits FOR EACH ROW EXECUTE FUNCTION sabotaged();
"""
# What was seen in a zone is no state and may be kept, whatever becomes of the change it was looked up for.
OBSERVED = {"readings", "sabotage"}


class Intruder:
    """Somebody with all rights over the database."""

    def __init__(self, admin: psycopg.Connection[Any]) -> None:
        self.admin, self.turn = admin, cycle(IN_TURN)
        admin.execute(HOW)
        tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        self.tables = [name for (name,) in tables if name not in OBSERVED]
        each = "SELECT '{0}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {0} t"
        self.digest = " UNION ALL ".join(each.format(name) for name in self.tables).encode()

    @contextmanager
    def sabotages(self, table: str, how: str) -> Iterator[None]:
        self.admin.execute("INSERT INTO sabotage VALUES (%s, %s)", [table, how])
        yield
        self.admin.execute("DELETE FROM sabotage")

    def everything(self) -> dict[str, str]:
        """table → a hash over all its rows: state, record, changes, what is due, deliveries, what nodes have to do."""
        return dict(self.admin.execute(self.digest).fetchall())

    def nothing_comes_of(self, attempt: Callable[[], object], what: str) -> None:
        before = self.everything()
        for table, how in (ALWAYS, next(self.turn)):
            with self.sabotages(table, how), pytest.raises((DatabaseError, record.NotRecorded)):
                attempt()
                pytest.fail(f"{what} went through while {table} was told to {how}")
        assert self.everything() == before, what


@pytest.fixture
def intruder(cluster: Cluster, database: str) -> Iterator[Intruder]:
    with psycopg.connect(cluster.dsn("postgres", database), autocommit=True) as admin:
        yield Intruder(admin)


@contextmanager
def taken_back() -> Iterator[None]:
    """Done for real, looked at, and rolled back: the next kind meets the same house."""
    with transaction.atomic():
        connection.atomic_blocks[-1]._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase
        yield
        transaction.set_rollback(True)


@pytest.mark.drill  # no server, but some seconds of work
def test_without_its_record_no_change_of_any_kind_is_made(
    house: House, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WALKS.keys() | NO_SECOND_TIME == KINDS.keys()
    for short in ("CODE_GOOD_FOR", "GOOD_FOR"):  # the walk takes longer than a minute where others run beside it
        monkeypatch.setattr(f"postroom.models.verifying.{short}", timedelta(hours=1))
    ids = something_for_each(house)
    do("freezes.start", house.olive, scope="globex", reason="one to end")
    ids["freeze"] = str(the(Freeze).pk)
    monkeypatch.setattr(
        approvals, "apply_scheduled", lambda change: None
    )  # approved is one transaction, applied the next
    for permission, walk in WALKS.items():
        one = walk.kind(permission, ids)
        attempt = partial(submit, one, actor=walk.actor(house), why="a walk", secrets=walk.values() or None)
        intruder.nothing_comes_of(attempt, permission)
        with taken_back():
            stage = attempt().stage
        if stage == "held":
            held = attempt()
            approver = house.ada if KINDS[permission].approved_by == "changes.approve" else house.oskar
            consent = partial(approve, held.pk, actor=approver, plan_hash=held.plan_hash)
            intruder.nothing_comes_of(consent, f"approval of {permission}")
            consent()
            attempt = partial(apply_scheduled, held.pk)
            intruder.nothing_comes_of(attempt, f"{permission}, approved")
        assert_it_would_have_been_made(attempt, permission)


def assert_it_would_have_been_made(attempt: Callable[[], Change], permission: str) -> None:
    with taken_back():
        change = attempt()
        assert change.version and change.stage in ("applied", "verified"), (permission, change.stage, reasons(change))


def test_without_its_record_there_is_no_organization(database: str, intruder: Intruder) -> None:
    owner = {"owner_name": "Oskar", "owner_email": "owner@northlight.example"}
    found = partial(do, "organization.found", FOUNDER, name="Northlight", postmaster=POSTMASTER, **owner)
    intruder.nothing_comes_of(found, "organization.found")
    assert_it_would_have_been_made(found, "organization.found")


def test_without_its_record_nothing_of_many_lines_is_made(
    house: House, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By COPY, as large changes are recorded."""
    monkeypatch.setattr(record, "COPY_FROM", 1)
    make = partial(do, "mailboxes.create", house.olive, address="many@acme.example")
    for _ in IN_TURN:
        intruder.nothing_comes_of(make, "a mailbox by COPY")
    assert_it_would_have_been_made(make, "a mailbox by COPY")
