"""What the database itself refuses, whoever asks: writes outside apply, rows of others, secrets."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, models

from cast import LINK, MIA, House, do, holds, kind, person, reasons, redeemed, the
from postroom.access.acting import SYSTEM, NotActing, acting_as
from postroom.access.scope import visible
from postroom.changes import apply as writer
from postroom.changes.batch import submit_batch
from postroom.changes.kind import Kind
from postroom.changes.pipeline import submit
from postroom.changes.plan import create
from postroom.host.cluster import Cluster
from postroom.models import (
    Address,
    Batch,
    Change,
    Client,
    Domain,
    Entry,
    Grant,
    Mailbox,
    RecordedEdit,
    Secret,
    WriteOutsideChange,
)  # fmt: skip
from postroom.models.base import state_models

Sql = Callable[..., list[tuple[Any, ...]]]


def test_every_state_table_has_its_guard_and_every_client_table_its_wall(database: str, sql: Sql) -> None:
    guarded = {t for (t,) in sql("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'postroom_guard'")}
    assert guarded == set(state_models())
    walled = {
        t for (t,) in sql("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    }
    with_client = sql(
        "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)"
        " WHERE column_name = 'client_id' AND table_type = 'BASE TABLE'"
    )
    theirs = {"allauth_idp_oidc_token"}  # the sign-in library's clients are apps
    others = {"clients", "api_sessions", "batches", "devices", "saved_views", "token_uses"}
    assert walled == {t for (t,) in with_client} - theirs | others


def test_the_guard_is_on_every_statement_and_cannot_be_passed_by_an_empty_name(database: str, sql: Sql) -> None:
    ((count,),) = sql("SELECT count(*) FROM pg_trigger WHERE tgname = 'postroom_guard' AND tgenabled = 'O'"
                      " AND tgtype & 2 = 2 AND tgtype & 60 = 60 AND tgtype & 1 = 0")  # fmt: skip
    assert count == len(state_models()), "before; INSERT, DELETE, UPDATE, TRUNCATE; for each statement (pg_trigger.h)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("SELECT set_config('postroom.change', '', false)", "DELETE FROM mailboxes")


WRITES: dict[str, Callable[[Any], Any]] = {
    "save": lambda m: m.save(),
    "delete": lambda m: m.delete(),
    "update": lambda m: Mailbox.objects.update(vip=True),
    "base manager": lambda m: Mailbox._base_manager.update(vip=True),
    "bulk_create": lambda m: Mailbox.objects.bulk_create([m]),
    "unguarded manager": lambda m: models.QuerySet(Mailbox).update(vip=True),
    "raw delete": lambda m: models.QuerySet(Mailbox)._raw_delete("default"),
    "save_base": lambda m: models.Model.save_base(m),
    "cascade": lambda m: models.Model.delete(m),
    "raw SQL": lambda m: run("UPDATE mailboxes SET vip = true"),
    "raw SQL that hits nothing": lambda m: run("DELETE FROM grants WHERE false"),
    "truncate": lambda m: run("TRUNCATE mailboxes CASCADE"),
    "record": lambda m: run("DELETE FROM edits"),
}


def run(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("way", WRITES)
def test_no_way_around_apply(house: House, way: str) -> None:
    with pytest.raises((WriteOutsideChange, DatabaseError)), acting_as(house.oskar):
        WRITES[way](Mailbox.objects.get(address__address=MIA))
    with acting_as(house.oskar):
        assert Mailbox.objects.filter(vip=False).count() == 2


def test_copy_is_refused_too_and_by_system_as_well(house: House, cluster: Cluster, database: str) -> None:
    """postroom_system bypasses row security, not the guard."""
    with (
        psycopg.connect(cluster.dsn("postroom_system", database)) as system,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        system.cursor().copy("COPY clients (id, slug, name) FROM STDIN") as copy,
    ):
        copy.write("00000000-0000-0000-0000-000000000001\tx\tx\n")


def test_the_guard_closes_again_within_the_same_transaction(house: House) -> None:
    with pytest.raises(DatabaseError, match="outside a change"), acting_as(house.olive):
        assert do("mailboxes.suspend", house.olive, mailbox=MIA).stage == "applied"
        run("UPDATE mailboxes SET vip = true")


@pytest.mark.parametrize("table, check", [("entries", "version IS NULL"), ("edits", "false")])
def test_no_entry_no_change(house: House, sql: Sql, table: str, check: str) -> None:
    sql(f"ALTER TABLE {table} ADD CONSTRAINT sabotage CHECK ({check}) NOT VALID")
    with pytest.raises(DatabaseError):
        do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert the(Mailbox, address__address=MIA).suspended_at is None


def test_no_query_outside_acting_as_sees_a_client(house: House) -> None:
    assert [m.objects.count() for m in (Client, Domain, Address, Mailbox, Change, Entry, RecordedEdit)] == [0] * 7
    with pytest.raises(NotActing):
        visible(house.olive, Mailbox)
    with acting_as(house.olive), pytest.raises(NotActing), acting_as(house.ada):
        pass


def test_row_security_holds_without_the_filter(house: House) -> None:
    """Carl's transaction reads everything it can and writes what it may not, by raw SQL."""
    with acting_as(house.carl):
        for model in state_models().values():
            if "client_id" in {f.attname for f in model._meta.concrete_fields}:
                seen = {c for (c,) in run(f"SELECT DISTINCT client_id::text FROM {model._meta.db_table}")}
                assert len(seen) <= 1, model
        assert [c.slug for c in Client.objects.all()] == ["acme"]
        with pytest.raises(DatabaseError, match="row-level security"):
            run("INSERT INTO entries (client_id, leaf) VALUES ('00000000-0000-0000-0000-000000000001', 'x')")


