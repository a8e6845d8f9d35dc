"""A mail app that signs in without a password, made from the standards alone: it leads its user to an authorization
page, listens at the loopback address for the answer (RFC 8252, 7.3), proves that it asked (RFC 7636) and keeps tokens.
"""

import base64
import hashlib
import http.server
import json
import queue
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from real_clients import somewhere
from world import Browser, until

EVERYTHING = "imap submission managesieve"
ARRIVED = b"<!doctype html><html lang=en><title>Back in the app</title><main><h1>You may close this</h1></main></html>"
Answer = dict[str, Any]


class OAuthApp:
    """web: where the authorization server is. identity: as that knows the app (`client_id`)."""

    def __init__(self, web: str, identity: str, port: int) -> None:
        with urllib.request.urlopen(web + "/.well-known/oauth-authorization-server", timeout=30) as found:
            self.server: Answer = json.load(found)
        self.identity, self.back = identity, f"http://127.0.0.1:{port}/back"
        self.heard: queue.Queue[str] = queue.Queue()
        self.verifier = self.state = ""

    def asks(self, scope: str = EVERYTHING) -> str:
        """Where its user is led to."""
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        said = {
            "response_type": "code", "client_id": self.identity, "redirect_uri": self.back, "scope": scope,
            "state": self.state, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self.server['authorization_endpoint']}?{urllib.parse.urlencode(said)}"

    def hears(self) -> dict[str, str]:
        """What its user came back with; checked as the standards want it (RFC 6749, 10.12; RFC 9207)."""
        said = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.heard.get(timeout=30)).query))
        assert said.pop("state") == self.state and said.pop("iss") == self.server["issuer"], said
        return said

    def redeems(self, code: str) -> tuple[int, Answer]:
        """A code for tokens."""
        return self._post("token_endpoint", grant_type="authorization_code", code=code, redirect_uri=self.back,
                          code_verifier=self.verifier)  # fmt: skip

    def refreshes(self, token: str) -> tuple[int, Answer]:
        return self._post("token_endpoint", grant_type="refresh_token", refresh_token=token)

    def let_in(self) -> Answer:
        """The tokens that its user's yes was good for."""
        status, tokens = self.redeems(self.hears()["code"])
        assert status == 200 and tokens["token_type"] == "Bearer", (status, tokens)
        return tokens

    def _post(self, endpoint: str, **said: str) -> tuple[int, Answer]:
        body = urllib.parse.urlencode({"client_id": self.identity, **said}).encode()
        try:
            with urllib.request.urlopen(self.server[endpoint], body, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@contextmanager
def listening(web: str, identity: str) -> Iterator[OAuthApp]:
    """The app while it runs; the port is whatever was free."""

    class Back(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/back?"):
                app.heard.put(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(ARRIVED)

        def log_message(self, *_: Any) -> None:
            """Nothing: a code is in the address."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Back) as server:
        app = OAuthApp(web, identity, server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield app
        finally:
            server.shutdown()


def signed_in_at(web: str, address: str, password: str) -> Browser:
    """The owner of a mailbox at their page, from an address of their own."""
    page = Browser(somewhere())

    def in_it() -> bool:
        page.open(f"{web}/mailbox/sign-in/")
        page.press(address=address, password=password)
        return page.url.endswith("/mailbox/")

    until("its owner signs in", in_it, within=150, every=1)
    return page


def says_yes(app: OAuthApp, page: Browser, password: str, device: str, **may: str | None) -> Answer:
    """The owner, signed in here, lets it in on a page without script; its tokens. may: None takes a tick away."""
    page.open(app.asks())
    assert page.status == 200 and "in?" in page.page, page.page[:2000]
    page.press(name=device, password=password, answer="yes", **may)
    return app.let_in()
