"""Who comes by another name, or with a link that is no good, reads where to go."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from cast import House

ORIGIN = settings.POSTROOM.origin


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "192.0.2.7", "[::1]", "postroom.elsewhere.example"])
def test_by_an_address_or_another_name_the_page_says_which_it_is(host: str) -> None:
    found = Client().get("/sign-in/", headers={"host": host})
    page = found.content.decode()
    assert found.status_code == 400 and f'href="{ORIGIN}"' in page and "another address" in page
    assert host not in page, "whatever came in the header is not repeated"


def test_what_cannot_be_read_for_another_reason_says_nothing_of_that(house: House) -> None:
    found = Client(SERVER_NAME="localhost").get("/sign-in/", headers={"host": "localhost"})
    assert found.status_code == 200 and "another address" not in found.content.decode()


@pytest.mark.parametrize("path", ["/found/", "/found/" + "x" * 43])
def test_a_founding_link_that_is_no_good_is_answered_by_a_page(house: House, path: str) -> None:
    found = Client(SERVER_NAME="localhost").get(path, follow=True)
    page = found.content.decode()
    assert found.status_code == 410 and found["Content-Type"].startswith("text/html")
    assert "This link does not work any more" in page and "postroom links" in page and 'href="/sign-in/"' in page
