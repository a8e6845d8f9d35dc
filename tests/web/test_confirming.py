"""The page behind the question whether a recovery channel is read still, and the letters that go with one."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.conf import settings
from django.test import Client
from visitors import visitor

from cast import MIA, House, do, kind, reachable, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.changes.carry import Outcome, attempt
from postroom.changes.pipeline import submit
from postroom.models import Change, Delivery, Invite, RecoveryChannel, Verification
from postroom.worker import mail

HOME, NUMBER = "mia@home.example", "+442079460123"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> dict[str, EmailMessage]:
    """What our own submission was handed last, by whom it went to."""
    handed: dict[str, EmailMessage] = {}

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed[to] = letter
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return handed


def named(house: House, value: str = HOME) -> Change:
    return do("recovery_channels.name", house.olive, mailbox=MIA, value=value)


def mailed(change: Change, *, only: bool = False) -> None:
    """Every letter of it; `only`: the question, whether a channel is read still."""
    with acting_as(SYSTEM):
        asked = set(Invite.objects.exclude(confirms=None).values_list("pk", flat=True))
        found = [one for one in Delivery.objects.filter(change=change, target="mail", done=False)
                 if one.object in asked or not only]  # fmt: skip
    for delivery in found:
        attempt(str(change.pk), delivery)


def link(channel: str = HOME) -> str:
    token, kept = draw()
    asked = kind("recovery_channels.issue", confirmation=str(the(Invite, confirms__value=channel).pk))
    assert submit(asked, actor=SYSTEM, why="x", secrets={"link": kept}).version
    return f"/confirm/{token}"


def opened(link: str) -> tuple[Client, str, int]:
    browser = visitor()
    assert browser.get(link)["Location"] == "/confirm/"
    answer = browser.get("/confirm/")
    return browser, answer.content.decode(), answer.status_code


def test_looking_confirms_nothing_and_the_button_does_once(house: House) -> None:
    named(house)
    found = link()
    for _ in range(2):
        browser, text, status = opened(found)
        visitor().head(found)
        assert status == 200 and MIA in text and HOME in text and text.count("<form") == 1
    assert the(RecoveryChannel).confirmed_at is None
    answer = browser.post("/confirm/")
    assert answer.status_code == 200 and "another half year" in answer.content.decode()
    assert the(RecoveryChannel).confirmed_at is not None
    assert browser.post("/confirm/").status_code == 410 == opened(found)[2]


@pytest.mark.parametrize("sort", ["nobody's", "an invite's", "none"])
def test_another_link_opens_nothing_here_and_its_own_opens_no_mailbox(house: House, sort: str) -> None:
    named(house)
    own = link()
    browser = visitor()
    if sort == "an invite's":
        do("invites.send", house.olive, mailbox=MIA, contact=HOME)
        token, kept = draw()
        do("invites.issue", SYSTEM, secrets={"link": kept}, invite=str(the(Invite, mailbox__isnull=False).pk))
        browser.get(f"/confirm/{token}")
    elif sort == "nobody's":
        browser.get("/confirm/nothing")
    assert browser.get("/confirm/").status_code == 410 == browser.post("/confirm/").status_code
    assert the(RecoveryChannel).confirmed_at is None
    for door in ("/invite/", "/not-me/", "/recover/set/"):
        browser.get(own.replace("/confirm/", door.replace("/set/", "/")))
        assert browser.get(door).status_code in (410, 302), door


def test_the_question_goes_to_the_address_with_a_link_and_of_a_number_to_the_mailbox(
    house: House, post: dict[str, EmailMessage]
) -> None:
    mailed(named(house))
    text = post[HOME].get_content()
    assert "/confirm/" in text and MIA in text and "This address" in text
    assert "/confirm/" not in post[MIA].get_content() and HOME in post[MIA].get_content()
    number = named(house, NUMBER)
    mailed(number, only=True)
    assert "/confirm/" in post[MIA].get_content() and NUMBER in post[MIA].get_content()
    mailed(number)
    told = post[HOME].get_content()
    assert "…23" in told and NUMBER not in told and "/confirm/" not in told, "another holder learns that, not which"


def test_who_held_it_and_the_mailbox_are_told_of_its_end_by_whom(house: House, post: dict[str, EmailMessage]) -> None:
    named(house)
    mailed(do("recovery_channels.end", house.olive, channel=str(the(RecoveryChannel).pk)))
    for who in (MIA, HOME):
        text = post[who].get_content()
        assert "ended" in text and "Olive" in text and HOME in text
        assert MIA not in str(post[who]["Subject"])


def test_of_one_that_ended_before_the_mail_went_nobody_is_asked(house: House, post: dict[str, EmailMessage]) -> None:
    change = named(house)
    do("recovery_channels.end", house.olive, channel=str(the(RecoveryChannel).pk))
    mailed(change)
    assert HOME not in post


def test_of_a_reset_the_mailbox_is_told_without_the_link(house: House, post: dict[str, EmailMessage]) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    do("resets.start", house.henry, mailbox=MIA, ticket="T")
    session = str(the(Verification).pk)
    do("resets.vouch", house.carl, verification=session, answer="right")
    mailed(do("resets.send_link", house.olive, verification=session, contact=HOME))
    assert "/invite/" in post[HOME].get_content()
    told = post[MIA].get_content()
    assert "another password" in told and "Olive" in told and "/invite/" not in told and HOME not in told
