"""The page of destinations, and destinations by their names: at the pages, the API, in kinds and the palette."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from test_object_pages import plain
from visitors import visitor

from cast import MIA, House, do, the
from postroom.access.acting import acting_as
from postroom.changes.errors import NotThere, Problems
from postroom.models import Alias, Destination
from postroom.queries.objects import one

LEO, PAGE = "leo@acme.example", "/destinations/"


@pytest.fixture
def named(house: House) -> House:
    """Both clients have an invoicing address; one of them uses it."""
    do("mailboxes.create", house.olive, address=LEO)
    do("destinations.create", house.olive, client="acme", name="invoicing", targets=[MIA])
    do("destinations.create", house.olive, client="globex", name="invoicing", targets=["mia@globex.example"])
    do("aliases.create", house.olive, address="bills@acme.example", destination="invoicing")
    return house


def shown(who: Any, path: str = PAGE) -> str:
    answer = visitor(who).get(path)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_name_is_meant_within_its_client(named: House) -> None:
    acme = the(Destination, name="invoicing", client__slug="acme")
    assert the(Alias, address__address="bills@acme.example").destination_id == acme.pk
    assert do("destinations.change", named.olive, destination="acme:invoicing", targets=[LEO]).version
    assert the(Alias, address__address="bills@acme.example").targets == [LEO]
    assert do("destinations.change", named.carl, destination="invoicing", targets=[MIA]).version, "they see one alone"
    with pytest.raises(Problems, match="several clients have a destination invoicing"):
        do("destinations.change", named.olive, destination="invoicing", targets=[LEO])
    for ref in ("globex:invoicing", "acme:nothing", "nothing"):
        with pytest.raises(Problems, match=f"no destination {ref} that you can see"):
            do("destinations.change", named.carl, destination=ref, targets=[LEO])


def test_what_has_ended_is_called_so_no_more(named: House) -> None:
    assert do("destinations.end", named.olive, destination="globex:invoicing").version
    assert do("destinations.change", named.olive, destination="invoicing", targets=[LEO]).version


def test_it_is_read_by_its_name(named: House) -> None:
    with acting_as(named.olive):
        found = one(named.olive, "destinations", "acme:invoicing")
        assert (found["client"], found["name"], found["targets"]) == ("acme", "invoicing", [MIA])
        with pytest.raises(NotThere, match="say whose"):
            one(named.olive, "destinations", "invoicing")
    with acting_as(named.carl):
        assert one(named.carl, "destinations", "invoicing")["id"] == found["id"]
        with pytest.raises(NotThere):
            one(named.carl, "destinations", "globex:invoicing")


def test_the_page_says_what_each_touches_and_leads_to_its_change(named: House) -> None:
    do("aliases.create", named.olive, address="ar@acme.example", destination="acme:invoicing")
    said = plain(visitor(named.olive).get(PAGE))
    for words in ("invoicing", "acme:invoicing", MIA, "ar@acme.example and 1 more", "none"):
        assert words in said, (words, said)
    text = shown(named.olive)
    assert "/do/destinations.change/?destination=acme%3Ainvoicing" in text
    assert "/do/destinations.end/?destination=globex%3Ainvoicing" in text, "nothing uses it"
    assert "/do/destinations.end/?destination=acme%3Ainvoicing" not in text
    form = shown(named.olive, "/do/destinations.change/?destination=acme%3Ainvoicing")
    assert f'value="{MIA}"' in form and 'value="acme:invoicing" selected' in form
    assert "globex" not in shown(named.carl) and "/do/destinations.change/" not in shown(named.audrey)
    assert "No destination like that" in shown(named.olive, f"{PAGE}?q=nothing-such")


def test_the_palette_finds_them(named: House) -> None:
    found = shown(named.carl, "/find/?q=invoic")
    assert "/destinations/?client=acme&q=invoicing" in found and "globex" not in found
    assert "/destinations/" in shown(named.carl, "/find/?q=destinations")


def test_queries_are_as_many_for_many(named: House) -> None:
    browser = visitor(named.olive)

    def asked() -> int:
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PAGE).status_code == 200
        return len(queries)

    few = asked()
    for n in range(8):
        do("destinations.create", named.olive, client="acme", name=f"d{n}", targets=[MIA])
        do("aliases.create", named.olive, address=f"d{n}@acme.example", destination=f"d{n}")
    assert asked() == few