def test_nothing_carries_over_to_the_next_transaction(house: House) -> None:
    with acting_as(house.oskar):
        assert Client.objects.count() == 2
    assert Client.objects.count() == 0
    with acting_as(house.carl):
        assert Client.objects.count() == 1


def test_the_application_writes_secrets_and_cannot_read_them(house: House, sql: Sql) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    redeemed("leo@acme.example")
    assert set(sql("SELECT purpose, value FROM secrets")) == {("password", "{HASH}p"), ("recovery code", "{HASH}c")}
    with acting_as(house.olive):
        assert {s.purpose for s in Secret.objects.all()} == {"password", "recovery code"}
        with pytest.raises(DatabaseError, match="permission denied"):
            run("SELECT value FROM secrets")


def test_a_secret_stands_nowhere_else(house: House, sql: Sql) -> None:
    """Every text of every table but the one; a hash would do as well as the word it is of."""
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    redeemed("leo@acme.example")
    tables = [
        t for (t,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'secrets'")
    ]
    found = [t for t in tables if sql(f"SELECT 1 FROM {t} t WHERE t::text LIKE '%HASH%' OR t::text LIKE '%{LINK}%'")]
    assert found == [] and len(tables) > 30


def test_a_secret_that_is_not_in_memory_cannot_be_written(house: House) -> None:
    from postroom.access.acting import SYSTEM

    session = kind("sessions.open", person="ada@northlight.example", mfa="x", until="2099-01-01T00:00:00Z")
    change = submit(session, actor=SYSTEM, why="x", secrets={"another purpose": "x"})
    assert change.stage == "refused" and "no longer in memory" in reasons(change)


def test_a_rolled_back_change_leaves_no_job(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def jobs() -> int:
        return int(run("SELECT count(*) FROM procrastinate_jobs")[0][0])

    def publish() -> Change:
        values = {"domain": "acme.example", "name": "www.acme.example", "type": "A", "values": ["192.0.2.1"]}
        return do("record_sets.set", house.olive, **values)

    holds(house, "acme.example", {})
    before, real = jobs(), writer.deliver.enqueue

    def then_fail(*args: Any) -> None:
        real(*args)
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(writer.deliver, "enqueue", then_fail)
    with pytest.raises(RuntimeError):
        publish()
    assert jobs() == before
    monkeypatch.undo()
    assert publish().stage == "applied" and jobs() == before + 1


def test_a_grant_on_a_domain_is_never_one_on_everything(house: House) -> None:
    domain = the(Domain, name="acme.example")

    class GiveAll(Kind, name="grants.give_all"):
        def plan(self, state):  # type: ignore[no-untyped-def]
            about = {"person_id": house.carl.person, "domain_id": domain.pk, "role": "auditor", "reason": "x"}
            yield create(Grant, state.new_id(), client_id=None, **about)

    with pytest.raises(DatabaseError, match="domain_grant_names_its_client"):
        submit(GiveAll(), actor=house.oskar, why="x")


def test_a_batch_is_seen_by_who_made_it_and_by_who_sees_one_of_its_changes(house: House) -> None:
    """Its reason is text that somebody typed about clients."""
    do("people.invite", house.oskar, name="Gina", email="gina@globex.example", client="globex")
    gina = person("gina@globex.example", house.oskar)
    given = do("grants.give", house.oskar, person="gina@globex.example", role="client admin", client="globex")
    assert given.stage == "verified", reasons(given)
    both = [kind("mailboxes.create", address=f"batched@{name}.example") for name in ("acme", "globex")]
    mine, wide = submit_batch(both[:1], actor=house.olive, why="Acme alone"), submit_batch(
        [*both[1:], kind("mailboxes.create", address="other@acme.example")], actor=house.oskar, why="both"
    )  # fmt: skip
    seen = {}
    for who in (house.olive, house.oskar, house.carl, gina, SYSTEM):
        with acting_as(who):
            seen[who.name] = {row.pk for row in Batch.objects.all()}
    assert seen == {
        "Olive": {mine.pk, wide.pk}, "Oskar": {mine.pk, wide.pk}, "Carl": {mine.pk, wide.pk}, "Gina": {wide.pk},
        "system": {mine.pk, wide.pk},
    }  # fmt: skip
    with acting_as(gina), pytest.raises(DatabaseError):
        Batch.objects.create(
            id=house.oskar.person, proposer_id=house.oskar.person, why="in another's name", plan_hash=""
        )
    assert run("SELECT count(*) FROM batches") == [(0,)], "nobody acts: nothing is seen"
