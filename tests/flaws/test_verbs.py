"""A check that is missing on one verb (rows 5, 6, 24, 25): every operation, every method, from everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.conf import settings
from django.test import Client
from test_urls import PAGES, filled
from visitors import PASSWORD, login, samples, visitor

from cast import House
from postroom.access.roles import ROLES, allows
from postroom.api.urls import api

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
NO_ID = "00000000-0000-0000-0000-000000000000"


def operations() -> Iterator[tuple[str, set[str], bool]]:
    """(address, methods it has, whether it is open to whoever asks) of every path of the API."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            public = any(one.view_func.permission == "public" for one in view.operations)
            methods = {method for one in view.operations for method in one.methods}
            yield "/api/v1" + prefix + path, methods, public


# What an operation does not know is refused, or answered with what it knows (RFC 9110, 9.3.7): nothing of anybody.
UNKNOWN = {method: (204,) if method == "OPTIONS" else (401, 405) for method in METHODS}


def test_row_05_no_verb_of_the_api_answers_without_a_session(house: House) -> None:
    http, tried = Client(SERVER_NAME="localhost"), 0
    for path, has, public in operations():
        if public:
            continue
        url = path
        for argument in path.split("{")[1:]:
            name = argument.split("}")[0]
            url = url.replace(f"{{{name}}}", NO_ID if name.endswith("_id") else "acme")
        for method in METHODS:
            answer = http.generic(method, url, b"{}", content_type="application/json")
            assert answer.status_code in ((401,) if method in has else UNKNOWN[method]), (
                method,
                path,
                answer.status_code,
            )
            tried += 1
    assert tried > 8 * 30


def test_row_05_no_verb_of_a_page_answers_without_a_session(house: House) -> None:
    known, nobody = samples(house), visitor()
    for address, one in PAGES:
        if one.callback.permission == "public":
            continue
        for method in METHODS:
            answer = nobody.generic(method, filled(address, one.name or "", known))
            ways_in = ("/sign-in/?next=", "/mailbox/sign-in/")
            signing_in = answer.status_code == 302 and answer["Location"].startswith(ways_in)
            assert signing_in or answer.status_code == 405, (method, address, answer.status_code)


def test_row_06_what_nobody_declared_nobody_may() -> None:
    """An unknown permission, an unknown role and no role at all open nothing; only what names everything does."""
    assert not any(allows([role], "") for role in ROLES if "*" not in ROLES[role])
    assert not any(allows([role], "something.new") for role in ROLES if "*" not in ROLES[role])
    assert not allows(["nobody knows this role"], "clients.view") and not allows([], "clients.view")


FOREIGN: tuple[tuple[str, dict[str, str]], ...] = (
    ("application/x-www-form-urlencoded", {}),
    ("text/plain", {"HTTP_ORIGIN": "https://evil.example"}),
    ("application/x-www-form-urlencoded", {"HTTP_REFERER": "https://evil.example/"}),
)


# Know no cookie: mail apps post here. The first two change nothing; the others want a code or a token of the app's own.
FROM_ANYWHERE = ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml")
BY_APPS = ("/oauth/token", "/oauth/revoke")


def test_row_24_a_post_from_another_site_is_403_on_every_address(house: House) -> None:
    """With the cookie of somebody signed in, and whatever another site's page can send along."""
    known = samples(house)
    browser = visitor(house.oskar, enforce_csrf_checks=True)
    asked = 0
    for address, one in PAGES:
        url = filled(address, one.name or "", known)
        for kind, more in FOREIGN:
            answer = browser.post(url, "why=x", content_type=kind, **more)
            # One that takes no POST at all says so, before anything is looked at.
            takes = "POST" in (one.callback.declared or {})
            refused = 200 if url in FROM_ANYWHERE else 403
            if url in BY_APPS:
                assert answer.status_code in (400, 401) and b'"error"' in answer.content and not answer.cookies
                continue
            assert answer.status_code == (refused if takes else 405), (url, more, answer.status_code)
            assert url not in FROM_ANYWHERE or (b"ErrorCode>600<" in answer.content and not answer.cookies)
            asked += 1
    assert asked > 3 * 40
    assert browser.get("/").status_code == 200, "and the session goes on"


def test_row_24_the_api_takes_no_cookie(house: House) -> None:
    browser = visitor(house.oskar)
    body = json.dumps({"kind": "mailboxes.suspend", "params": {"mailbox": "mia@acme.example"}, "why": "x"})
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert browser.post("/api/v1/changes", body, content_type=kind).status_code == 401
    assert browser.get("/api/v1/clients").status_code == 401


def test_row_24_the_cookies_stay_at_home(house: House) -> None:
    """SameSite, HttpOnly for the session, and Secure wherever there is TLS."""
    login(house.carl, PASSWORD)
    browser = visitor()
    answer = browser.post("/sign-in/", {"login": "carl@northlight.example", "password": PASSWORD})
    session = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert session["samesite"] in ("Lax", "Strict") and session["httponly"]
    token = visitor().get("/sign-in/").cookies[settings.CSRF_COOKIE_NAME]
    assert token["samesite"] in ("Lax", "Strict")
    assert (settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE) == (settings.SECURE,) * 2
    assert [settings.POSTROOM.origin] == settings.CSRF_TRUSTED_ORIGINS


def test_row_25_nobody_is_signed_in_by_another_site(house: House) -> None:
    """Login CSRF: the form to sign in wants its token like any other, and so does every form before it."""
    login(house.carl, PASSWORD)
    for address, typed in (
        ("/sign-in/", {"login": "carl@northlight.example", "password": PASSWORD}),
        ("/recover/", {"email": "carl@northlight.example"}),
        ("/sign-in/factor/", {"code": "000000"}),
        ("/invite/", {"password": PASSWORD}),
        ("/not-me/", {}),
        ("/confirm/", {}),
        ("/found/", {}),
    ):
        browser = visitor(enforce_csrf_checks=True)
        assert browser.post(address, typed).status_code == 403, address
        evil = browser.post(address, typed, HTTP_ORIGIN="https://evil.example")
        assert evil.status_code == 403 and "_auth_user_id" not in browser.session, address
        assert browser.get("/").status_code == 302
