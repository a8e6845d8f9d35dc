"""The reset flow (rows 1, 2, 3): where mailed links lead, what strangers learn, how a token is drawn."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from test_urls import PAGES, filled
from visitors import login, samples, visitor

from cast import House, the, tick
from postroom.access import devices, tokens
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome, carry_out
from postroom.models import Change, Invite, Login
from postroom.protocols import oidc
from postroom.worker import mail

EVIL = "evil.example"
OLIVE = "olive@northlight.example"
TRICKS = {
    "forwarded host": {"HTTP_X_FORWARDED_HOST": EVIL},
    "forwarded (RFC 7239)": {"HTTP_FORWARDED": f"host={EVIL};proto=https"},
    "forwarded server": {"HTTP_X_FORWARDED_SERVER": EVIL, "HTTP_X_HOST": EVIL, "HTTP_X_ORIGINAL_HOST": EVIL},
    "another port": {"HTTP_HOST": "localhost:6666"},
    "absolute URI": {"REQUEST_URI": f"http://{EVIL}/recover/", "RAW_URI": f"http://{EVIL}/recover/"},
    "server name": {"SERVER_NAME": EVIL, "HTTP_HOST": "localhost"},
    "proto": {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_PORT": "6666"},
}
UNKNOWN = (EVIL, f"{EVIL}:80", f"localhost.{EVIL}", "localhost@evil.example", "localhost:80@evil.example", "[::1]",
           "127.0.0.1", "", "localhost:x", "localhost, evil.example", "localhost evil.example")  # fmt: skip


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """Letters that our own submission was handed."""
    handed: list[EmailMessage] = []

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed.append(letter)
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", ("127.0.0.1", 2587))
    return handed


def may_recover(house: House) -> None:
    """Olive has a password and a second factor, and has had them for a while."""
    whose = login(house.olive, "two plain words")
    with acting_as(SYSTEM):
        Authenticator.objects.create(user=whose, type="totp", data={"secret": "x"})
        Login.objects.update(changed_at=datetime.now(UTC) - timedelta(hours=1))


def carried() -> None:
    """Everything that waits for mail is sent, as the worker does."""
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        left = list(Change.objects.filter(stage="applied").values_list("pk", flat=True))
    for change in left:
        carry_out(str(change))


def links(text: str) -> list[str]:
    return re.findall(r"\w+://\S+", text)


@pytest.mark.parametrize("trick", TRICKS)
def test_row_01_no_host_of_a_request_leads_a_link_elsewhere(
    house: House, at_api: Callable[[str], Any], post: list[EmailMessage], trick: str
) -> None:
    may_recover(house)
    more = TRICKS[trick]
    assert visitor().post("/recover/", {"email": OLIVE}, **more).status_code == 200
    olive = at_api("olive")
    body = {
        "kind": "mailboxes.create",
        "params": {"address": "nia@acme.example", "contact": "nia@home.test"},
        "why": "x",
    }
    made = olive.http.post("/api/v1/changes", body, content_type="application/json", **more)
    assert made.status_code == 200, made.content
    carried()
    mailed = [link for letter in post for link in links(str(letter.get_content()))]
    invite = the(Invite, mailbox__address__address="nia@acme.example")
    shown = olive.http.post(f"/api/v1/invites/{invite.pk}/link", {"why": "x"}, content_type="application/json", **more)
    device = olive.http.post("/api/v1/device", {}, content_type="application/json", **more)
    answered = [shown.json()["link"], device.json()["verification_uri"]]
    assert {"/invite/", "/recover/"} <= {"/" + link.split("/")[3] + "/" for link in mailed}, mailed
    for link in [*mailed, *answered]:
        assert link.startswith(settings.POSTROOM.origin + "/"), (trick, link)


@pytest.mark.parametrize("host", UNKNOWN)
def test_row_01_an_unknown_host_is_400_on_every_address(house: House, host: str) -> None:
    known, browser = samples(house), visitor(house.oskar)
    asked = [filled(address, one.name or "", known) for address, one in PAGES] + [
        "/api/v1/clients",
        "/api/v1/openapi.json",
    ]
    for url in asked[:: 1 if host == EVIL else 12]:
        answer = browser.get(url, HTTP_HOST=host)
        assert answer.status_code == 400 and EVIL.encode() not in answer.content, (url, host)


def test_row_02_a_name_that_is_asked_for_at_the_api_says_nothing_of_who_is_there(at_api: Callable[[str], Any]) -> None:
    """Tokens that are no good, codes that are none: one answer each, whoever they might be of."""
    http = Client(SERVER_NAME="localhost")
    shapes = ("nonsense", tokens.draw()[0], "x" * 300, "a" * 43)
    answers = {http.get("/api/v1/clients", headers={"authorization": f"Bearer {one}"}).content for one in shapes}
    codes = {
        http.post("/api/v1/device/token", {"device_code": one}, content_type="application/json").content
        for one in shapes
    }
    assert len(answers) == len(codes) == 1
    carl = at_api("carl")
    for noun, theirs, nobody in (
        ("people", "henry@northlight.example", "nobody@northlight.example"),
        ("mailboxes", "mia@globex.example", "zed@globex.example"),
        ("clients", "globex", "nowhere"),
        ("domains", "globex.example", "nowhere.example"),
    ):
        for path in (
            f"/{noun}/{{}}",
            f"/{noun}?search={{}}",
            "/changes?object={}",
            "/entries?object={}",
            "/changes?client={}",
        ):
            said = [carl.get(path.format(one)) for one in (theirs, nobody)]
            same = [answer.content.decode().replace(theirs, "X").replace(nobody, "X") for answer in said]
            assert said[0].status_code == said[1].status_code and same[0] == same[1], (path, same)


def bits(token: str) -> int:
    """How many random bits a token of URL-safe base64 can hold."""
    return 8 * len(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def test_row_03_every_token_holds_128_bits_and_none_comes_twice(house: House) -> None:
    drawn = [tokens.draw()[0] for _ in range(200)]
    asked = [value for _ in range(50) for value in oidc.Asked.anew().kept().values()]
    terminal = [devices.begin("x")[0] for _ in range(20)]
    for token in (*drawn, *asked, *terminal):
        assert bits(token) >= 128, token
    assert len({*drawn, *asked, *terminal}) == len(drawn) + len(asked) + len(terminal)
    codes = {tokens.recovery_code()[0] for _ in range(200)}
    letters = {char for code in codes for char in code} - {"-"}
    assert len(codes) == 200 and len(letters) ** 30 > 2**128 and all(len(c.replace("-", "")) == 30 for c in codes)
    halves = {token[: len(token) // 2] for token in drawn} | {token[len(token) // 2 :] for token in drawn}
    assert len(halves) == 2 * len(drawn), "no half of it is a counter or a clock"


def test_row_03_a_typed_code_is_guessed_a_few_times_and_no_more(house: House) -> None:
    """The one secret that is short, since people type it: twenty tries in ten minutes (RFC 8628, 5.1)."""
    browser = visitor(house.olive)
    answers = [browser.post("/device/", {"code": f"BCDF-GH{n:02}"}).status_code for n in range(25)]
    assert 429 in answers and answers.index(429) <= 20 and set(answers[answers.index(429) :]) == {429}
