"""Mia owns a mailbox at Acme, with a secret of her own, at a node that a test can speak for; and her browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from cast import MIA, House, acknowledged, do, redeemed, the
from fake_dovecot import FakeDovecot, fake_dovecot
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.environment import Environment
from postroom.models import Mailbox, RecordedEdit
from postroom.web import mailbox_reset, mailbox_sign_in
from web.visitors import visitor

WORDS = "a few plain words of her own"
LEO = "leo@acme.example"


@pytest.fixture
def dovecot(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDovecot]:
    with fake_dovecot() as fake:
        more = {**settings.POSTROOM.values, "MAILBOX_AUTH": fake.where}
        monkeypatch.setattr(settings, "POSTROOM", Environment(more))
        monkeypatch.setattr(mailbox_sign_in, "wait", lambda came: None)
        monkeypatch.setattr(mailbox_reset, "wait", lambda came: None)
        fake.passwords = {MIA: WORDS, "mia@globex.example": WORDS}
        yield fake


@pytest.fixture
def mx1(node: Callable[[str], Node], house: House) -> Node:
    return node("mx1")


@pytest.fixture
def mia(house: House, mx1: Node, dovecot: FakeDovecot) -> Mailbox:
    """Hers at Acme: she has set the secret, and the node has it."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    taken(mx1)
    return the(Mailbox, address__address=MIA)


def taken(node: Node) -> None:
    """The node has taken all that it has to."""
    acknowledge(node)
    acknowledged()


def signs_in(address: str = MIA, password: str = WORDS, browser: Client | None = None) -> Any:
    return (browser or visitor()).post("/mailbox/sign-in/", {"address": address, "password": password})


def owner() -> Client:
    browser = visitor()
    assert signs_in(browser=browser)["Location"] == "/mailbox/"
    return browser


def said(what: str) -> list[dict[str, Any]]:
    with acting_as(SYSTEM):
        return [one.after for one in RecordedEdit.objects.filter(said=what).order_by("entry_id") if one.after]
