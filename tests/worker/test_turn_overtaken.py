"""A try that another one has overtaken issues nothing and mails nothing: the link in somebody's mail is good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import pytest
from django.conf import settings

from cast import House, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import carry
from postroom.changes.carry import Outcome, attempt
from postroom.models import Change, Delivery, Invite
from postroom.worker import mail
from web.visitors import visitor

LEO, HOME = "leo@acme.example", "leo@home.example"


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What our submission was handed, in its order."""
    found: list[str] = []

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        found.append(str(letter.get_content()))
        return Outcome([{"answer": "250 ok"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return found


def left(change: Change) -> Delivery:
    with acting_as(SYSTEM):
        return Delivery.objects.get(change=change, target="mail")


@pytest.mark.parametrize("before", [1, 2], ids=["before it issued a link", "before it mailed the one it issued"])
def test_a_worker_that_slept_leaves_nobody_with_a_link_that_is_void(
    house: House, letters: list[str], monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    change, asked = do("mailboxes.create", house.olive, address=LEO, contact=HOME), 0

    @contextmanager
    def sleepy(delivery: Delivery) -> Iterator[bool]:
        nonlocal asked
        asked += 1
        if asked == before:
            attempt(change.pk, left(change))
        with carry.in_hand(delivery) as mine:
            yield mine

    monkeypatch.setattr(mail, "in_hand", sleepy)
    attempt(change.pk, left(change))
    assert (left(change).done, left(change).attempt) == (True, 2)
    (letter,) = letters
    assert the(Invite, contact=HOME).issued == before, "the sleeper's own is void, and in nobody's hands"
    (path,) = re.findall(r"//[^/]+(/invite/\S+)", letter)
    browser = visitor()
    assert browser.get(path, follow=True).status_code == 200 and "does not work" not in str(browser.get("/invite/"))
    assert browser.get("/invite/").status_code == 200
