"""A review at the pages: found from the change, closed with what was found, by plain forms."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext
from test_doing import page
from visitors import visitor

from cast import House, do
from postroom.models import Change

FOUND = "called Acme: <the laptop> is gone"
CLOSE = "Close the review…"


def suspended(house: House) -> Change:
    do("freezes.start", house.oskar, scope="acme", reason="dispute")
    return do("mailboxes.suspend", house.oskar, mailbox="mia@acme.example")


def test_an_approver_finds_the_way_from_overview_and_closes_it_with_a_reason(house: House) -> None:
    change = suspended(house)
    browser, at = visitor(house.ada), f"/changes/{change.pk}/"
    for list_page in ("/", "/approvals/"):
        assert f'href="{at}"' in page(browser.get(list_page))
    assert f'href="{at}review/"' in page(browser.get(at)) and CLOSE in page(browser.get(at))
    form = page(browser.get(f"{at}review/"))
    assert "during freeze: dispute" in form and 'for="f-why"' in form and f'action="{at}review/"' in form
    assert browser.post(f"{at}review/", {"why": "  "}).status_code == 422
    answer = browser.post(f"{at}review/", {"why": FOUND})
    assert (answer.status_code, answer["Location"]) == (302, at)
    told = browser.get(at).content.decode()
    assert "called Acme: &lt;the laptop&gt; is gone" in told and "Ada" in told and CLOSE not in told
    for list_page in ("/", "/approvals/"):
        assert "during freeze: dispute" not in page(browser.get(list_page))
    theirs = page(visitor(house.carl).get(at))
    assert FOUND in theirs, "the client reads what was found, whether they see who did or not"


def test_closed_twice_says_so_and_leads_back(house: House) -> None:
    at = f"/changes/{suspended(house).pk}/"
    browser = visitor(house.ada)
    browser.post(f"{at}review/", {"why": FOUND})
    twice = browser.post(f"{at}review/", {"why": "again"})
    assert (
        twice.status_code == 409 and "nothing of this change is left" in page(twice) and f'href="{at}"' in page(twice)
    )
    assert browser.get(f"{at}review/").status_code == 409


def test_who_did_it_and_who_may_not_approve_see_no_button_and_get_no_form(house: House) -> None:
    at = f"/changes/{suspended(house).pk}/"
    for who in (house.oskar, house.olive, house.audrey, house.carl):
        browser = visitor(who)
        shown = page(browser.get(at))
        assert "To be reviewed" in shown and CLOSE not in shown
        assert browser.get(f"{at}review/").status_code == 403
        assert browser.post(f"{at}review/", {"why": FOUND}).status_code == 403
    assert "By an approver other than you." in page(visitor(house.oskar).get(at))
    assert CLOSE in page(visitor(house.ada).get(at)), "and it is still open"


def test_what_waits_has_no_review_and_a_change_of_no_client_is_not_there(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    assert "To be reviewed" not in page(visitor(house.ada).get(f"/changes/{held.pk}/"))
    assert visitor(house.ada).get(f"/changes/{house.ada.person}/review/").status_code == 404


def test_a_change_costs_one_query_more_when_it_was_reviewed_and_its_form_always_the_same(house: House) -> None:
    first = suspended(house)
    do("freezes.start", house.oskar, scope="organization", reason="the move")
    second = do("mailboxes.suspend", house.oskar, mailbox="mia@globex.example")
    browser = visitor(house.ada)
    browser.get("/")
    assert cost(browser, f"/changes/{first.pk}/review/") == cost(browser, f"/changes/{second.pk}/review/")
    before = cost(browser, f"/changes/{first.pk}/")
    browser.post(f"/changes/{first.pk}/review/", {"why": FOUND})
    assert cost(browser, f"/changes/{first.pk}/") == before + 1


def cost(browser, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    return len(queries)
