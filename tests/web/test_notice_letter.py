"""The letter that warns of a change nobody could approve: what it says, and what it never holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings

from cast import MIA, POSTMASTER, House, again, do, kind, the, tick
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import hashed
from postroom.changes.approvals import withdraw
from postroom.changes.carry import Outcome, attempt
from postroom.changes.notices import stop, warned
from postroom.changes.pipeline import submit
from postroom.models import Change, Delivery, Invite
from postroom.web.told import Told
from postroom.worker import mail, notices

TOLD = Told("Northlight", "Remove mailbox mia@acme.example", "Oskar, o@n.example", "tidy", "removes 1 mailbox", "soon")


def test_it_says_what_by_whom_why_when_and_how_to_stop_it() -> None:
    letter = notices.letter(TOLD, "https://n.example/not-me/TOKEN")
    text = letter.get_content()
    link = "This was not me:\n\nhttps://n.example/not-me/TOKEN\n"
    for said in (*vars(TOLD).values(), link, "withdrawn", "works once"):
        assert said in text
    assert "TOKEN" not in str(letter["Subject"]) and all(len(line) < 100 for line in text.splitlines())


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, EmailMessage]]:
    """What our own submission was handed."""
    handed: list[tuple[str, EmailMessage]] = []

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed.append((to, letter))
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return handed


@pytest.fixture
def sent(house: House) -> Change:
    """The change that tells of a removal nobody could approve."""
    do("people.suspend", house.oskar, person="ada@northlight.example")
    why = "urgent\r\nBcc: x@y.test\n\nThis was not me:\n\nhttps://evil.example/"
    submit(kind("mailboxes.remove", mailbox=MIA), actor=house.oskar, why=why)
    (change,) = tick(datetime.now(UTC))
    return change


def deliveries(change: Change) -> list[Delivery]:
    with acting_as(SYSTEM):
        return list(Delivery.objects.filter(change=change).order_by("label"))


def link_in(letter: EmailMessage) -> str:
    return hashed(str(letter.get_content()).rpartition("/not-me/")[2].split()[0])


def test_each_who_has_to_know_gets_a_link_of_their_own(sent: Change, post: list[Any]) -> None:
    for one in deliveries(sent):
        attempt(sent.pk, one)
    assert [to for to, _ in post] == ["owner@northlight.example", POSTMASTER]
    links = [link_in(letter) for _, letter in post]
    assert [warned(link).contact for link in links] == [to for to, _ in post] and len(set(links)) == 2
    assert all(one.done and one.evidence == [{"answer": "250 taken"}] for one in deliveries(sent))


def test_what_was_typed_stays_in_its_line(sent: Change, post: list[Any]) -> None:
    attempt(sent.pk, deliveries(sent)[0])
    text = post[0][1].get_content()
    assert "  Why:   urgent Bcc: x@y.test This was not me: https://evil.example/\n" in text
    assert text.count("\nThis was not me:\n") == 1


def test_run_again_it_mails_a_new_link_and_the_one_before_is_void(sent: Change, post: list[Any]) -> None:
    (one, _) = deliveries(sent)
    for _ in range(2):
        assert mail.send(sent, one).evidence
    first, second = (link_in(letter) for _, letter in post)
    with pytest.raises(LookupError):
        warned(first)
    assert stop(second).stage == "withdrawn"


def test_what_waits_no_more_is_not_mailed(house: House, sent: Change, post: list[Any]) -> None:
    waiting = the(Invite, contact=POSTMASTER).stops_id
    withdraw(waiting, actor=house.oskar, why="a slip")  # type: ignore[arg-type]
    for one in deliveries(sent):
        assert mail.send(again(sent), one).evidence == [
            {"question": "is it still to be sent?", "answer": "no: the change waits no more"}
        ]
    assert post == []


def test_of_a_reset_it_says_that_somebody_asks_for_a_way_into_a_mailbox() -> None:
    letter = notices.letter(replace(TOLD, kind="resets.send_link"), "https://n.example/not-me/TOKEN")
    text = letter.get_content()
    assert letter["Subject"] == notices.SUBJECT_OF_RESET and "a way back in" in text
    assert "https://n.example/not-me/TOKEN" in text and TOLD.who in text and "there is none" not in text


def test_of_a_transfer_it_says_that_the_mailbox_would_be_anothers() -> None:
    letter = notices.letter(replace(TOLD, kind="mailboxes.transfer"), "https://n.example/not-me/TOKEN")
    text = letter.get_content()
    assert letter["Subject"] == notices.SUBJECT_OF_TRANSFER
    assert "to another owner" in text and "there is none" not in text
    assert "https://n.example/not-me/TOKEN" in text and TOLD.who in text and TOLD.why in text and TOLD.when in text
