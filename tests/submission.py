"""Our own submission, stood in for: what it was handed, and what it answers."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.conf import settings

from postroom.changes.carry import Outcome
from postroom.protocols.return_address import names_letter
from postroom.worker import mail


class Post:
    """Our own submission: what it was handed last, and what it answers."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, EmailMessage]] = []
        self.outcome = Outcome([{"answer": "250 2.0.0 Ok: queued as 4XyZ", "notified": True}])

    def hand_in(self, to: str, letter: EmailMessage) -> Outcome:
        self.letters.append((to, str(letter["Return-Path"]), letter))
        return self.outcome

    @property
    def token(self) -> str:
        return names_letter(self.letters[-1][1])


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    one = Post()
    monkeypatch.setattr(mail, "hand_in", one.hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    return one
