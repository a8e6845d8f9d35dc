"""Text from outside, in a real browser on every page there is (rows 22, 23): no dialog, and no word of the policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.utils import timezone
from test_text import stored_everywhere
from test_urls import PAGES, filled
from visitors import login, samples, visitor

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.devices import begin
from postroom.models import Delivery, Node, Report
from stories.tab import chromium

pytestmark = pytest.mark.server
PAYLOAD = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)><a href=javascript:alert(4)>x</a>"
    "</title><b style=color:red>';alert(5)//{{7*7}}"
)
# They lead away by design.
SKIPPED = ("account_logout", "invite-link", "founding-link", "not-me-link", "recover-link", "confirm-link")
WATCH = """() => {
  window.addEventListener("securitypolicyviolation", e => console.error("policy: " + e.violatedDirective));
}"""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *said: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The product's own pages, over HTTP, from this process: what is patched here is patched there."""
    product = get_wsgi_application()

    def whole(environ: Any, start: Any) -> list[bytes]:
        """Each request has a thread, and its connection ends with it."""
        answer: Any = product(environ, start)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()
            connections.close_all()

    with make_server("127.0.0.1", 0, whole, Server, Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()


def told_from_outside() -> None:
    """What nobody of ours typed: greetings, versions, user agents, answers of other servers, labels of terminals."""
    with acting_as(SYSTEM):
        for node in ("mx1", "mx2"):
            greeting = {"ok": False, "text": PAYLOAD, "seconds": 0.1}
            facts = {"smtp": greeting, "imap": greeting, "versions": {"postfix": PAYLOAD, "dovecot": PAYLOAD},
                     "postfix": PAYLOAD, "dovecot": True, "milter": False, "maps_generation": PAYLOAD}  # fmt: skip
            Report.objects.create(node=the_node(node), sort="heartbeat", facts=facts, at=timezone.now())
        UserSession.objects.update(user_agent=PAYLOAD)
        Delivery.objects.update(why=PAYLOAD)
    begin(PAYLOAD)


def the_node(name: str) -> Node:
    node: Node = Node.objects.get(name=name)
    return node


def test_row_22_nothing_that_was_stored_runs_on_any_page(house: House) -> None:
    known = samples(house)
    stored_everywhere(house, PAYLOAD)
    login(house.oskar, "two plain words")
    browser = visitor(house.oskar)
    browser.get("/")
    told_from_outside()
    acme = the_client_pages(house)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": browser.cookies[settings.SESSION_COOKIE_NAME].value}
    pages = [filled(address, one.name or "", known) for address, one in PAGES if one.name not in SKIPPED]
    pages = [url for url in pages if is_page(browser.get(url))]
    wrong: list[str] = []
    shown = 0
    with served() as base, chromium() as running:
        context = running.new_context(bypass_csp=False)
        context.add_cookies([{**cookie, "url": base}])
        context.add_init_script(f"({WATCH})()")
        page = context.new_page()
        page.on("dialog", lambda dialog: (wrong.append(f"dialog {page.url} {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: wrong.append(f"{page.url} {error}"))
        page.on("console", lambda said: heard(wrong, page.url, said.type, said.text))
        for url in [*pages, *acme]:
            page.goto(base + url)
            shown += "<script>alert(1)" in page.locator("body").inner_text()
            planted = page.locator("main img, main b[style], [href^='javascript:'], main svg[onload]")
            wrong += [f"{url} has an element of it"] if planted.count() else []
        context.close()
    assert wrong == []
    assert shown >= 20, f"it stands on {shown} pages as text: where it does not stand, nothing was tried"


def is_page(answer: Any) -> bool:
    """A document for programs, such as a mail app's, is shown by the browser's own viewer, which our policy stops."""
    return answer.status_code != 405 and not answer.get("Content-Type", "").startswith("application/xml")


def heard(wrong: list[str], url: str, sort: str, text: str) -> None:
    """Errors and warnings, policy reports among them; that a page answers 403 or 404 is none."""
    if sort in ("error", "warning") and "status of 4" not in text:
        wrong.append(f"{url} {text}")


def the_client_pages(house: House) -> tuple[str, ...]:
    """Beside one page an address: those where most of it stands."""
    return ("/clients/acme/", "/mailboxes/nasty@acme.example/", "/people/nasty@northlight.example/",
            "/people/olive@northlight.example/", "/nodes/mx2/", "/domains/acme.example/", "/access/?client=acme",
            "/find/?q=script", "/audit/?client=acme", "/changes/?client=acme", "/clients/?q=script")  # fmt: skip
