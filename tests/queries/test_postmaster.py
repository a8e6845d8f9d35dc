"""The organization's postmaster is outside of every client, and inside for mail to postmaster@ and abuse@ alone.

What passes other mail on to them lets it out: the finder, the tracer, the map and the policies say so alike.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cast import MIA, POSTMASTER, House, agreed, do, person, reasons, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.models import Client, RouteException
from postroom.models.routes import inside
from postroom.posture.checks import unexcepted
from postroom.posture.checks.redirect import lets_of
from postroom.queries.leaving import Asked, Way, every
from postroom.queries.mapping import mapped
from postroom.queries.route_rows import Asked as AskedMap
from postroom.queries.tracing import traced
from routed import later, looked, script

ABUSE, INFO, LEO = "abuse@acme.example", "info@acme.example", "leo@acme.example"
WORDS = f"mail to {{}} would leave by way of {ABUSE}, which leads to the organization's postmaster, {POSTMASTER}"
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an alias": (INFO, "aliases.create", {"address": INFO, "targets": [ABUSE]}),
    "a forward": (MIA, "forwards.create", {"address": MIA, "to": ABUSE, "until": later(), "keep_copy": True}),
    "a catch-all": ("any other address at acme.example", "catch_alls.set",
                    {"domain": "acme.example", "target": ABUSE, "until": later()}),
}  # fmt: skip


def ways(actor: Actor, **asked: Any) -> list[Way]:
    with acting_as(actor):
        return list(every(actor, Asked(**asked)))


def leaves(actor: Actor, address: str) -> set[str]:
    """Where the tracer says that mail to it leaves to."""
    with acting_as(actor):
        return {one["address"] for one in traced(actor, address)["landings"] if one["sort"] == "outside"}


def agree_about(actor: Actor, *addresses: str) -> None:
    """The finder and the tracer, but for what leads to the postmaster by a role account's own right."""
    for one in addresses:
        by_finder = {way.target for way in ways(actor) if way.address == one}
        own = {POSTMASTER} if one.startswith(("postmaster@", "abuse@")) else set()
        assert by_finder == leaves(actor, one) - own, one


@pytest.mark.parametrize("sort", WAYS)
def test_what_leads_to_a_role_account_leaves_by_way_of_it(house: House, sort: str) -> None:
    called, kind, asked = WAYS[sort]
    held = do(kind, house.olive, **asked)
    assert held.stage == "held" and WORDS.format(called) in reasons(held), (held.stage, held.verdicts)
    agreed(house, held)
    address = "@acme.example" if sort == "a catch-all" else called
    (one,) = ways(house.olive)
    assert (one.address, one.via, one.leaves_at, one.target, one.hops) == (address, ABUSE, ABUSE, POSTMASTER, 1)
    assert (one.risk, one.exception) == ("high", None), "nothing lets it leave"
    agree_about(house.olive, MIA, ABUSE, *([called] if "any other" not in called else ()))


def test_so_does_what_a_filter_sends_there_and_what_leads_to_that(house: House) -> None:
    looked()
    do("mailboxes.create", house.olive, address=LEO)
    script(LEO, {"to": ABUSE})
    found = ways(house.olive)
    assert [(one.mechanism, one.address, one.via, one.target) for one in found] == [
        ("sieve redirect", LEO, ABUSE, POSTMASTER)]  # fmt: skip
    do("mailboxes.create", house.olive, address="far@acme.example")
    held = do("aliases.create", house.olive, address=INFO, targets=[LEO])
    assert held.stage == "held" and WORDS.format(INFO) in reasons(held)
    agreed(house, held)
    assert {(one.address, one.via, one.hops) for one in ways(house.olive)} == {(LEO, ABUSE, 1), (INFO, LEO, 2)}
    agree_about(house.olive, LEO, INFO, ABUSE, MIA)


