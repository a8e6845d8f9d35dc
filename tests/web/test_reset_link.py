"""The link that a verified reset releases: its letter and its page speak of a reset, and it goes to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.test import Client
from visitors import visitor

from cast import MIA, House, at, do, reachable, reasons, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.changes.carry import Outcome, attempt
from postroom.changes.errors import Problems
from postroom.models import Change, Delivery, Invite, Verification
from postroom.worker import mail

HOME, WORDS = "mia@home.example", "quiet rivers carry boats"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> dict[str, EmailMessage]:
    handed: dict[str, EmailMessage] = {}

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed[to] = letter
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return handed


@pytest.fixture
def released(house: House) -> Change:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    do("resets.start", house.henry, mailbox=MIA, ticket="T")
    session = str(the(Verification).pk)
    do("resets.vouch", house.carl, verification=session, answer="right")
    change = do("resets.send_link", house.olive, verification=session, contact=HOME)
    assert change.version, reasons(change)
    return change


def of_reset() -> Invite:
    return the(Invite, verification__isnull=False)


def mailed(change: Change) -> None:
    with acting_as(SYSTEM):
        found = list(Delivery.objects.filter(change=change, target="mail", done=False))
    for delivery in found:
        attempt(change.pk, delivery)


def opened() -> Client:
    token, kept = draw()
    assert do("invites.issue", SYSTEM, secrets={"link": kept}, invite=str(of_reset().pk)).version
    browser = visitor()
    browser.get(f"/invite/{token}")
    return browser


def test_its_letter_speaks_of_a_reset_and_an_invites_does_not(
    house: House, post: dict[str, EmailMessage], released: Change
) -> None:
    mailed(released)
    letter = post[HOME]
    text = " ".join(letter.get_content().split())
    assert letter["Subject"] == f"Choose another password for {MIA}" and "found to be its owner" in text
    assert "has made the mailbox" not in text and "the recovery code so far stop working" in text
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    mailed(do("invites.send", house.olive, mailbox="leo@acme.example"))
    fresh = post["leo@home.example"]
    assert fresh["Subject"] == "Set the password of leo@acme.example" and "another password" not in fresh.get_content()


def test_its_page_speaks_of_a_reset_and_goes_on_to_what_was_changed_lately(house: House, released: Change) -> None:
    browser = opened()
    page = browser.get("/invite/").content.decode()
    assert "Choose another password" in page and "Your mailbox is ready" not in page and "way back" in page
    shown = browser.post("/invite/", {"password": WORDS, "again": WORDS, "accepted": "on"})
    assert shown.status_code == 200, shown.content
    assert 'action="/mailbox/recent/"' in shown.content.decode()
    assert browser.get("/mailbox/recent/").status_code == 200, "signed in to it, as its owner"


def test_it_is_good_for_a_day_from_its_release_however_often_it_is_sent_again(house: House, released: Change) -> None:
    opened()
    invite = of_reset()
    assert invite.until == invite.made + timedelta(hours=24) and invite.remind_at is None
    assert do("invites.resend", house.olive, invite=str(invite.pk)).version
    with at(datetime.now(UTC) + timedelta(hours=20)):
        do("invites.issue", SYSTEM, secrets={"link": draw()[1]}, invite=str(invite.pk))
    assert of_reset().until == invite.until, "another link is no other day"
    with at(datetime.now(UTC) + timedelta(hours=25)), pytest.raises(Problems, match="start another one"):
        do("invites.resend", house.olive, invite=str(invite.pk))


def test_nobody_sends_it_elsewhere_or_copies_it(house: House, released: Change) -> None:
    for by in (house.olive, house.oskar, house.carl):
        with pytest.raises(Problems, match="known before"):
            do("invites.redirect", by, invite=str(of_reset().pk), contact="thief@evil.example")
    copied = do("invites.issue", house.olive, secrets={"link": draw()[1]}, invite=str(of_reset().pk))
    assert copied.stage == "refused" and "nobody copies it" in reasons(copied)
    listed = visitor(house.olive).get("/invites/?client=acme").content.decode()
    (row,) = [one for one in listed.split("<tr") if HOME in one]
    assert "of a verified reset" in row and "Send again" in row and "Copy link" not in row
    assert "Other recipient" not in row
