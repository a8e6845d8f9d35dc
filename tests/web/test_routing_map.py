"""The routing map: every route of a client or domain, what is wrong set apart, drawn legibly at three hundred."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, do, do_all, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Mailbox, Node, SieveRead, SieveScript
from postroom.queries.mapping import Landing
from postroom.queries.route_rows import ALIAS, CATCH_ALL, FORWARD, SIEVE, Route
from postroom.web.parts.route_map import BOX, HIGH, LETTERS, ROOM, WORST, drawn
from postroom.web.parts.route_map import Node as Drawn
from postroom.web.routing_groups import HIGHEST, grouped
from routed import looked

LEO, HOME = "leo@acme.example", "mia@gmail.com"
PAGE = "/clients/acme/routing/"


def later() -> str:
    return (timezone.now() + timedelta(days=20)).replace(microsecond=0).isoformat()


def script(address: str, redirects: list[dict[str, Any]], *, unreadable: str = "", active: bool = True) -> None:
    box = the(Mailbox, address__address=address)
    with acting_as(SYSTEM):
        SieveScript.objects.create(
            at=timezone.now(), first=timezone.now(), client_id=box.client_id, domain_id=box.address.domain_id,
            mailbox=box, node=Node.objects.earliest("name"), name="main", active=active, redirects=redirects,
            unreadable=unreadable,
        )  # fmt: skip


def shown(house: House, path: str = PAGE, *, ago: timedelta = timedelta(0)) -> str:
    """As it is drawn while the node looked at all scripts so long ago."""
    looked(at=timezone.now() - ago)
    answer = visitor(house.olive).get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_each_route_is_a_box_and_a_line_in_words_and_what_is_wrong_is_said(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[MIA, LEO])
    do("catch_alls.set", house.olive, domain="acme.example", target=LEO, until=later())
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=HOME, until=later(), owner="Mia"))
    script(LEO, [{"to": "spy@far.test", "copy": True, "conditional": True, "by": "redirect"}])
    text = shown(house)
    for words in ("team@acme.example", "*@acme.example", HOME, "by exception", "outside, approved", "temporary",
                  "spy@far.test", "redirect :copy, sometimes, no exception"):  # fmt: skip
        assert words in text, words
    assert text.count('class="rb rb-bad"') == 3, "the mailbox, its script, and where it leaves to"


def test_what_goes_round_is_bad_on_the_map(house: House) -> None:
    gone, on = "gone@acme.example", "on@acme.example"
    for address, to in ((gone, MIA), (on, gone)):
        do("aliases.create", house.olive, address=address, targets=[to])
    do("catch_alls.set", house.olive, domain="acme.example", target=on, until=later())
    assert "goes round" not in shown(house)
    with_consent(house, do("aliases.remove", house.olive, alias=gone))
    assert shown(house).count("goes round, lands nowhere") >= 2, "the alias and the catch-all"


def test_what_nobody_could_read_leads_to_nobody_knows_where(house: House) -> None:
    script(MIA, [], unreadable="sievec ended by signal 11")
    text = shown(house)
    assert "nobody knows" in text and "not readable: sievec" in text and "rb-unknown" in text


def test_what_a_silent_node_read_before_is_unknown_now_with_when_it_last_did(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[MIA])
    script(LEO, [{"to": "spy@far.test", "copy": True, "conditional": False, "by": "redirect"}])
    said = "its node last said which filters it has at"
    assert said not in shown(house, ago=timedelta(minutes=4)) and "filters unknown" not in shown(house)
    text = shown(house, ago=timedelta(minutes=6))
    assert f"redirect :copy, no exception; {said}" in text and "mailbox, its filters unknown" in text
    assert "Not all is known" in text and 'class="rb rb-unknown"' in text and "outside, without an exception" in text
    with acting_as(SYSTEM):
        SieveRead.objects.all().delete()
        SieveScript.objects.all().delete()
    text = visitor(house.olive).get("/clients/globex/routing/").content.decode()
    assert "Its node has not said which filters it has" in text and "Every mailbox lands in itself" not in text


def test_a_script_that_is_not_in_force_and_a_computed_target(house: House) -> None:
    script(MIA, [{"to": "spy@far.test", "copy": False, "conditional": False, "by": "redirect"}], active=False)
    assert "spy@far.test" not in shown(house)
    do("mailboxes.create", house.olive, address=LEO)
    script(LEO, [{"to": "", "copy": False, "conditional": False, "by": "redirect"}])
    assert "redirect, to what it works out" in shown(house)


def test_a_redirect_that_somebody_stopped_is_no_way_out_and_the_other_is(house: House) -> None:
    ways = [{"to": f"{to}@far.test", "copy": True, "conditional": False, "by": "redirect"} for to in ("spy", "other")]
    do("mailboxes.create", house.olive, address=LEO)
    script(LEO, ways)
    do("redirects.stop", house.olive, mailbox=LEO, target="spy@far.test")
    text = shown(house)
    assert text.count('class="rb rb-bad"') == 3, "the mailbox, the other redirect, and where that leaves to"
    assert text.count('class="rb rb-warn"') == 1 and "stopped at its node" in text


def test_only_of_a_domain_and_only_for_who_may_see_it(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("aliases.create", house.olive, address="only@acme.test", targets=[MIA])
    do("aliases.create", house.olive, address="team@acme.example", targets=[MIA])
    text = shown(house, "/domains/acme.test/routing/")
    assert "only@acme.test" in text and "team@acme.example" not in text
    for path in ("/clients/globex/routing/", "/domains/globex.example/routing/"):
        assert visitor(house.carl).get(path).status_code == 404
    assert visitor(house.carl).get(PAGE).status_code == 200


def test_a_map_asks_as_often_for_many_as_for_few_and_goes_on_where_it_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("aliases.create", house.olive, address="a0@acme.example", targets=[MIA])
    browser = visitor(house.olive)
    browser.get(PAGE)
    few, many = asked(browser), []
    parts = [{"address": f"b{n:02}@acme.example", "targets": [MIA]} for n in range(24)]
    assert do_all("aliases.create", house.olive, parts).version
    many = asked(browser)
    assert few == many
    assert "25 addresses" in browser.get(PAGE).content.decode(), "those that do the same share a box"


def asked(browser: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(PAGE).status_code == 200
    return len(queries)


def test_three_hundred_lines_and_no_box_lies_on_another() -> None:
    nodes = [Drawn(f"a{n}", 0, f"a{n}@acme.example", "alias", "ok", "#") for n in range(300)]
    nodes += [Drawn(f"r{n}", 1, "Alias", "", "ok", "#") for n in range(300)]
    nodes += [Drawn("m", 2, MIA, "mailbox", "ok", "#"), Drawn("x", 3, HOME, "outside", "bad", "#")]
    edges = [(f"a{n}", f"r{n}", "ok") for n in range(300)]
    edges += [(f"r{n}", "m" if n % 2 else "x", "ok" if n % 2 else "bad") for n in range(300)]
    drawing = drawn(nodes, edges)
    assert len(drawing.boxes) == 602
    places = sorted((one.x, one.y) for one in drawing.boxes)
    for (x1, y1), (x2, y2) in pairwise(places):
        assert x1 != x2 or y2 - y1 >= HIGH
    assert all(0 <= one.x <= drawing.width - BOX and 0 <= one.y <= drawing.height - HIGH for one in drawing.boxes)
    assert drawing.wires[-1].state == "bad", "what is wrong lies on top"


def test_a_long_name_stays_in_its_box() -> None:
    names = ["mia@acme.example", "postmaster@northlight.example", f"{'long' * 9}@acme.example"]
    boxes = drawn([Drawn(str(n), 0, name, "", "ok", "#") for n, name in enumerate(names)], []).boxes
    assert [(box.squeezed, len(box.label)) for box in boxes] == [(0, 16), (ROOM, 29), (ROOM, LETTERS)]


NOW = timezone.now()


def realistic() -> tuple[list[Route], dict[str, Landing]]:
    """A client of eighty people: aliases to many, forwards with copies and exceptions, filters, and a few that leak."""
    box = [f"person{n:02}@acme.example" for n in range(80)]
    of = (("gmail.com", 12), ("web.de", 9), ("partner.test", 21), ("books.test", 3))
    away = [f"out{n}@{domain}" for domain, many in of for n in range(many)]
    routes = [
        Route(f"list{n:02}@acme.example", ALIAS, UUID(int=n), tuple(box[(n * 7 + k) % 80] for k in range(1 + n % 6)))
        for n in range(45)
    ]
    routes += [
        Route(box[n], FORWARD, UUID(int=100 + n), (to,), n % 3 > 0, NOW, "ok", "by exception")
        for n, to in enumerate(away)
    ]
    routes += [Route(box[50 + n], FORWARD, UUID(int=200 + n), (box[n],), False, NOW) for n in range(12)]
    by, leak = "redirect, sometimes, by exception", "redirect :copy, no exception"
    routes += [Route(box[60 + n], SIEVE, UUID(int=300 + n), (away[n],), n % 2 > 0, None, "ok", by) for n in range(16)]
    routes += [Route(box[n], SIEVE, UUID(int=400 + n), ("spy@far.test",), True, None, "bad", leak) for n in (3, 41)]
    routes += [Route(box[44], SIEVE, UUID(int=500), (), True, None, "unknown", "not readable: sievec ended")]
    routes += [Route("*@acme.example", CATCH_ALL, UUID(int=600), (box[0],), False, NOW, "warn", "temporary")]
    places = {to: Landing(to, "mailbox") for to in box} | {to: Landing(to, "outside") for to in away}
    return routes, places | {"spy@far.test": Landing("spy@far.test", "outside, without an exception", "bad")}


def test_a_client_with_three_hundred_lines_is_drawn_in_few_boxes_on_two_screens() -> None:
    """At most 1,400 px high, two screens of a laptop; some 25 boxes of 54 px in each column: more is no map but a list,
    which stands below. What is wrong keeps boxes of its own, by name."""
    routes, places = realistic()
    assert sum(len(one.targets) + one.keeps + 1 for one in routes) >= 300, "lines, one by one"
    drawing = grouped(sorted(routes, key=lambda one: (WORST.index(one.state), one.source)), places)
    assert drawing.height <= HIGHEST == 1400
    for column in range(4):
        assert sum(box.node.column == column for box in drawing.boxes) <= 25
    words = {box.node.label: box.node for box in drawing.boxes}
    assert {"spy@far.test", "person03@acme.example", "person41@acme.example", "nobody knows where"} <= words.keys()
    for box in drawing.boxes:
        assert box.node.state != "bad" or box.node.label in ("spy@far.test", "person03@acme.example",
                                                             "person41@acme.example", "Sieve script")  # fmt: skip
    assert any(label.endswith("addresses at gmail.com") for label in words), words.keys()
    assert {wire.state for wire in drawing.wires} == {"bad", "unknown", "warn", "ok"}


def test_a_hundred_leaks_are_drawn_in_few_boxes_too_and_none_of_them_with_what_is_in_order() -> None:
    routes, places = realistic()
    spies = [f"spy{n}@far{n}.test" for n in range(100)]
    routes += [
        Route(f"leak{n}@acme.example", FORWARD, UUID(int=700 + n), (to,), False, None, "bad", f"no exception {n}")
        for n, to in enumerate(spies)
    ]
    places |= {to: Landing(to, "outside, without an exception", "bad") for to in spies}
    drawing = grouped(routes, places)
    assert drawing.height <= HIGHEST
    bad = {box.node.label for box in drawing.boxes if box.node.state == "bad" and box.node.column in (0, 3)}
    assert "100 addresses" in bad and "101 addresses" in bad, bad


def test_few_routes_are_drawn_each_by_itself() -> None:
    routes, places = realistic()
    drawing = grouped(routes[:8], places)
    assert {box.node.label for box in drawing.boxes if box.node.column == 0} == {one.source for one in routes[:8]}
