"""Row security by itself: with the filter of `visible` taken out, nobody reads or writes a row of another client.

The filter is exact and the wall behind it holds the client (decision 13). Each wall is also pulled down once, to see
that the tests here notice.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from city import ALL, SLUGS, City, canary
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from cast import MIA, do, reasons, the
from postroom.access import scope
from postroom.access.acting import FOUNDER, SYSTEM, Actor, acting_as, acting_for, widened
from postroom.changes import saved_views
from postroom.changes.edit import Edit
from postroom.changes.errors import ChangeError
from postroom.changes.kind import Kind
from postroom.changes.pipeline import submit
from postroom.models import Change, Client, Domain, Mailbox
from postroom.posture.signed import signed
from postroom.queries import findings, lists, objects, suggest
from postroom.queries.changes import timeline
from postroom.queries.entries import Wanted, entries

pytestmark = pytest.mark.matrix
Sql = Callable[..., list[tuple[Any, ...]]]

OF_NO_CLIENT = {
    "organizations": "the one organization; its name and postmaster are known to everybody in it",
    "nodes": "the organization's own servers, by name and region",
    "mail_apps": "apps that may ask any owner to be let in, by name and way back",
    "token_keys": "public halves of the keys that tokens are signed by",
    "allauth_idp_oidc_client": "the sign-in library's, unused: apps are state",
    "allauth_idp_oidc_token": "the sign-in library's: codes and refresh tokens, found by their hashes alone",
    "roles": "names and permissions of the organization's own roles; who holds one is a grant",
    "logins": "sign-in rows; asked for by the person who signs in, before anybody acts",
    "subjects": "single sign-on: which login a provider's subject is",
    "device_codes": "a terminal that waits, by the hash of its code",
    "account_emailaddress": "the sign-in library's", "account_emailconfirmation": "the sign-in library's",
    "mfa_authenticator": "the sign-in library's", "usersessions_usersession": "the sign-in library's",
    "django_session": "the sign-in library's; found by its key alone",
    "django_content_type": "of Django", "django_migrations": "of Django",
    "auth_permission": "of Django, unused", "auth_group": "of Django, unused",
    "auth_group_permissions": "of Django, unused",
    "counted": "counters by key, of who tries to sign in and of tokens",
    "looks": "when each check last ran",
    "sieve_reads": "when a node last read the scripts of its mailboxes, and how many",
    "left_reads": "to when a node has read its logs of what leaves, and since when",
    "sieve_asked": "when a node was last asked to do so at once",
    "reports": "what a node says of itself; object ids and digests",
    "node_todo": "ids of objects a node has to look at",
    "tree_nodes": "hashes of hashes", "checkpoints": "size and root of the log",
    "signer_alarms": "why nothing is signed",
    "procrastinate_jobs": "ids of changes", "procrastinate_events": "ids of jobs",
    "procrastinate_periodic_defers": "ids of jobs", "procrastinate_workers": "who works",
}  # fmt: skip


def clients(sql: Sql) -> dict[str, str]:
    return {str(pk): slug for pk, slug in sql("SELECT id, slug FROM clients")}


def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def of_a_client(model: type[Model]) -> bool:
    """Its rows are some client's: they name it, or what they hang on does and nothing of them is the organization's."""
    columns = {field.attname for field in model._meta.concrete_fields}
    return model is Client or "client_id" in columns


WITHOUT_COLUMN = {
    "api_sessions",
    "batches",
    "devices",
    "saved_views",
    "token_uses",
}  # of a person, a token


def walled_tables() -> list[str]:
    tables = [model._meta.db_table for model in apps.get_app_config("postroom").get_models() if of_a_client(model)]
    return sorted({*tables, *WITHOUT_COLUMN})


def column(table: str) -> str:
    return "id" if table == "clients" else "client_id"


# The walls stand.


def walls_stand(sql: Sql) -> None:
    """Every table is walled, or listed with the reason why not; and each wall is one policy for everybody."""
    tables = {t for (t,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    standing = {
        t for (t,) in sql("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    }
    assert standing == set(walled_tables())
    assert tables - standing == set(OF_NO_CLIENT), "neither walled nor listed, or listed and not there"
    policies = {
        t: rest for t, *rest in sql("SELECT tablename, permissive, roles::text, cmd, qual, with_check FROM pg_policies")
    }
    assert len(policies) == len(sql("SELECT 1 FROM pg_policies")) and set(policies) == standing
    for table, (permissive, roles, cmd, qual, check) in policies.items():
        assert (permissive, roles, cmd) == ("PERMISSIVE", "{public}", "ALL"), table
        assert "postroom_" in qual or "FROM api_tokens" in qual, table
        assert "postroom_" in check or "FROM api_tokens" in check, table
        assert table in WITHOUT_COLUMN or f"{column(table)} = ANY" in check, table


def test_every_table_with_a_client_is_walled_and_every_other_is_listed(database: str, sql: Sql) -> None:
    walls_stand(sql)


PULLED_DOWN = {
    "a policy dropped": "DROP POLICY wall ON aliases",
    "row security off": "ALTER TABLE grants DISABLE ROW LEVEL SECURITY",
    "not for the owner": "ALTER TABLE people NO FORCE ROW LEVEL SECURITY",
    "a second policy beside it": "CREATE POLICY also ON domains USING (true)",
    "for some commands alone": "ALTER POLICY wall ON letters RENAME TO x; DROP POLICY x ON letters;"
    " CREATE POLICY wall ON letters FOR SELECT USING (client_id = ANY (postroom_scope()))",
    "a new table with a client": "CREATE TABLE newcomers (id int, client_id uuid)",
    "no check on what is written": "ALTER POLICY wall ON due WITH CHECK (true)",
}


@pytest.mark.parametrize("how", PULLED_DOWN)
def test_a_wall_that_is_down_is_seen(database: str, sql: Sql, how: str) -> None:
    sql(*PULLED_DOWN[how].split("; "))
    with pytest.raises(AssertionError):
        walls_stand(sql)


NOT_OURS = ("postroom_app", "postroom_signer", "postroom_node", "postroom_node_mx1", "postroom_node_mx2")


def test_nobody_who_is_at_work_owns_a_table_or_gets_past_a_wall(database: str, sql: Sql) -> None:
    powers = "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
    for name, *has in sql(f"{powers} WHERE rolname LIKE 'postroom%'"):
        assert has == [False, name == "postroom_system", False, False], name
    owners = {o for (o,) in sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")}
    assert owners == {"postroom_owner"}
    for role in NOT_OURS:
        for other in ("postroom_owner", "postroom_system", "postgres"):
            assert sql(f"SELECT pg_has_role('{role}', '{other}', 'MEMBER')") == [(False,)], (role, other)
        assert sql(f"SELECT 1 FROM pg_proc WHERE proowner = '{role}'::regrole") == []
    for role in NOT_OURS[1:]:
        readable = sql(f"SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN"
                       f" ('r', 'v') AND has_any_column_privilege('{role}', oid, 'SELECT')")  # fmt: skip
        assert readable == [], f"{role} reads no table"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("SET ROLE postroom_system", role="postroom_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("ALTER TABLE people NO FORCE ROW LEVEL SECURITY", role="postroom_app")


# Nothing foreign is read.


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """`visible` lets everything through, wherever it was imported: what is left is row security."""
    real = scope.visible
    for module in list(sys.modules.values()):
        if getattr(module, "visible", None) is real:
            monkeypatch.setattr(module, "visible", lambda actor, model, permission=None: model.objects.all())


def nothing_foreign_is_read(city: City, sql: Sql) -> int:
    """Every principal reads every walled table whole. What they may not know is in none of it. How many rows came."""
    slugs, seen = clients(sql), 0
    for name, actor in city.who.items():
        foreign = [canary(slug) for slug in ALL - city.knows[name]]
        with acting_as(actor):
            for table in walled_tables():
                rows = [json.loads(row) for (row,) in run(f"SELECT to_jsonb(t)::text FROM {readable(table)} t")]
                seen += len(rows)
                rows = [row for row in rows if row.get("person_id") != str(actor.person)]  # what they hold themselves
                whose = {slugs[row[column(table)]] for row in rows if row.get(column(table))}
                assert whose <= city.knows[name], f"{name} reads {table} of {whose - city.knows[name]}"
                text = json.dumps(rows)
                assert not [one for one in foreign if one in text], f"{name} reads {table}"
    return seen


def readable(table: str) -> str:
    """Secrets have a column that the application's role may not read at all."""
    hidden = "(SELECT id, client_id, owner_row, purpose FROM secrets)"
    return hidden if table == "secrets" else table


