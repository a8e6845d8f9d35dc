"""What nodes tell of when mail last left: of ways that their own clients have, and nothing that is none."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from psycopg.types.json import Jsonb

from cast import MIA, House, agreed, at, do, person, the, with_consent
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.models import LastHit, LeftRead
from postroom.models import Node as Server
from postroom.queries.leaving import Asked, Way, every
from postroom.worker.watch import forget
from routed import later, script

Connect = Callable[[str], Node]
HOME, SALES, GONE = "mia@gmail.com", "sales@acme.example", "gone@far.example"


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    """Acme's node. Mia forwards home, sales leads to her; a script of hers sends on, one to wherever it works out."""
    one = node("mx1")
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=HOME, owner="Mia", until=later()))
    with_consent(house, do("aliases.create", house.olive, address=SALES, targets=[MIA]))
    acknowledge(one)
    return one


def left(source: str, target: str, when: float = 0) -> dict[str, Any]:
    return {"source": source, "target": target, "at": when or time.time()}


def whole(since: float, when: float = 0) -> dict[str, Any]:
    return {"whole": True, "since": since, "at": when or time.time()}


def told(node: Node, *rows: dict[str, Any]) -> None:
    node.execute("SELECT node_report(%s, %s)", ["left", Jsonb(list(rows))])


def kept() -> dict[tuple[str, str], datetime]:
    with acting_as(SYSTEM):
        return {(one.source, one.target): one.at for one in LastHit.objects.all()}


def ways(actor: Actor) -> dict[tuple[str, str], Way]:
    with acting_as(actor):
        return {(one.address, one.target): one for one in every(actor, Asked())}


def test_the_newest_of_each_way_is_kept(house: House, mx1: Node) -> None:
    told(mx1, left(MIA, HOME, time.time() - 90), left(SALES, HOME), left(MIA, HOME, time.time() - 60))
    told(mx1, left(MIA, HOME, time.time() - 3600))
    found = kept()
    assert set(found) == {(MIA, HOME), (SALES, HOME)}
    assert timedelta(seconds=55) < timezone.now() - found[MIA, HOME] < timedelta(seconds=75)
    with acting_as(SYSTEM):
        one = LastHit.objects.get(source=MIA)
        assert one.client.slug == "acme" and one.domain.name == "acme.example"


@pytest.mark.parametrize("row", [
    left(MIA, "spy@evil.example"), left("nobody@acme.example", HOME), left("a@nowhere.example", HOME), left(MIA, MIA),
    left(MIA, ""), left("@acme.example", HOME), left("joe@globex.example", HOME),
    {"source": None, "target": HOME, "at": 1},
    left(MIA, HOME, time.time() - 366 * 86_400), {"whole": True},
])  # fmt: skip
def test_what_is_no_way_is_dropped(house: House, mx1: Node, row: dict[str, Any]) -> None:
    told(mx1, row)
    assert kept() == {}


def test_a_node_says_nothing_of_what_another_serves(house: House, mx1: Node, node: Connect) -> None:
    other = node("mx2")
    told(other, left(MIA, HOME), whole(time.time() - 60))
    assert kept() == {}
    with acting_as(SYSTEM):
        assert [one.node.name for one in LeftRead.objects.all()] == ["mx2"]