def test_a_role_account_that_comes_to_lead_there_again_takes_the_others_along(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.change", house.oskar, alias=ABUSE, targets=[LEO])
    assert do("aliases.create", house.olive, address=INFO, targets=[ABUSE]).version and ways(house.olive) == []
    held = do("aliases.change", house.oskar, alias=ABUSE, targets=[POSTMASTER])
    assert held.stage == "held" and WORDS.format(INFO) in reasons(held), held.verdicts


def test_one_role_account_that_leads_to_another_keeps_its_mail_inside(house: House) -> None:
    assert do("aliases.change", house.oskar, alias="postmaster@acme.example", targets=[ABUSE]).version
    assert ways(house.olive) == []
    agree_about(house.olive, "postmaster@acme.example", ABUSE)


def test_an_exception_of_its_own_lets_it_leave(house: House) -> None:
    agreed(house, do("exceptions.create", house.olive, address=MIA, target=POSTMASTER, owner="Mia", until=later()))
    assert do("forwards.create", house.olive, address=MIA, to=ABUSE, until=later(), keep_copy=True).version
    (one,) = ways(house.olive)
    assert (one.via, one.exception, one.risk) == (ABUSE, the(RouteException).pk, "medium")


def test_where_the_postmaster_is_forbidden_nothing_is_passed_on_there(house: House) -> None:
    do("clients.change", house.olive, client="acme", forward_forbidden=["northlight.example"])
    refused = do("aliases.create", house.olive, address=INFO, targets=[ABUSE])
    assert refused.stage == "refused" and WORDS.format(INFO) in reasons(refused)
    assert "forbidden by northlight.example" in reasons(refused)


def test_a_role_account_that_is_not_seen_is_not_named(house: House) -> None:
    do("domains.add", house.oskar, client="acme", name="small.example")
    do("domains.prove", SYSTEM, domain="small.example", proof="a test")
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    do("grants.give", house.oskar, person="dora@northlight.example", role="client admin", domain="small.example")
    dora = person("dora@northlight.example", house.oskar)
    held = do("aliases.create", dora, address="info@small.example", targets=[ABUSE])
    assert "by way of an address you do not see" in reasons(held) and ABUSE not in reasons(held), held.verdicts


# One definition.


@pytest.mark.parametrize("source", [ABUSE, "postmaster@acme.example", MIA, INFO, "abuse2@acme.example"])
@pytest.mark.parametrize("target", [POSTMASTER, "x@northlight.example", MIA, "x@globex.example", "x@later.example"])
def test_every_place_says_the_same_of_one_step(house: House, source: str, target: str) -> None:
    """The function, the finder, the map, what a filter may send, and the finding; two of them are SQL."""
    if source == target:
        return
    do("domains.add", house.oskar, client="acme", name="later.example")
    _set(source, target)
    client = the(Client, slug="acme")
    with acting_as(house.olive):
        keeps = inside(client.pk).keeps(target, of=source)
        routes = mapped(AskedMap(house.olive, client, timezone.now())).routes.items
    (route,) = [one for one in routes if one.source == source and one.sort == "alias"]
    with acting_as(SYSTEM):
        filters = lets_of([client.pk])[client.pk].go(target, of=source)
        found = any(one.cause == target for one in unexcepted._read(timezone.now()))
    listed = any(way.address == source and not way.hops for way in ways(house.olive))
    said = {"finder": not listed, "map": route.state != "bad", "filters": filters, "finding": not found}
    assert said == dict.fromkeys(said, keeps)


def _set(source: str, target: str) -> None:
    """An alias as no policy would let it stand: written past them all."""
    with acting_as(SYSTEM), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('postroom.change', 'a test', true)")
        cursor.execute(
            "INSERT INTO addresses (id, client_id, domain_id, address, keep_copy) SELECT gen_random_uuid(), client_id,"
            " id, %s, false FROM domains WHERE name = 'acme.example' ON CONFLICT DO NOTHING", [source])  # fmt: skip
        cursor.execute("DELETE FROM aliases USING addresses a WHERE address_id = a.id AND address = %s", [source])
        cursor.execute(
            "INSERT INTO aliases (id, client_id, address_id, targets) SELECT gen_random_uuid(), client_id, id,"
            " ARRAY[%s] FROM addresses WHERE address = %s", [target, source])  # fmt: skip


# A domain that nobody serves yet.


def test_an_alias_at_a_domain_that_is_not_proven_yet_is_no_way(house: House) -> None:
    do("domains.add", house.oskar, client="acme", name="later.example")
    agreed(house, do("aliases.create", house.olive, address="info@later.example", targets=["abuse@later.example"]))
    agreed(house, do("forwards.create", house.olive, address=MIA, to="mia@gmail.com", owner="Mia", until=later()))
    agreed(house, do("aliases.create", house.olive, address="mia@later.example", targets=[MIA]))
    assert [one.address for one in ways(house.olive)] == [MIA], "nothing comes there"
    with acting_as(house.olive):
        assert traced(house.olive, "info@later.example")["hops"] == [], "as the tracer says"
    do("domains.prove", SYSTEM, domain="later.example", proof="a test")
    assert {one.address for one in ways(house.olive)} == {MIA, "info@later.example", "mia@later.example"}
    agree_about(house.olive, MIA, "info@later.example", "mia@later.example")