def test_there_is_something_to_find_of_each_client_in_every_table(city: City, sql: Sql) -> None:
    """Else that nobody reads it would say nothing."""
    for table in set(walled_tables()) - WITHOUT_COLUMN:
        found = {
            slug for (slug,) in sql(f"SELECT DISTINCT c.slug FROM {table} t JOIN clients c ON c.id = t.{column(table)}")
        }
        assert found == set(SLUGS), table
    tokens_are_used()
    saved_views.save(city.who["gina"], "mine", {})
    do("devices.register", SYSTEM, person="gina@globex.example", network="192.0.0.0/16", browser="a browser")
    assert all(sql(f"SELECT 1 FROM {table} LIMIT 1") for table in WITHOUT_COLUMN)


def tokens_are_used() -> None:
    with acting_as(SYSTEM):
        run("INSERT INTO token_uses (token_id, at, source) SELECT id, now(), name FROM api_tokens")


def test_whoever_asks_reads_nothing_of_a_client_they_do_not_know(city: City, sql: Sql) -> None:
    assert nothing_foreign_is_read(city, sql) > 5_000


def test_whoever_is_of_no_client_reads_no_row_of_any(city: City, sql: Sql) -> None:
    for name in ("stranger", "sam"):
        assert city.knows[name] == frozenset()
        with acting_as(city.who[name]):
            for table in set(walled_tables()) - WITHOUT_COLUMN:
                mine = "person_id = postroom_person()" if table in ("grants", "api_tokens") else "false"
                rows = run(f"SELECT 1 FROM {readable(table)} t WHERE {column(table)} IS NOT NULL AND NOT ({mine})")
                assert rows == [], (name, table)