def test_whoever_makes_addresses_up_makes_no_rows(house: House, mx1: Node) -> None:
    """Of a catch-all there is one way, whoever the mail was for."""
    with_consent(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    told(mx1, *(left(f"x{n}@acme.example", HOME) for n in range(50)), left("@acme.example", HOME))
    assert set(kept()) == {("@acme.example", HOME)}


def test_by_a_script_by_its_words_or_where_it_works_its_target_out(house: House, mx1: Node) -> None:
    script(MIA, {"to": ""})
    told(mx1, left(MIA, "first@far.example"), left(MIA, "second@far.example"), left(MIA, HOME))
    assert set(kept()) == {(MIA, ""), (MIA, HOME)}


# What is said of it


def test_not_measured_is_not_never(house: House, mx1: Node) -> None:
    begin = time.time()
    (one,) = [one for way, one in ways(house.olive).items() if way == (MIA, HOME)]
    assert one.last_hit is None and one.measured_since is None, "no node has told anything"
    told(mx1, whole(begin - 86_400, begin - 60))
    assert ways(house.olive)[MIA, HOME].measured_since is None, "it has not looked since the way was made"
    told(mx1, whole(begin - 86_400, time.time() + 5))
    one = ways(house.olive)[MIA, HOME]
    assert one.last_hit is None and one.measured_since and one.made and one.measured_since >= one.made
    with at(timezone.now() + timedelta(minutes=11)):
        assert ways(house.olive)[MIA, HOME].measured_since is None, "its node is silent"


def test_a_gap_moves_the_day_since_when_it_is_measured(house: House, mx1: Node) -> None:
    told(mx1, left(MIA, HOME), whole(time.time() - 10))
    since = time.time() + 0.01
    told(mx1, whole(since, since))
    one = ways(house.olive)[MIA, HOME]
    assert one.last_hit is not None, "what was seen before stays true"


def test_only_a_filters_own_mailbox_is_told_of_it(house: House, mx1: Node) -> None:
    """Mail to sales that Mia's filter sends out: nobody knows any more that it was to sales."""
    script(MIA, {"to": GONE})
    told(mx1, left(MIA, GONE), whole(time.time() - 10, time.time() + 5))
    found = ways(house.olive)
    assert found[MIA, GONE].last_hit and found[MIA, GONE].measured_since
    assert found[SALES, GONE].last_hit is None and found[SALES, GONE].measured_since is None
    assert found[SALES, HOME].measured_since, "what a forward sends out is told of both"


def test_nobody_sees_another_clients(house: House, mx1: Node) -> None:
    told(mx1, left(MIA, HOME), whole(time.time() - 10))
    do("people.invite", house.oskar, name="Gina", email="gina@globex.example", client="globex")
    agreed(house, do("grants.give", house.oskar, person="gina@globex.example", role="client admin", client="globex"))
    gina = person("gina@globex.example", house.oskar)
    assert ways(gina) == {}
    with acting_as(gina):
        assert not LastHit.objects.exists()
    assert ways(house.carl)[MIA, HOME].last_hit


def test_it_is_let_go_after_a_year_and_never_says_more_than_that(house: House, mx1: Node) -> None:
    told(mx1, left(MIA, HOME), left(SALES, HOME), whole(time.time() - 800 * 86_400, time.time() + 5))
    with acting_as(SYSTEM):
        LastHit.objects.filter(source=MIA).update(at=timezone.now() - timedelta(days=366))
    forget()
    assert set(kept()) == {(SALES, HOME)}
    old = replace(ways(house.olive)[SALES, HOME], made=timezone.now() - timedelta(days=700), maker=None)
    assert old.measured_since and timezone.now() - old.measured_since < timedelta(days=365, seconds=5)


def test_the_server_is_named_once(house: House, mx1: Node) -> None:
    for _ in range(2):
        told(mx1, whole(time.time() - 10))
    with acting_as(SYSTEM):
        assert [one.node_id for one in LeftRead.objects.all()] == [the(Server, name="mx1").pk]


@pytest.mark.parametrize("since", [-1e11, "-Infinity", "NaN"])
def test_a_time_nobody_can_read_is_not_kept(house: House, mx1: Node, since: object) -> None:
    told(mx1, {"whole": True, "since": since, "at": time.time()})
    with acting_as(SYSTEM):
        assert all(one.since <= timezone.now() for one in LeftRead.objects.all())


@pytest.mark.parametrize("said", ["'-Infinity'", "'NaN'", "'Infinity'", "-1e11", "0", "NULL"])
def test_nor_of_anything_else_a_node_tells(
    house: House, sql: Callable[..., list[tuple[object, ...]]], said: str
) -> None:
    assert sql(f"SELECT postroom_moment({said}::float8) = now()") == [(True,)]
    assert sql("SELECT postroom_moment(1000)") == [(datetime.fromtimestamp(1000, UTC),)]


def test_what_another_server_took_is_a_way_by_its_transport_and_by_what_leads_there(house: House, mx1: Node) -> None:
    asked = {"address": "fax@acme.example", "host": "mx.far.example", "port": 2525, "owner": "Mia", "until": later()}
    with_consent(house, do("transports.create", house.olive, **asked))
    with_consent(house, do("aliases.create", house.olive, address="in@acme.example", targets=["fax@acme.example"]))
    server, both = "mx.far.example:2525", ("fax@acme.example", "in@acme.example")
    told(mx1, *(left(one, server) for one in both), left("fax@acme.example", "mx.far.example:25"), left(MIA, server))
    assert {way for way in kept() if ":" in way[1]} == {(one, server) for one in both}
    told(mx1, whole(time.time() - 60, time.time() + 1))
    found = ways(house.olive)
    assert all(found[one, server].last_hit and found[one, server].measured_since for one in both)
