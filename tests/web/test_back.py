"""Back, from wherever a plan led to: the plan is there again, and nobody is asked whether to send a form once more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Error
from visitors import visitor

from cast import MIA, House
from web.conftest import chromium

pytestmark = pytest.mark.server
PLAN = "Nothing is changed yet"


class Replayed(BaseHTTPRequestHandler):
    """What the pages answered, with its headers: a form by GET, its plan by POST, anything else in between."""

    answers: dict[str, Any] = {}
    posts = 0

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._say(self.answers["form"] if self.path.startswith("/do/") else None)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).posts += 1
        self._say(self.answers["plan"])

    def _say(self, answer: Any) -> None:
        body = answer.content if answer is not None else b"<!doctype html><title>elsewhere</title><p>elsewhere</p>"
        self.send_response(200)
        for name, value in dict(answer.items() if answer is not None else ()).items():
            if name not in ("Content-Length", "Content-Security-Policy"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def address(house: House) -> Iterator[str]:
    olive = visitor(house.olive)
    url = "/do/mailboxes.change/"
    Replayed.answers = {
        "form": olive.get(url, {"mailbox": MIA}),
        "plan": olive.post(url, {"mailbox": MIA, "name": "Mia the First", "why": "a test"}),
    }
    Replayed.posts = 0
    assert PLAN in Replayed.answers["plan"].content.decode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replayed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def came_back(browser: Browser, address: str) -> str:
    """What stands there after: form, plan, elsewhere, back."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/do/mailboxes.change/")
        page.evaluate("document.querySelector('main form[method=post]').submit()")
        page.wait_for_function(f"document.body.innerText.includes({PLAN!r})")
        page.goto(f"{address}/elsewhere")
        try:
            page.go_back(timeout=5000)
        except Error:
            return ""
        return page.content()


def test_a_plan_is_there_again(address: str) -> None:
    with chromium() as browser:
        assert PLAN in came_back(browser, address) and Replayed.posts == 1
        Replayed.answers["plan"]["Cache-Control"] = "no-store"
        assert PLAN not in came_back(browser, address), "as every other page is sent: a dead end"
