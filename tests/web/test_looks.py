"""Who of the organization looked at a client, a mailbox or a person stands in that client's record, once an hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from visitors import visitor

from cast import MIA, House, do, reasons, together
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.api.urls import api
from postroom.models import RecordedEdit

Sql = Callable[..., Any]
MAILBOX, PERSON, CLIENT = f"/mailboxes/{MIA}/", "/people/carl@northlight.example/", "/clients/acme/"


def looks(by: Actor = SYSTEM) -> list[tuple[str, str, str]]:
    """(who, at what, its name), oldest first, as `by` may read them."""
    with acting_as(by):
        rows = RecordedEdit.objects.filter(said="looked at").order_by("entry_id")
        return [(one.after["name"], one.after["noun"], one.after["object"]) for one in rows]


def pages(resolver: URLResolver) -> list[URLPattern]:
    found = [one for one in resolver.url_patterns if isinstance(one, URLPattern)]
    return found + [one for deep in resolver.url_patterns if isinstance(deep, URLResolver) for one in pages(deep)]


def test_what_is_recorded_is_declared_beside_the_view() -> None:
    declared = {one.name: getattr(one.callback, "recorded", "") for one in pages(get_resolver())}
    found = {name: noun for name, noun in declared.items() if noun}
    assert found == {
        "client": "clients", "client-sheet": "clients", "client-routing": "clients", "mailbox": "mailboxes",
        "mailbox-sign-ins": "mailboxes",
        "person": "people", "verification": "mailboxes",
    }  # fmt: skip
    operations = [(path, one.view_func) for prefix, router in api._routers for path, view in
                  router.path_operations.items() for one in view.operations]  # fmt: skip
    recorded = {path: view.recorded for path, view in operations if getattr(view, "recorded", "")}
    assert recorded == {
        **{f"/clients/{{ref}}{end}": "clients" for end in ("", "/sheet")}, "/people/{ref}": "people",
        **{f"/mailboxes/{{ref}}{end}": "mailboxes" for end in ("", "/sessions", "/sign-ins", "/who-can-reset")},
        "/verifications/{verification_id}": "mailboxes", "/credentials/{ref}": "mailboxes",
    }  # fmt: skip


def test_whoever_runs_the_service_is_recorded_once_an_hour_and_a_clients_own_people_are_not(
    house: House, sql: Sql
) -> None:
    for who in (house.olive, house.henry, house.carl, house.olive):
        browser = visitor(who)
        for address in (MAILBOX, CLIENT, MAILBOX):
            assert browser.get(address).status_code == 200
    assert visitor(house.olive).get("/people/olive@northlight.example/").status_code == 200
    assert visitor(house.olive).get("/mailboxes/nobody@acme.example/").status_code == 404
    expected = [(who, noun, name) for who in ("Olive", "Henry")
                for noun, name in (("mailboxes", MIA), ("clients", "acme"))]  # fmt: skip
    assert looks() == looks(house.carl) == expected
    sql("UPDATE looked_at SET hour = hour - interval '1 hour'")
    visitor(house.olive).get(MAILBOX)
    assert looks() == [*expected, ("Olive", "mailboxes", MIA)]
    shown = [text for text in _listed(house.carl) if f"Looked at mailbox {MIA}" in text]
    assert len(shown) == 3 and all("Olive" in text or "Henry" in text for text in shown)


def _listed(who: Actor) -> list[str]:
    return visitor(who).get("/audit/?what=looks").content.decode().split("<tr")


def test_two_looks_at_once_are_one_entry(house: House) -> None:
    browsers = [visitor(house.olive) for _ in range(4)]
    answers = together(*((lambda browser=browser: browser.get(MAILBOX).status_code) for browser in browsers))
    assert answers == [200] * 4 and looks() == [("Olive", "mailboxes", MIA)]


def test_the_api_records_the_same(house: House) -> None:
    from api.conftest import Caller

    olive, carl = Caller(house.olive), Caller(house.carl)
    for one in (olive, olive, carl):
        assert one.get(f"/mailboxes/{MIA}").status_code == 200
    assert olive.get("/clients/acme").status_code == 200
    assert looks() == [("Olive", "mailboxes", MIA), ("Olive", "clients", "acme")]
    assert olive.get("/mailboxes").status_code == 200 and len(looks()) == 2


def test_a_look_costs_one_query_the_first_time_and_the_tenth(house: House) -> None:
    browser, counts = visitor(house.olive), []
    browser.get("/")
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            browser.get(MAILBOX)
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_at_single_domains_a_look_is_recorded_too(house: House) -> None:
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    given = do("grants.give", house.oskar, person="dora@northlight.example", role="operator", client="acme",
               domain="acme.example")  # fmt: skip
    assert given.stage in ("verified", "held"), reasons(given)
    if given.stage == "held":
        from postroom.changes.approvals import approve

        approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    from cast import person

    dora = person("dora@northlight.example", house.oskar)
    assert visitor(dora).get(MAILBOX).status_code == 200
    assert looks(house.carl) == [("Dora", "mailboxes", MIA)]
    assert looks(dora) == []
