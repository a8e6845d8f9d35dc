"""Where mail lands can be found: in the menu, by a few letters, and from wherever an address stands."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from test_object_pages import plain
from visitors import visitor

from cast import MIA, House, agreed, do, with_consent
from routed import later

TRACED = f"/trace/?address={MIA}"


def lit(page: str) -> list[str]:
    """What the menu says is open."""
    return re.findall(r'href="([^"]+)" aria-current="page"', page)


def body(answer: Any) -> str:
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.mark.parametrize("address", ["/trace/", TRACED, "/domains/acme.example/routing/", "/clients/acme/routing/"])
def test_the_menu_says_where_one_is(house: House, address: str) -> None:
    assert lit(body(visitor(house.olive).get(address))) == ["/trace/"]


def test_every_role_that_sees_addresses_has_it_in_the_menu(house: House) -> None:
    for who in (house.olive, house.carl, house.audrey):
        assert 'href="/trace/"' in body(visitor(who).get("/trace/"))


@pytest.mark.parametrize("typed", ["trace", "where mail lands", "TRACE addr", "follow mail"])
def test_a_few_letters_lead_to_it(house: House, typed: str) -> None:
    found = body(visitor(house.carl).get("/find/", {"q": typed}, HTTP_HX_REQUEST="true"))
    assert 'data-href="/trace/"' in found, found


def test_an_address_that_is_typed_can_be_followed_after_what_is_called_so(house: House) -> None:
    found = body(visitor(house.carl).get("/find/", {"q": f" {MIA.upper()} "}, HTTP_HX_REQUEST="true"))
    assert found.index(f'data-href="/mailboxes/{MIA}/"') < found.index(f'data-href="{TRACED}"')
    for typed in ("mia@", "acme.example", "a@b@c.example"):
        assert "Follow mail to" not in body(visitor(house.carl).get("/find/", {"q": typed}))


def test_rows_of_the_finder_of_the_map_and_of_a_domain_lead_there(house: House) -> None:
    with_consent(house, do("forwards.create", house.olive, address=MIA, to="m@gmail.com", until=later(), owner="Mia"))
    agreed(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    browser = visitor(house.olive)
    for address in ("/forwards/", "/domains/acme.example/routing/", "/domains/acme.example/"):
        assert f'href="{TRACED}">Follow it<span class="visually-hidden">: {MIA}' in body(browser.get(address)), address
    map_ = body(browser.get("/domains/acme.example/routing/"))
    assert "*@acme.example" in map_ and "trace/?address=*" not in map_, "a catch-all is no address to follow"
    assert "/trace/?at=acme.example" in body(browser.get("/domains/acme.example/"))
    page = browser.get("/trace/?at=acme.example")
    assert 'value="@acme.example"' in body(page) and "Where it lands" not in plain(page)
