"""What looks past row security: each function listed with what it gives to whom, and tried with what is another's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from city import ALL, LINK, SLUGS, City, canary
from django.db import DatabaseError, connection, transaction

from cast import do, the
from postroom.access.acting import Actor, acting_as, may_act
from postroom.models import Client, Mailbox
from postroom.queries import objects

pytestmark = pytest.mark.matrix
Sql = Callable[..., list[tuple[Any, ...]]]

# Who is asking: called before anybody acts, with what only that one holds or a door has checked. What they answer is of
# the one who is named, and nobody else.
WHO_ASKS = {
    "postroom_enter(uuid,uuid)": "nothing; sets what this transaction may see, from the grants of who is named",
    "postroom_enter_change(uuid)": "who proposed a change; sees its client",
    "postroom_enter_link(text)": "the invite of a link, by the hash of its token",
    "postroom_holds(uuid,uuid)": "roles of one person, for what acting_as keeps of them",
    "postroom_session(text)": "whose session it is, by the hash of its token",
    "postroom_token(text)": "whose token it is, by its hash",
    "postroom_owner(uuid,text,text)": "a mailbox its owner may sign in to, for who looks at its password",
    "postroom_enter_owner(uuid,integer,text)": "the same; sets that this transaction sees it alone",
    "postroom_signed_in(uuid)": "name and roles of a person who has signed in",
}
# A yes, a count or the very words that were asked about; whoever's it is stays unsaid.
ONE_WORD = {
    "postroom_others(uuid[],uuid[],text[])": "how many people",
    "postroom_stand_above(uuid[],jsonb)": "whether any of them",
    "postroom_taken(text,text[])": "those of the names asked about that are taken",
    "postroom_others_beside(text[],uuid[])": "those of the names asked about that lie beside another client's domain",
    "postroom_code_fits(uuid,text)": "whether; nothing fits without the key, which is not in the database",
    "postroom_recorded_for(bigint,uuid[],uuid)": "whether; it is what a policy asks",
}
# Rows: as many as row security would show.
ROWS = {
    "postroom_may_act(uuid)": "who may act at a client that is seen as a whole",
    "postroom_acted(uuid[])": "names of people who acted at a client that is seen",
    "postroom_own_aliases()": "what lands in the mailbox whose owner acts",
    "postroom_own_leads()": "the same, uncounted",
    "postroom_own_keepers()": "roles at the mailbox whose owner acts; names of its client's own people",
    "postroom_own_delegations()": "who has access to the mailbox whose owner acts, and where it has; who asked",
    "postroom_own_listed()": "which node serves the mailbox whose owner acts, and when it last listed sessions",
    "postroom_own_filter()": "when the filter of the mailbox whose owner acts was changed, and its script's digest",
    "postroom_own_story(bigint,timestamptz,text[],integer)": "what happened to the mailbox whose owner acts",
    "postroom_find_addresses(text)": "ids of addresses that are seen",
    "postroom_find_mailbox_names(text)": "ids of mailboxes that are seen",
    "postroom_read_back(uuid,uuid)": "the worker: what a node said of a change",
    "postroom_differing(uuid,jsonb,integer)": "the worker: buckets of a node",
    "postroom_drifted(uuid,text,jsonb,timestamptz)": "the worker: objects of a node",
    "record_erase(bigint,bigint,bytea[])": "how many lines; of an entry that this very transaction's erasure names",
}
TRIGGERS = {"postroom_beside()"}
OF_A_NODE = {"node_pull(integer)", "node_ack(bigint[],jsonb)", "node_report(text,jsonb)", "node_rebuild()"}
OF_THE_SIGNER = {
    "record_size()", "record_leaves(bigint,bigint)", "record_nodes(integer[],bigint[])",
    "record_sign(bigint,bytea,text)", "record_alarm(text)",
}  # fmt: skip
FOR_THE_APPLICATION = {*WHO_ASKS, *ONE_WORD, *ROWS}


def all_are_known(sql: Sql) -> None:
    found = {
        name.replace("timestamp with time zone", "timestamptz"): rest
        for name, *rest in sql(
            "SELECT p.oid::regprocedure::text, pg_get_userbyid(proowner), proconfig::text,"
            " has_function_privilege('postroom_app', p.oid, 'EXECUTE'),"
            " has_function_privilege('postroom_node', p.oid, 'EXECUTE'),"
            " has_function_privilege('postroom_signer', p.oid, 'EXECUTE'), prorettype = 'trigger'::regtype"
            " FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        )
    }
    assert set(found) == {*FOR_THE_APPLICATION, *TRIGGERS, *OF_A_NODE, *OF_THE_SIGNER}
    for name, (owner, settings, app, node, signer, trigger) in found.items():
        assert (owner, settings) == ("postroom_system", '{"search_path=public, pg_temp"}'), name
        if not trigger:
            may = (name in FOR_THE_APPLICATION, name in OF_A_NODE, name in OF_THE_SIGNER)
            assert (app, node, signer) == may, name
    assert [v for (v,) in sql("SELECT viewname FROM pg_views WHERE schemaname = 'public'")] == ["compiled"]
    assert sql("SELECT has_table_privilege('postroom_app', 'compiled', 'SELECT')") == [(False,)]
    assert sql("SELECT reloptions::text FROM pg_class WHERE relname = 'compiled'") == [("{security_invoker=true}",)]
    assert sql("SELECT 1 FROM pg_matviews") == []


def test_every_function_that_looks_past_row_security_is_listed(database: str, sql: Sql) -> None:
    all_are_known(sql)


PLANTED = {
    "one more": "CREATE FUNCTION more() RETURNS int SECURITY DEFINER LANGUAGE sql RETURN 1",
    "open to all": "GRANT EXECUTE ON FUNCTION postroom_token(text) TO PUBLIC",
    "a view of everything": "CREATE VIEW all_people AS SELECT * FROM people",
    "as its owner sees": "ALTER VIEW compiled SET (security_invoker = false)",
    "any search path": "ALTER FUNCTION postroom_may_act(uuid) RESET search_path",
}


@pytest.mark.parametrize("how", PLANTED)
def test_one_that_is_not_listed_or_open_to_more_is_seen(database: str, sql: Sql, how: str) -> None:
    sql(PLANTED[how])
    with pytest.raises(AssertionError):
        all_are_known(sql)


FOREIGN = "SELECT to_jsonb(x)::text FROM {} x"
TRIED: dict[str, str] = {
    "postroom_others(uuid[],uuid[],text[])":
        "postroom_others(ARRAY[%(client)s]::uuid[], ARRAY[]::uuid[], ARRAY['client admin'])",
    "postroom_stand_above(uuid[],jsonb)":
        "postroom_stand_above(ARRAY[%(person)s]::uuid[], '{\"\": [\"client viewer\"]}')",
    "postroom_taken(text,text[])": "postroom_taken('addresses', ARRAY[%(address)s, 'nobody@nowhere.example'])",
    "postroom_others_beside(text[],uuid[])": "postroom_others_beside(ARRAY['a.' || %(zone)s], ARRAY[NULL]::uuid[])",
    "postroom_recorded_for(bigint,uuid[],uuid)":
        "postroom_recorded_for(%(entry)s, ARRAY[%(domain)s]::uuid[], %(person)s)",
    "postroom_code_fits(uuid,text)": "postroom_code_fits(%(code)s, 'x')",
    "postroom_may_act(uuid)": "postroom_may_act(%(client)s)",
    "postroom_acted(uuid[])": "postroom_acted(ARRAY[%(person)s, %(somebody)s]::uuid[])",
    "postroom_own_aliases()": "postroom_own_aliases()", "postroom_own_keepers()": "postroom_own_keepers()",
    "postroom_own_delegations()": "postroom_own_delegations()",
    "postroom_own_leads()": "postroom_own_leads()", "postroom_own_listed()": "postroom_own_listed()",
    "postroom_own_filter()": "postroom_own_filter()",
    "postroom_own_story(bigint,timestamptz,text[],integer)": "postroom_own_story(NULL, NULL, NULL, 100)",
    "postroom_find_addresses(text)": "postroom_find_addresses('%%' || %(zone)s || '%%')",
    "postroom_find_mailbox_names(text)": "postroom_find_mailbox_names('%%CANARY%%')",
    "postroom_read_back(uuid,uuid)": "postroom_read_back(%(change)s, %(node)s)",
    "postroom_differing(uuid,jsonb,integer)": "postroom_differing(%(node)s, '{}', 3)",
    "postroom_drifted(uuid,text,jsonb,timestamptz)": "postroom_drifted(%(node)s, %(bucket)s, '{}', now())",
    "record_erase(bigint,bigint,bytea[])": "record_erase(%(entry)s, %(entry)s, ARRAY[]::bytea[])",
}  # fmt: skip
SAYS_NO_MORE = {  # what these answer of another client: a count, a yes, or the words of the question itself
    "postroom_others(uuid[],uuid[],text[])", "postroom_stand_above(uuid[],jsonb)", "postroom_taken(text,text[])",
    "postroom_others_beside(text[],uuid[])", "postroom_recorded_for(bigint,uuid[],uuid)",
    "postroom_code_fits(uuid,text)",
}  # fmt: skip


ASKED_OF_NOBODY = {  # they name no client, so each answers of its caller's own
    "postroom_find_mailbox_names(text)", "postroom_acted(uuid[])", "postroom_own_aliases()",
    "postroom_own_leads()", "postroom_own_keepers()", "postroom_own_listed()", "postroom_own_delegations()",
    "postroom_own_filter()", "postroom_own_story(bigint,timestamptz,text[],integer)",
}  # fmt: skip


def of(sql: Sql, slug: str) -> dict[str, Any]:
    """Things of one client, by what a function asks for."""
    ((found,),) = sql(
        "SELECT jsonb_build_object('client', c.id, 'zone', d.name, 'domain', d.id, 'address', 'leo@' || d.name,"
        " 'person', (SELECT id FROM people WHERE client_id = c.id AND name LIKE 'CANARY%' LIMIT 1),"
        " 'somebody', (SELECT proposer_id FROM changes WHERE client_id = c.id AND proposer_id IS NOT NULL LIMIT 1),"
        " 'change', (SELECT change_id FROM evidence WHERE client_id = c.id LIMIT 1), 'node', c.node_id,"
        " 'code', (SELECT id FROM reset_codes WHERE client_id = c.id LIMIT 1),"
        " 'entry', (SELECT max(id) FROM entries WHERE client_id = c.id), 'bucket', postroom_bucket(d.id))"
        f" FROM clients c JOIN domains d ON d.client_id = c.id WHERE c.slug = '{slug}'"
    )
    return dict(found)


def ids(sql: Sql, slug: str) -> list[str]:
    """Of its mailboxes and addresses: what a search finds."""
    both = " UNION ".join(f"SELECT id, client_id FROM {table}" for table in ("addresses", "mailboxes"))
    return [str(one) for (one,) in sql(f"SELECT x.id FROM ({both}) x JOIN clients c ON c.id = x.client_id"
                                       f" WHERE c.slug = '{slug}'")]  # fmt: skip


def answered(actor: Actor, call: str, about: dict[str, Any]) -> Iterator[str]:
    """Row by row what a function answers this actor; nothing where it refuses."""
    try:
        with acting_as(actor):
            with connection.cursor() as cursor:
                cursor.execute(FOREIGN.format(call), about)
                yield from (row for (row,) in cursor.fetchall())
            transaction.set_rollback(True)
    except DatabaseError as error:
        assert "erases nothing" in str(error), error


def none_says_anything(city: City, sql: Sql, calls: tuple[str, ...] = tuple(TRIED)) -> int:
    """Each with what belongs to a client its caller may not know; how often anything was answered at all."""
    said = 0
    for slug in SLUGS:
        about = of(sql, slug)
        own = ids(sql, slug)
        for name, actor in city.who.items():
            knows = slug in city.knows[name]
            for function in calls:
                rows = list(answered(actor, TRIED[function], about))
                said += knows and bool(rows)
                if knows:
                    continue
                told = f"{function} tells {name} of {slug}: {rows}"
                assert not any(word in row for row in rows for word in (canary(slug), *own)), told
                if function not in {*SAYS_NO_MORE, *ASKED_OF_NOBODY}:
                    assert rows == [], told
                if function in SAYS_NO_MORE:
                    words = {json.dumps(one) for one in (about["address"], f"a.{about['zone']}", True, False)}
                    assert all(row in words or row.isdecimal() for row in rows), told
    return said


def test_none_tells_anybody_of_a_client_they_do_not_know(city: City, sql: Sql) -> None:
    assert set(TRIED) == {*ONE_WORD, *ROWS}, "every one that takes what is not one's own is tried"
    assert none_says_anything(city, sql) > 60


LEAKS = {
    "postroom_find_addresses(text)": "SELECT a.id FROM addresses a WHERE a.address LIKE pattern",
    "postroom_find_mailbox_names(text)": "SELECT m.id FROM mailboxes m WHERE upper(m.name) LIKE pattern",
    "postroom_acted(uuid[])": "SELECT p.id, p.name FROM people p WHERE p.id = ANY (postroom_acted.people)",
    "postroom_own_aliases()": "SELECT b.id, b.address, 0 FROM aliases l JOIN addresses b ON b.id = l.address_id",
    "postroom_own_leads()": "SELECT b.id, b.address FROM aliases l JOIN addresses b ON b.id = l.address_id",
    "postroom_own_keepers()": "SELECT 'x', NULL::text[], p.name, 1::bigint FROM people p",
    "postroom_may_act(uuid)":
        "SELECT 'role', p.id, p.id, p.name, 'x', true, NULL::text, NULL::timestamptz FROM people p",
}  # fmt: skip


@pytest.mark.parametrize("function", LEAKS)
def test_one_that_forgets_the_scope_is_found(city: City, sql: Sql, function: str) -> None:
    ((head,),) = sql(f"SELECT pg_get_functiondef('{function}'::regprocedure)")
    sql(head[: head.index("BEGIN ATOMIC")] + f"AS $$ {LEAKS[function]} $$")
    with pytest.raises(AssertionError, match="tells"):
        none_says_anything(city, sql, (function,))


# A client that has closed itself is not the organization's any more, in any function.


def closed(city: City) -> Client:
    assert do("access.suspend", city.who["gina"], client="globex").version
    return the(Client, slug="globex")


OUTSIDE = ("oskar", "olive", "ada", "henry", "audrey")


def a_closed_client_is_in_no_answer(city: City, sql: Sql) -> None:
    about = of(sql, "globex")
    own = ids(sql, "globex")
    for name in OUTSIDE:
        for function in ROWS:
            rows = list(answered(city.who[name], TRIED[function], about))
            told = f"{function} tells {name}: {rows}"
            assert not any(word in row for row in rows for word in (canary("globex"), about["zone"], *own)), told


def test_a_client_that_closed_itself_is_in_no_answer(city: City, sql: Sql) -> None:
    closed(city)
    a_closed_client_is_in_no_answer(city, sql)
    for name in OUTSIDE:
        with acting_as(city.who[name]):
            found = [str(one) for noun in ("addresses", "mailboxes") for one in
                     objects.listed(city.who[name], noun, search="globex").items]  # fmt: skip
            assert found == [] and may_act(the_id(sql, "globex")) == []
    with acting_as(city.who["gina"]):
        assert len(objects.listed(city.who["gina"], "mailboxes", search="globex").items) == 6


def the_id(sql: Sql, slug: str) -> Any:
    return of(sql, slug)["client"]


def test_a_link_opens_its_own_client_alone_and_a_wrong_one_nothing(city: City) -> None:
    with acting_as(city.who["link"]):
        assert {one.label.partition("@")[2] for one in Mailbox.objects.all()} == {"acme.example"}
    for wrong in ("", LINK[:-1], LINK.upper(), "%"):
        with pytest.raises(LookupError), acting_as(Actor(None, "x", "link", wrong)):
            pass


def test_everybody_in_the_city_is_tried(city: City) -> None:
    assert set(city.who) >= {"carl", "vera", "connie", "tess", "stranger", "sam", "token", "link", "sealed"}
    assert {frozenset(one) for one in city.knows.values()} >= {frozenset(), ALL, frozenset({"acme"})}
