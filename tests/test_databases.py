"""A database that is played in again is as its template was, whatever was done in it; else it is another one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from cast import MIA, House, at_home, do
from databases import Copies

DUMP = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
PAST_US = "SET session_replication_role = replica"


@contextmanager
def play(copies: Copies, template: str) -> Iterator[str]:
    databases = copies(template)
    yield next(databases)
    next(databases, None)


def contents(copies: Copies, name: str) -> dict[str, list[Any]]:
    """Every row of every table, and where every sequence stands."""
    with psycopg.connect(copies.cluster.dsn("postgres", name), autocommit=True) as admin:
        tables = sorted(str(name) for (name,) in admin.execute(DUMP).fetchall())
        found = {one: sorted(map(repr, admin.execute(f"SELECT * FROM {one}"))) for one in tables}  # type: ignore[arg-type]
        return {**found, "sequences": admin.execute("SELECT * FROM pg_sequences ORDER BY sequencename").fetchall()}


def by_changes(house: House, admin: Any) -> None:
    assert do("aliases.create", house.olive, address="two@acme.example", targets=[MIA]).version
    assert do("mailboxes.suspend", house.olive, mailbox=MIA).version


def by_hand(house: House, admin: Any) -> None:
    """Nothing more and nothing less: one row altered; of another table one gone and another one there."""
    admin.execute("UPDATE mailboxes SET quota_mb = 7")
    admin.execute("DELETE FROM edits WHERE n = 0")


def only_less(house: House, admin: Any) -> None:
    admin.execute("DELETE FROM secrets")
    admin.execute("DELETE FROM grants")


def a_row_moved_on(house: House, admin: Any) -> None:
    admin.execute("SELECT nextval(format('public.%I', sequencename)) FROM pg_sequences")


@pytest.mark.parametrize("done", [by_changes, by_hand, only_less, a_row_moved_on])
def test_what_was_written_is_gone(copies: Copies, founded: Any, done: Callable[[House, Any], None]) -> None:
    with play(copies, founded[0]) as name:
        before = contents(copies, name)
    for _ in range(3):
        with play(copies, founded[0]) as again:
            assert again == name and contents(copies, name) == before
            with psycopg.connect(copies.cluster.dsn("postgres", name), autocommit=True) as admin:
                admin.execute(PAST_US)
                done(at_home(founded[1]), admin)
            assert contents(copies, name) != before
    with play(copies, founded[0]) as again:
        assert again == name and contents(copies, name) == before


@pytest.mark.parametrize("statement", [
    "CREATE TABLE more (id int)", "ALTER TABLE mailboxes DISABLE TRIGGER USER", "DROP POLICY wall ON aliases",
    "GRANT DELETE ON entries TO postroom_app", "ALTER TABLE grants DISABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE FUNCTION postroom_everything() RETURNS boolean STABLE LANGUAGE sql RETURN true",
    "ALTER TABLE readings ADD CONSTRAINT nobody_reads CHECK (false) NOT VALID", "DROP INDEX entries_pkey CASCADE",
])  # fmt: skip
def test_what_was_altered_is_thrown_away(copies: Copies, founded: Any, statement: str) -> None:
    with play(copies, founded[0]) as name, psycopg.connect(copies.cluster.dsn("postgres", name)) as admin:
        admin.execute(statement.replace("DROP INDEX entries_pkey CASCADE", "ALTER TABLE entries DROP CONSTRAINT "
                                        "entries_pkey CASCADE"))  # fmt: skip
        admin.commit()
    with play(copies, founded[0]) as other:
        assert other != name
