"""Owners are told of sign-ins from new places: once a network and day, and again until the letter is taken."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cast import MIA, House, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.models import Mailbox, SignInPlace
from postroom.worker import mail, new_places

Sent = list[tuple[str, str]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    letters: Sent = []

    def hand_in(to: str, letter: Any) -> Outcome:
        letters.append((to, letter.as_string()))
        return Outcome(evidence=[{"answer": "250 queued", "server": "x", "at": ""}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:587")
    return letters


def place(network: str = "192.0.2.0/24", program: str = "", **said: Any) -> int:
    mailbox = the(Mailbox, address__address=MIA)
    with acting_as(SYSTEM):
        at = timezone.now()
        about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "domain_id": mailbox.client_id}
        return int(SignInPlace.objects.create(
            network=network, program=program, protocol="imap", address="192.0.2.7", last=at,
            **{"at": at, "wanted": True, **about, **said},
        ).pk)  # fmt: skip


def work(turns: new_places.NewPlaces | None = None) -> None:
    for piece in (turns or new_places.NewPlaces()).due():
        piece()


def test_one_letter_to_the_mailbox_itself_once(house: House, sent: Sent) -> None:
    place(program="Bird\r\nBcc: evil@x.example")
    work()
    work()
    ((to, text),) = sent
    assert to == MIA and "192.0.2.0/24" in text and "Bird Bcc: evil@x.example" in text
    assert text.partition("\n\n")[0].count("Bcc") == 0


def test_a_network_is_told_of_once_a_day_and_another_at_once(house: House, sent: Sent) -> None:
    place()
    work()
    place(program="Birdmail")
    work()
    assert len(sent) == 1
    place("198.51.100.0/24")
    work()
    assert len(sent) == 2
    with acting_as(SYSTEM):
        SignInPlace.objects.filter(wanted=True).update(told=timezone.now() - timedelta(hours=25))
    place(program="Catmail")
    work()
    assert len(sent) == 3


def test_what_is_not_to_be_told_is_not_nor_of_a_mailbox_that_is_gone(house: House, sent: Sent) -> None:
    place(wanted=False)
    work()
    place("198.51.100.0/24", mailbox_id=the(Mailbox, address__address=MIA).client_id)
    work()
    assert sent == [] and new_places.untold() == []


def test_it_is_tried_again_until_it_is_taken_and_given_up_after_three_days(
    house: House, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = mail.hand_in
    monkeypatch.setattr(mail, "hand_in", lambda to, letter: Outcome(why="451 not now"))
    one, turns = place(), new_places.NewPlaces()
    work(turns)
    with acting_as(SYSTEM):
        assert SignInPlace.objects.get(pk=one).told_to["why"] == "451 not now"
    work(turns)
    assert turns.next[one][1] == 2 * new_places.FIRST, "not at once again"
    turns.next.clear()
    monkeypatch.setattr(mail, "hand_in", taken)
    work(turns)
    assert len(sent) == 1
    monkeypatch.setattr(mail, "hand_in", lambda to, letter: Outcome(why="550 no"))
    late = place("198.51.100.0/24", at=timezone.now() - timedelta(days=4))
    work()
    assert late not in new_places.untold()


def test_an_installation_without_submission_says_so(house: House) -> None:
    one = place()
    new_places.tell(one)
    with acting_as(SYSTEM):
        assert "no submission" in SignInPlace.objects.get(pk=one).told_to["why"]
