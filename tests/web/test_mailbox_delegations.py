"""Owners let others write in their name on their own pages, and ask for it elsewhere; operators see who does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, do, owner_of, redeemed, the
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner, taken
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delegation, Grant, Mailbox
from postroom.queries.delegations import who_asked
from postroom.queries.people import giver

HERE = "/mailbox/access/"


@pytest.fixture
def leo(mia: Mailbox, house: House, mx1: Node) -> Mailbox:
    """A colleague of Mia's, who has set his secret."""
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.test")
    redeemed(LEO)
    taken(mx1)
    return the(Mailbox, address__address=LEO)


def later() -> str:
    return (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()


def asked(by: Any, **more: Any) -> Delegation:
    params = {"mailbox": MIA, "to": LEO, "rights": ["send-as"], "until": later(), **more}
    done = do("delegations.ask", by, **params)
    assert done.version
    return the(Delegation, ended_at=None, started_at=None)


def page(browser: Client) -> str:
    return str(browser.get("/mailbox/").content.decode())


def test_she_reads_who_asks_and_what_for_and_lets_them(leo: Mailbox) -> None:
    one, browser = asked(owner_of(LEO), rights=["open", "send-as"]), owner()
    assert "a test" in page(browser) and LEO in page(browser) and "waits for its owner" in page(browser)
    url = f"{HERE}consent/?delegation={one.pk}"
    form = browser.get(url).content.decode()
    assert f"the owner of {LEO}" in form and "opens it, writes as it" in form and "a test" in form
    assert browser.post(url, {"old": WORDS})["Location"] == "/mailbox/"
    assert the(Delegation).started_at is not None
    assert browser.post(f"{HERE}end/", {"delegation": str(one.pk)})["Location"] == "/mailbox/"
    assert the(Delegation).ended_at is not None and LEO not in page(browser)


def test_an_operator_who_asked_is_named(leo: Mailbox, house: House) -> None:
    asked(house.olive)
    assert "asked for by Olive" in page(owner())


def test_whoever_only_finds_a_browser_signed_in_lets_nobody_in_but_may_decline(leo: Mailbox) -> None:
    one, browser = asked(owner_of(LEO)), owner()
    wrong = browser.post(f"{HERE}consent/?delegation={one.pk}", {"old": "not it, but long enough"})
    assert wrong.status_code == 422 and b"not the password" in wrong.content
    assert the(Delegation).started_at is None
    assert browser.post(f"{HERE}decline/", {"delegation": str(one.pk)})["Location"] == "/mailbox/"
    assert the(Delegation).ended_at is not None
    assert browser.get(f"{HERE}consent/?delegation={one.pk}").status_code == 404


def test_she_asks_at_another_mailbox_and_its_owner_alone_answers(leo: Mailbox) -> None:
    browser = owner()
    typed = {
        "mailbox": LEO,
        "open": "on",
        "send-as": "on",
        "until": later()[:10],
        "why": "while he is away",
        "old": WORDS,
    }
    assert browser.get(f"{HERE}ask/").status_code == 200
    assert browser.post(f"{HERE}ask/", typed)["Location"] == "/mailbox/"
    one = the(Delegation)
    assert (one.mailbox_id, one.requester_id, one.reason) == (leo.pk, None, "while he is away")
    text = page(browser)
    assert "asked for by you" in text and one.rights == ["open", "send-as"]
    assert "you open it in your mail program, under “shared”, you write as it" in text
    assert browser.get(f"{HERE}consent/?delegation={one.pk}").status_code == 404
    refused = browser.post(f"{HERE}consent/?delegation={one.pk}", {"old": WORDS})
    assert refused.status_code == 422 and the(Delegation).started_at is None
    assert browser.post(f"{HERE}end/", {"delegation": str(one.pk)}).status_code == 302, "withdrawn"


@pytest.mark.parametrize("typed, words", [
    ({"mailbox": "nobody@acme.example"}, "that you can see"), ({"mailbox": "mia@globex.example"}, "that you can see"),
    ({"mailbox": MIA}, "the mailbox itself"), ({"mailbox": "nothing"}, "no mail address"),
    ({"send-as": ""}, "Choose what you need"), ({"until": "soon"}, "no day"), ({"until": ""}, "say until when"),
    ({"why": ""}, "what it is for"), ({"old": "not it, but long enough"}, "not the password"),
])  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(leo: Mailbox, typed: dict[str, str], words: str) -> None:
    good = {"mailbox": LEO, "send-as": "on", "until": later()[:10], "why": "x", "old": WORDS}
    answer = owner().post(f"{HERE}ask/", {name: value for name, value in {**good, **typed}.items() if value})
    assert answer.status_code == 422 and words in answer.content.decode().replace("&#x27;", "'")
    with acting_as(SYSTEM):
        assert not Delegation.objects.exists()


def test_another_mailboxs_is_not_there(leo: Mailbox, house: House) -> None:
    do("mailboxes.create", house.olive, address="zoe@acme.example", contact="zoe@home.test")
    one = asked(house.olive, mailbox=LEO, to="zoe@acme.example")
    browser = owner()
    assert browser.get(f"{HERE}consent/?delegation={one.pk}").status_code == 404
    for what in ("decline", "end"):
        assert browser.post(f"{HERE}{what}/", {"delegation": str(one.pk)}).status_code == 422
    assert browser.post(f"{HERE}consent/?delegation={one.pk}", {"old": WORDS}).status_code == 422
    assert the(Delegation).ended_at is None and "zoe@" not in page(browser)


def test_on_the_mailboxs_page_stands_who_has_access_until_when_by_whose_consent(leo: Mailbox, house: House) -> None:
    one = asked(house.olive)
    olive = visitor(house.olive)
    text = olive.get(f"/mailboxes/{MIA}/").content.decode()
    assert "waits for its owner" in text and "asked for by Olive" in text and "/do/delegations.consent/" not in text
    do("delegations.consent", owner_of(MIA), delegation=str(one.pk))
    text = olive.get(f"/mailboxes/{MIA}/").content.decode()
    assert "its owner consented" in text and f"/do/delegations.end/?delegation={one.pk}" in text and "until" in text
    assert f"writes as {MIA}" in olive.get(f"/mailboxes/{LEO}/").content.decode()
    assert "/do/delegations.ask/?mailbox=" in text
    viewer = visitor(house.audrey).get(f"/mailboxes/{MIA}/").content.decode()
    assert "its owner consented" in viewer and "/do/delegations." not in viewer


def test_a_client_admin_is_told_who_asked_and_never_that_it_was_the_owner(leo: Mailbox, house: House) -> None:
    """Of a requester of the organization they see the name alone, as the record gives it."""
    asked(house.olive)
    text = visitor(house.carl).get(f"/mailboxes/{MIA}/").content.decode()
    assert "asked for by Olive" in text and f"asked for by the owner of {LEO}" not in text
    other = visitor(house.carl).get(f"/mailboxes/{LEO}/").content.decode()
    assert "asked for by Olive" in other and "its own owner" not in other


def test_a_requester_whose_acts_are_not_seen_either_is_somebody(house: House) -> None:
    hidden, own = Delegation(pk=uuid4(), requester_id=uuid4()), Delegation(pk=uuid4())
    hidden._state.fields_cache["requester"] = None  # as a join finds nobody, under row security
    with acting_as(house.carl):
        assert who_asked([hidden, own]) == {hidden.pk: "somebody of the organization"}


def test_a_role_that_somebody_unseen_gave_was_not_of_the_founding() -> None:
    given = Grant(given_by_id=uuid4())
    given._state.fields_cache["given_by"] = None
    assert (giver(given), giver(Grant())) == ("somebody of the organization", "the founding")
