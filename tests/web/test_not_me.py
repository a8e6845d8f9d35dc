"""The page behind the link of a notice: looked at by anybody's mail scanner, pressed once by who was warned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from visitors import visitor

from cast import MIA, POSTMASTER, House, again, do, kind, the, tick
from postroom.access.acting import SYSTEM, acting_as, session_of
from postroom.access.tokens import draw
from postroom.changes.approvals import withdraw
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.models import Change, Invite

OWNER = "owner@northlight.example"


@pytest.fixture
def waiting(house: House) -> Change:
    """Nobody but Oskar could approve what somebody asks for in his name."""
    do("people.suspend", house.oskar, person="ada@northlight.example")
    asked = kind("mailboxes.remove", mailbox=MIA)
    return submit(asked, actor=house.oskar, why="<b>because</b> I can", ticket="T-9")


@pytest.fixture
def link(waiting: Change) -> str:
    return mailed(POSTMASTER)


def mailed(contact: str) -> str:
    tick(datetime.now(UTC))
    token, kept = draw()
    notice = the(Invite, contact=contact, stops__isnull=False)
    assert submit(kind("notices.issue", notice=str(notice.pk)), actor=SYSTEM, why="x", secrets={"link": kept}).version
    return f"/not-me/{token}"


def opened(link: str, browser: Client | None = None) -> tuple[Client, str, int]:
    browser = browser or visitor()
    assert browser.get(link)["Location"] == "/not-me/"
    answer = browser.get("/not-me/")
    return browser, answer.content.decode(), answer.status_code


def test_it_says_what_by_whom_why_and_when_and_has_one_button(waiting: Change, link: str) -> None:
    _, text, status = opened(link)
    assert status == 200 and text.count("<form") == 1 and "<script" not in text.split("<main", 1)[1]
    when = f"{waiting.at:%d %B %Y, %H:%M} UTC"
    for said in (f"Remove mailbox {MIA}", "(client Acme)", f"Oskar, {OWNER}", "T-9", when):
        assert said in text
    assert "&lt;b&gt;because&lt;/b&gt; I can" in text and "removes 1 mailbox" in text


def test_looking_changes_nothing_however_often(waiting: Change, link: str) -> None:
    for _ in range(3):
        opened(link)
        visitor().head(link)
    assert again(waiting).stage == "scheduled"
    _, text, status = opened(link)
    assert status == 200 and "stop it" in text


def test_pressed_it_is_withdrawn_sessions_end_and_it_says_what_to_do_next(
    house: House, waiting: Change, link: str
) -> None:
    thief, olive = visitor(house.oskar), visitor(house.olive)
    assert thief.get("/").status_code == 200 == olive.get("/").status_code
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "5" * 64}, person=OWNER, mfa="x", until=until)
    browser, _, _ = opened(link)
    answer = browser.post("/not-me/")
    assert answer.status_code == 200 and again(waiting).stage == "withdrawn"
    for said in ("The change is stopped", "Sign in", "another password", "second person"):
        assert said in answer.content.decode()
    assert thief.get("/")["Location"].startswith("/sign-in/") and session_of("5" * 64) is None
    assert olive.get("/").status_code == 200


@pytest.mark.parametrize("how", ["unknown", "used", "none"])
def test_a_link_that_is_no_good_says_the_same_whatever_was_wrong(waiting: Change, link: str, how: str) -> None:
    browser = visitor()
    if how == "used":
        other, _, _ = opened(link)
        other.post("/not-me/")
    if how != "none":
        browser.get(link if how == "used" else "/not-me/of-nothing")
    for answer in (browser.get("/not-me/"), browser.post("/not-me/")):
        assert answer.status_code == 410 and b"This link does not work any more" in answer.content
    assert (again(waiting).stage == "withdrawn") is (how == "used")


def test_pressed_twice_the_second_says_that_it_is_spent(waiting: Change, link: str) -> None:
    browser, _, _ = opened(link)
    assert browser.post("/not-me/").status_code == 200
    assert browser.post("/not-me/").status_code == 410


def test_once_it_was_made_the_page_says_so(house: House, waiting: Change, link: str) -> None:
    assert apply_scheduled(waiting.pk).version
    browser, text, status = opened(link)
    assert status == 200 and "it was made" in text and "undo it" in text and "<form" not in text
    assert b"it was made" in browser.post("/not-me/").content
    assert again(waiting).stage == "applied"


def test_once_it_was_withdrawn_otherwise_the_page_says_so(house: House, waiting: Change, link: str) -> None:
    withdraw(waiting.pk, actor=house.oskar, why="a slip")
    _, text, status = opened(link)
    assert status == 200 and "it is withdrawn" in text and "nothing to stop" in text


def test_the_button_wants_the_token_of_its_form(waiting: Change, link: str) -> None:
    browser, _, _ = opened(link, visitor(enforce_csrf_checks=True))
    assert browser.post("/not-me/").status_code == 403 and again(waiting).stage == "scheduled"


def test_who_was_warned_presses_it_signed_in_as_the_proposer(house: House, waiting: Change, link: str) -> None:
    browser, _, _ = opened(link, visitor(house.oskar))
    assert browser.post("/not-me/").status_code == 200
    assert browser.get("/")["Location"].startswith("/sign-in/"), "their own session may be the thief's"


def test_a_notice_is_in_no_list_of_invites_and_no_owners_page(house: House, waiting: Change, link: str) -> None:
    assert POSTMASTER not in visitor(house.oskar).get("/invites/").content.decode().split("<main", 1)[1]
    stranger = visitor()
    stranger.get(link.replace("/not-me/", "/invite/"))
    assert stranger.get("/invite/").status_code == stranger.post("/invite/", {"password": "p"}).status_code == 410
    with acting_as(SYSTEM):
        assert Invite.objects.filter(stops=waiting, used_at=None).count() == 2
