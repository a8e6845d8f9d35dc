"""Terms and privacy notice: linked where a secret is set, accepted there, each time an entry. And nothing foreign."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from test_sign_in import told
from test_urls import PAGES, filled
from visitors import PASSWORD, invite_of, login, samples, visitor

from cast import House, do, kind, the
from postroom.access.acting import SYSTEM
from postroom.access.tokens import draw
from postroom.changes.pipeline import submit
from postroom.models import Invite

TERMS, PRIVACY = "https://northlight.example/terms/2026-11", "https://northlight.example/privacy"


def opened(invite: Any) -> Any:
    token, kept = draw()
    submit(kind("invites.issue", invite=str(invite)), actor=SYSTEM, why="a test", secrets={"link": kept})
    browser = visitor()
    browser.get(f"/invite/{token}")
    return browser


def test_they_stand_where_people_sign_in_and_are_accepted_with_the_secret(house: House) -> None:
    do("people.invite", house.oskar, name="Nora", email="nora@northlight.example")
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    nora, nia = the(Invite, person__email="nora@northlight.example").pk, invite_of(house.olive)
    assert "terms" not in visitor().get("/sign-in/").content.decode().lower()
    assert do("organization.change", house.oskar, terms_url=TERMS, privacy_url=PRIVACY).version

    page = visitor().get("/sign-in/").content.decode()
    assert f'href="{TERMS}"' in page and f'href="{PRIVACY}"' in page
    for invite, password in ((nora, PASSWORD), (nia, "four quite plain words")):
        browser = opened(invite)
        page = browser.get("/invite/").content.decode()
        assert "By setting it you accept" in page and TERMS in page and PRIVACY in page
        assert browser.post("/invite/", {"password": password}).status_code in (200, 302)
    person, mailbox = told("terms accepted")
    assert (person["terms"], person["privacy"]) == (mailbox["terms"], mailbox["privacy"]) == (TERMS, PRIVACY)
    assert person["person"] and mailbox["mailbox"] and mailbox["client_id"] and mailbox["at"]
    assert do("organization.change", house.oskar, terms_url="", privacy_url="").version
    assert "terms" not in visitor().get("/sign-in/").content.decode().lower()


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "javascript:alert(1)", "https://", "https://a:b@c.example", "//a.example", "https://a.example/<b>",
     "https://ä.example", "https://a.example/" + "x" * 500, 'https://a.example/"onclick=1'],
)  # fmt: skip
def test_only_a_plain_https_address_is_one(url: str) -> None:
    with pytest.raises(ValidationError):
        kind("organization.change", terms_url=url)


def test_no_page_sets_a_cookie_but_the_session_and_the_forms_token(house: House) -> None:
    login(house.olive, PASSWORD)
    known, seen = samples(house), set()
    for browser in (visitor(), visitor(house.oskar), visitor(house.carl)):
        for address, one in PAGES:
            if one.name == "account_logout":
                continue
            answer = browser.get(filled(address, one.name or "", known))
            seen |= set(answer.cookies)
        seen |= set(browser.post("/account/logout/").cookies)
    signing = visitor()
    for typed in ("guessed", PASSWORD):
        seen |= set(signing.post("/sign-in/", {"login": "olive@northlight.example", "password": typed}).cookies)
    assert seen == {"postroom_session", "postroom_csrf"}


@pytest.mark.server
def test_no_page_asks_anybody_else_for_anything(browser: Any, base: str) -> None:
    from test_page_look import PATHS

    context = browser.new_context()
    page, asked = context.new_page(), set()
    page.on("request", lambda request: asked.add(request.url))
    for path in PATHS:
        page.goto(base + path)
    foreign = {url for url in asked if not url.startswith((base + "/", "data:"))}
    assert foreign == set() and len(asked) > len(PATHS)
    assert {one["name"] for one in context.cookies()} <= {"sessionid", "csrftoken"}, "as Django calls them there"
    context.close()
