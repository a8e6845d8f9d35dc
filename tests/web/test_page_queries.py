"""The number of queries follows from the page, never from how much there is to see."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

from django.db import connection
from django.test.utils import CaptureQueriesContext
from visitors import visitor

from cast import House, do, the
from postroom.changes.approvals import approve
from postroom.models import Client
from postroom.posture.findings import Found, observed

PAGES = ("/", "/clients/", "/clients/acme/", "/clients/acme/sheet/",
         "/clients/acme/sheet/?part=mailboxes", "/clients/acme/sheet/?part=routes", "/clients/acme/sheet/?part=roles",
         "/domains/", "/domains/acme.example/", "/posture/", "/domains/acme.example/posture/",
         "/clients/acme/routing/",
         "/domains/acme.example/routing/", "/mailboxes/", "/people/",
         "/nodes/", "/mailboxes/mia@acme.example/", "/mailboxes/mia@acme.example/sign-ins/",
         "/trace/?address=mia@acme.example",
         "/people/olive@northlight.example/", "/invites/", "/changes/",
         "/changes/?object=mia@acme.example", "/changes/?object=nobody@acme.example",
         "/approvals/", "/forwards/", "/forwards/looks/", "/exceptions/", "/destinations/", "/findings/",
         "/access-reviews/", "/rosters/", "/roles/",
         "/mail-apps/", "/tokens/new/",
         "/access/", "/access/?client=acme", "/audit/", "/audit/?what=changes&client=acme",
         "/find/?q=acme", "/do/mailboxes.suspend/", "/do/grants.give/")  # fmt: skip
MOST = 53
SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def counted(house: House) -> dict[str, int]:
    """Queries a page, for the approver, to whom held changes are shown with their plans."""
    found = {}
    for who in ("oskar", "ada"):
        browser = visitor(getattr(house, who))
        for address in PAGES:
            with CaptureQueriesContext(connection) as queries:
                answer = browser.get(address)
            if answer.status_code == 200:
                found[f"{who} {address}"] = len(queries)
    browser = visitor(house.carl)
    for address in ("/access/", "/clients/acme/"):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        found[f"carl {address}"] = len(queries)
    return found


def grown(house: House, start: int, stop: int) -> None:
    """Some of everything, each made by the changes people make."""
    numbers = range(start, stop)
    boxes = [{"address": f"box{n}@acme.example", "contact": f"box{n}@home.test"} for n in numbers]
    for at in range(0, len(boxes), 20):
        part = boxes[at : at + 20]
        do_all("mailboxes.create", house, part)
        do_all(
            "aliases.create",
            house,
            [{"address": f"a-{one['address']}", "targets": ["mia@acme.example"]} for one in part],
        )
    for n in numbers:
        do("clients.create", house.oskar, name=f"Client {n}")
        do("access_reviews.open", house.oskar, client=f"client-{n}")
        do("domains.add", house.oskar, client="acme", name=f"more{n}.example")
        do("people.invite", house.oskar, name=f"Person {n}", email=f"p{n}@northlight.example")
        do("grants.give", house.oskar, person=f"p{n}@northlight.example", role="auditor")
        do("mailboxes.remove", house.olive, mailbox=f"box{n}@acme.example")
        do("mailboxes.change", house.olive, mailbox="mia@acme.example", name=f"Mia {n}")
        do("grants.give", house.oskar, person="olive@northlight.example", role="auditor", client=f"client-{n}")
        asked = do("grants.elevate", house.olive, role="auditor", hours=2)
        approve(asked.pk, actor=house.oskar, plan_hash=asked.plan_hash)
        do("roles.create", house.oskar, name=f"role {n}", permissions=["domains.view"])
        do("grants.give", house.oskar, person="olive@northlight.example", role=f"role {n}", client="acme")
        do("tokens.create", house.olive, secrets={"token": f"{n:064}"}, name=f"T{n}", permissions=["domains.view"],
           until=SOON)  # fmt: skip
    found(stop)


def found(number: int) -> None:
    """So many things wrong at Acme."""
    acme = the(Client, slug="acme").pk
    one = Found("high", "clients", acme, "acme", "t", client=acme, evidence={"before": 1, "after": 2})
    observed("t.grown", [replace(one, cause=str(n)) for n in range(number)])


def do_all(name: str, house: House, params: list[dict[str, object]]) -> None:
    from cast import kind
    from postroom.changes.pipeline import submit

    assert submit([kind(name, **one) for one in params], actor=house.olive, why="a test").version


def test_a_dozen_of_everything_cost_as_many_queries_as_two(house: House) -> None:
    for n in range(10):  # timelines are full in both: what they show is of the same sorts
        do("mailboxes.change", house.olive, mailbox="mia@acme.example", name=f"Mia the {n}")
    grown(house, 0, 2)
    few = counted(house)
    grown(house, 2, 12)
    assert counted(house) == few
    assert max(few.values()) <= MOST, few


def test_one_change_costs_the_same_however_much_it_does(house: House) -> None:
    few, many = (change_page(house, size) for size in (2, 25))
    assert few == many <= MOST


def change_page(house: House, size: int) -> int:
    from cast import kind
    from postroom.changes.pipeline import submit

    listed = [
        kind("mailboxes.create", address=f"b{n}of{size}@acme.example", contact="b@home.test") for n in range(size)
    ]
    change = submit(listed, actor=house.olive, why="a test")
    browser = visitor(house.oskar)
    browser.get("/")
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(f"/changes/{change.pk}/").status_code == 200
    return len(queries)


def test_the_next_page_starts_where_this_one_ends_and_nothing_is_shown_twice(house: House) -> None:
    do_all("mailboxes.create", house, [{"address": f"box{n:02}@acme.example"} for n in range(25)])
    do_all("mailboxes.create", house, [{"address": f"more{n:02}@acme.example"} for n in range(20)])
    browser, address, seen = visitor(house.oskar), "/mailboxes/", []
    while address:
        page = unescape(browser.get(address).content.decode())
        seen += re.findall(r'aria-label="Choose (\S+@\S+)"', page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        address = f"/mailboxes/{more[1]}" if more else ""
    assert len(seen) == len(set(seen)) == 47 and seen == sorted(seen)