def test_what_the_doors_read_names_no_other_client_either(city: City, no_filter: None) -> None:
    """Lists, pickers, the timeline and the record, with the filter out."""
    for name, actor in city.who.items():
        if actor.sort == "link":
            continue  # holds no session; what a link opens is read by its own pages
        foreign = [canary(slug) for slug in ALL - city.knows[name]]
        with acting_as(actor):
            read = list(everything_listed(actor))
        assert len(read) > 20 and not [one for text in read for one in foreign if one in text], name


def everything_listed(actor: Actor) -> Iterator[str]:
    for noun in objects.NOUNS:
        yield repr(objects.listed(actor, noun, limit=500))
        yield repr(objects.listed(actor, noun, search="CANARY"))
        yield repr([vars(row) for row in lists.listed(actor, noun, lists.Asked()).items])
    for noun in suggest.PICKS:
        yield repr(suggest.suggested(actor, noun))
    yield repr(timeline(actor, limit=500))
    yield repr(entries(actor, Wanted(limit=500), signed()))
    yield repr([vars(row) for row in findings.listed(actor, findings.Asked(), limit=500).items])


@pytest.mark.parametrize("table", ["mailboxes", "changes", "edits", "batches", "token_uses", "secrets", "due"])
def test_with_a_policy_that_lets_through_they_would(city: City, sql: Sql, table: str) -> None:
    tokens_are_used()
    nothing_foreign_is_read(city, sql)
    sql(f"ALTER POLICY wall ON {table} USING (true)")
    with pytest.raises(AssertionError):
        nothing_foreign_is_read(city, sql)
        nobody_sees_anything(sql)


def test_with_the_scope_worked_out_wrongly_they_would(city: City, sql: Sql) -> None:
    """Everybody with any role anywhere sees everything."""
    sql("CREATE OR REPLACE FUNCTION postroom_everything() RETURNS boolean STABLE LANGUAGE sql RETURN"
        " coalesce(current_setting('postroom.clients', true), '{}') <> '{}'")  # fmt: skip
    with pytest.raises(AssertionError):
        nothing_foreign_is_read(city, sql)


# Fail closed.


