"""Every one-time link there is: once in fifty hands, at its own page alone, and in no address after the first hit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from test_mailbox_reset import asks, channel, links
from visitors import PASSWORD, login, visitor

from cast import MIA, House, at, do, the, tick, together
from mailbox_owner import LEO
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw, hashed
from postroom.changes.approvals import approve
from postroom.changes.recovery import ask_owner
from postroom.models import Invite, Login, Mailbox, Person

NEW = "quite other plain words"
OTTO, HOME = "otto@northlight.example", "mia@home.test"
TWICE = {"password": NEW, "again": NEW}
DOORS = ("/invite/", "/recover/", "/mailbox/recover/", "/confirm/", "/not-me/", "/found/")


def issued(by: str, field: str, invite: Invite) -> str:
    """A token of this invite, drawn as the worker draws it."""
    token, kept = draw()
    assert do(by, SYSTEM, secrets={"link": kept}, **{field: str(invite.pk)}).version
    return token


def of_a_mailbox(house: House, sql: Any) -> str:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.test")
    return issued("invites.issue", "invite", the(Invite, contact="leo@home.test"))


def of_a_person(house: House, sql: Any) -> str:
    do("people.invite", house.oskar, name="Otto", email=OTTO)
    return issued("invites.issue", "invite", the(Invite, person__email=OTTO))


def of_a_lost_sign_in(house: House, sql: Any) -> str:
    """An owner has agreed that the second factor is lost too, so the link and a password are all that is asked."""
    email = "olive@northlight.example"
    login(house.olive, PASSWORD)
    with acting_as(SYSTEM):
        Login.objects.update(changed_at=datetime.now(UTC) - timedelta(hours=1))
    visitor().post("/recover/", {"email": email})
    tick(datetime.now(UTC) + timedelta(seconds=1))
    first = issued("people.issue_recovery", "recovery", the(Invite, person__email=email, recovers="password"))
    held = ask_owner(hashed(first), the(Person, email=email))
    approve(held.pk, actor=house.oskar, plan_hash=held.plan_hash)
    with at(held.at or held.now):
        tick(held.at or held.now)
    return issued("people.issue_recovery", "recovery", the(Invite, person__email=email, recovers="sign-in"))


def of_a_lost_mailbox(house: House, sql: Any) -> str:
    channel(house, sql, HOME)
    asks()
    (invite,) = links()
    return issued("people.issue_recovery", "recovery", invite)


def of_a_channel(house: House, sql: Any) -> str:
    do("recovery_channels.name", house.olive, mailbox=MIA, value="mia@read.test")
    return issued("recovery_channels.issue", "confirmation", the(Invite, confirms__value="mia@read.test"))


def of_a_notice(house: House, sql: Any) -> str:
    do("people.suspend", house.oskar, person="ada@northlight.example")
    do("mailboxes.remove", house.oskar, mailbox="mia@globex.example")
    tick(datetime.now(UTC))
    with acting_as(SYSTEM):
        notice = Invite.objects.filter(stops__isnull=False).latest("id")
    return issued("notices.issue", "notice", notice)


# name → (its token, its page, where that leads on, what is sent there)
SORTS: dict[str, tuple[Callable[[House, Any], str], str, str, dict[str, str]]] = {
    "a mailbox": (of_a_mailbox, "/invite/", "/invite/", TWICE),
    "a person": (of_a_person, "/invite/", "/invite/", TWICE),
    "a lost sign-in": (of_a_lost_sign_in, "/recover/", "/recover/set/", TWICE),
    "a lost mailbox": (of_a_lost_mailbox, "/mailbox/recover/", "/mailbox/recover/set/", TWICE),
    "a channel": (of_a_channel, "/confirm/", "/confirm/", {}),
    "a notice": (of_a_notice, "/not-me/", "/not-me/", {}),
}
EACH = pytest.mark.parametrize("sort", SORTS)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.access.throttle.Limit.__call__", lambda self, who, most=None: None)


def used() -> int:
    with acting_as(SYSTEM):
        return Invite.objects.exclude(used_at=None).count()


@EACH
def test_in_fifty_hands_it_opens_once(house: House, mia: Mailbox, sql: Any, unlimited: None, sort: str) -> None:
    made, door, page, sent = SORTS[sort]
    token, before = made(house, sql), used()
    hands = [visitor() for _ in range(50)]
    for hand in hands:
        assert hand.get(door + token)["Location"] == page
    statuses = together(*[lambda hand=hand: hand.post(page, sent).status_code for hand in hands])
    assert [one for one in statuses if isinstance(one, Exception)] == [], statuses
    assert sum(one in (200, 302) for one in statuses) == 1, statuses
    assert set(statuses) - {200, 302} <= {409, 410}, statuses
    assert used() >= before + 1
    late = visitor()
    late.get(door + token)
    assert late.post(page, sent).status_code == 410


@EACH
def test_it_opens_its_own_page_and_no_other(house: House, mia: Mailbox, sql: Any, sort: str) -> None:
    made, own, page, _ = SORTS[sort]
    token, before = made(house, sql), used()
    for door in DOORS:
        if door == own:
            continue
        stranger = visitor()
        onward = stranger.get(door + token)
        at = onward["Location"] if onward.status_code == 302 else door + token
        for sent in (TWICE, {}, {"name": "X", "owner_name": "Y", "owner_email": "y@home.test", "password": NEW}):
            assert stranger.post(at, sent).status_code in (403, 404, 405, 409, 410), (door, sent)
        assert stranger.get(at).status_code in (404, 410), door
    assert used() == before
    right = visitor()
    right.get(own + token)
    assert right.get(page).status_code == 200, "and there it is good still"


@EACH
def test_it_stands_in_no_address_after_the_first_hit(house: House, mia: Mailbox, sql: Any, sort: str) -> None:
    made, door, page, sent = SORTS[sort]
    token = made(house, sql)
    browser = Client(SERVER_NAME="localhost")
    first = browser.get(door + token)
    assert (first.status_code, first["Location"]) == (302, page) and token.encode() not in first.content
    assert first["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin-when-cross-origin")
    assert token not in str(dict(browser.session)), "its hash is kept, and not the token"
    seen = browser.get(page).content + browser.post(page, sent).content
    assert token.encode() not in seen and not re.search(rb"https?://(?!localhost)[^\"' ]+\?[^\"' ]*token", seen)


def test_every_door_of_a_link_is_here() -> None:
    """The addresses that end in a token, as the pages have them."""
    from test_urls import PAGES

    doors = {address.partition("<str:token>")[0] for address, _ in PAGES if address.endswith("<str:token>")}
    assert {f"/{one.strip('/')}/" for one in doors} == set(DOORS)