def nobody_sees_anything(sql: Sql) -> None:
    """Nobody acts: no row of any client, in any table, whatever was said before on this connection."""
    for table in walled_tables():
        where = "true" if table in WITHOUT_COLUMN else f"{column(table)} IS NOT NULL"
        assert run(f"SELECT count(*) FROM {readable(table)} t WHERE {where}") == [(0,)], table


def test_nobody_acts_and_nothing_is_there(city: City, sql: Sql) -> None:
    nobody_sees_anything(sql)
    connection.close()
    nobody_sees_anything(sql)


SETTINGS = ("person", "clients", "whole", "domains", "without", "everything", "change", "erasing")
NOW = "SELECT " + ", ".join(f"current_setting('postroom.{name}', true)" for name in SETTINGS)


def scope_now() -> tuple[Any, ...]:
    """What this transaction may see, as the database has it, and what comes of it."""
    ((said),) = run(NOW)
    return (*(one or "" for one in said), *sorted(str(one) for (one,) in run("SELECT id FROM domains")))


class Leaves(Exception):
    pass


def in_peace(actor: Actor) -> None:
    with acting_as(actor):
        run("SELECT 1")


def by_an_exception(actor: Actor) -> None:
    with pytest.raises(Leaves), acting_as(actor):
        raise Leaves


def by_a_broken_statement(actor: Actor) -> None:
    with pytest.raises(DatabaseError), acting_as(actor):
        run("SELECT 1 / 0")


def after_a_savepoint(actor: Actor) -> None:
    """A part that was rolled back, in which what may be seen had been widened."""
    with acting_as(actor) as access:
        before = scope_now()
        with pytest.raises(Leaves), transaction.atomic(), widened(access):
            run("SELECT set_config('postroom.everything', 'yes', true)")
            raise Leaves
        assert scope_now() == before


WAYS_OUT = (in_peace, by_an_exception, by_a_broken_statement, after_a_savepoint)


def carries_nothing_over(city: City) -> None:
    """Each after each, on one connection, whichever way the one before went."""
    alone: dict[str, tuple[Any, ...]] = {}
    for name, actor in city.who.items():
        connection.close()
        with acting_as(actor):
            alone[name] = scope_now()
    assert len(set(alone.values())) > 8
    connection.close()
    nothing = scope_now()
    for first in (*city.who.values(), SYSTEM, FOUNDER):
        for leave in WAYS_OUT:
            leave(first)
            assert scope_now() == nothing
            for name in ("carl", "connie", "gina", "stranger", "link", "olive"):
                with acting_as(city.who[name]):
                    assert scope_now() == alone[name], f"{name} after {first.name}, which left {leave.__name__}"


def test_a_connection_carries_nothing_over_from_whoever_had_it_before(city: City) -> None:
    carries_nothing_over(city)
    change = the_change_of("globex")
    with acting_for(change):
        assert [c.slug for c in Client.objects.all()] == ["globex"]
    with acting_as(city.who["carl"]):
        assert [c.slug for c in Client.objects.all()] == ["acme"]


def the_change_of(slug: str) -> Any:
    with acting_as(SYSTEM):
        return Change.objects.filter(client__slug=slug).latest("id").pk


def test_a_scope_that_is_set_for_the_session_would_be_carried_over(city: City, sql: Sql) -> None:
    (source,) = next(iter(sql("SELECT pg_get_functiondef('postroom_enter(uuid, uuid)'::regprocedure)")))
    sql(source.replace("'{}'::text[])::text, true)", "'{}'::text[])::text, false)").replace(
        "END, true)", "END, false)").replace(", true)", ", false)"))  # fmt: skip
    with pytest.raises(AssertionError):
        carries_nothing_over(city)


# Nothing foreign is written.


WRITERS = ("carl", "tess", "connie", "vera", "stranger", "wide token", "link")


def nothing_foreign_is_written(city: City, sql: Sql, *, tables: tuple[str, ...] = ()) -> None:
    """As if apply were at work: the guard is open, and what is left is the wall."""
    whose = {slug: pk for pk, slug in clients(sql).items()}
    for name, actor in ((name, city.who[name]) for name in WRITERS):
        for slug in sorted(ALL - city.knows[name])[-1:]:
            for table in tables or sorted(set(walled_tables()) - WITHOUT_COLUMN - {"clients"}):
                columns = written_columns(sql, table)
                ((row,),) = sql(f"SELECT to_jsonb(t) FROM {table} t WHERE client_id = '{whose[slug]}' LIMIT 1")
                about = f"{name}: {table} of {slug}"
                taken = (
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s)"
                )
                assert refused(actor, taken, json.dumps(row)) == "refused", about
                for way in ("UPDATE {} SET client_id = client_id", "DELETE FROM {}"):
                    touched = refused(actor, way.format(table) + " WHERE client_id = %s", whose[slug])
                    assert touched in (0, "refused"), f"{about}: {way}"


def written_columns(sql: Sql, table: str) -> str:
    ((columns,),) = sql(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        f" AND attgenerated = '' AND attrelid = '{table}'::regclass"
    )
    return str(columns)


def refused(actor: Actor, statement: str, *values: Any) -> str | int:
    """refused, or how many rows it would have touched (1 for any); nothing of it stays."""
    try:
        with acting_as(actor):
            run("SELECT set_config('postroom.change', 'a test', true)")
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                touched = min(cursor.rowcount, 1)
            transaction.set_rollback(True)
            return touched
    except DatabaseError as error:
        cause = error.__cause__
        assert isinstance(cause, psycopg.errors.InsufficientPrivilege), f"{statement}: {error}"
        return "refused"


def test_nobody_writes_a_row_of_a_client_they_do_not_know(city: City, sql: Sql) -> None:
    nothing_foreign_is_written(city, sql)


def test_with_no_check_on_what_is_written_somebody_would(city: City, sql: Sql) -> None:
    sql("ALTER POLICY wall ON letters WITH CHECK (true)")
    with pytest.raises(AssertionError):
        nothing_foreign_is_written(city, sql, tables=("letters",))


def test_an_edit_of_another_clients_row_is_not_applied_whatever_client_it_says(city: City, sql: Sql) -> None:
    """A kind that makes its edits up, past every read: the gate, or the wall, and in the end no row that moved."""
    foreign = the(Mailbox, address__address="mia@globex.example")
    own = the(Client, slug="acme")

    class Sneak(Kind, name="mailboxes.change"):
        said: Any = None

        def plan(self, state: Any) -> Any:
            yield Edit(
                "mailboxes", str(foreign.pk), {"name": foreign.name}, {**foreign.row(), "name": "mine"}, self.said
            )

    for who in ("carl", "otto", "tess", "connie", "wide token"):
        for said in (own.pk, foreign.client_id):
            try:
                change = submit(Sneak(said=said), actor=city.who[who], why="a test")
                assert change.version is None, (who, said, change.stage)
            except (ChangeError, DatabaseError):
                pass
    assert the(Mailbox, pk=foreign.pk).name == foreign.name


def test_a_client_that_is_another_rows_is_not_named_by_it(city: City, sql: Sql) -> None:
    """Its own row, given away: the wall asks of the row as it would be, too."""
    whose = {slug: pk for pk, slug in clients(sql).items()}
    for table in ("mailboxes", "domains", "letters", "people"):
        moved = refused(
            city.who["otto"], f"UPDATE {table} SET client_id = %s WHERE client_id = %s", whose["globex"], whose["acme"]
        )
        assert moved == "refused", table
    assert {d.name for d in every(Domain)} == {f"{slug}.example" for slug in SLUGS}
    assert do("mailboxes.suspend", city.who["otto"], mailbox=MIA).version, "and what is theirs they may"
    assert reasons(do("mailboxes.resume", city.who["otto"], mailbox=MIA)) == ""


def every(model: Any) -> list[Any]:
    with acting_as(SYSTEM):
        return list(model.objects.all())


def test_with_filter_and_wall_out_the_doors_would_name_another(city: City, sql: Sql, no_filter: None) -> None:
    """What shows that the filter was out, and the wall held."""
    sql("ALTER POLICY wall ON clients USING (true)")
    with acting_as(city.who["carl"]):
        assert canary("globex") in "".join(everything_listed(city.who["carl"]))
