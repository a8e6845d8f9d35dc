"""The owner's pages for app passwords, and what an operator sees of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from visitors import visitor

from cast import MIA, House, acknowledged, app_password, do, redeemed, the
from fake_dovecot import FakeDovecot, fake_dovecot
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import hashed
from postroom.environment import Environment
from postroom.models import Credential, Mailbox, RecordedEdit
from postroom.web import mailbox_app_passwords, mailbox_sign_in
from sign_ins import devices_used

WORDS = "a few plain words of her own"
NEW, END = "/mailbox/app-passwords/new/", "/mailbox/app-passwords/end/"
ASKED = {"name": "Phone", "imap": "on", "submission": "on", "until": "", "password": WORDS}


@pytest.fixture
def dovecot(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDovecot]:
    with fake_dovecot() as fake:
        more = {**settings.POSTROOM.values, "MAILBOX_AUTH": fake.where}
        monkeypatch.setattr(settings, "POSTROOM", Environment(more))
        monkeypatch.setattr(mailbox_sign_in, "wait", lambda came: None)
        fake.passwords = {MIA: WORDS}
        yield fake


@pytest.fixture
def mia(house: House, node: Callable[[str], Node], dovecot: FakeDovecot) -> Mailbox:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    acknowledge(node("mx1"))
    acknowledged()
    return the(Mailbox, address__address=MIA)


@pytest.fixture
def browser(mia: Mailbox) -> Client:
    """Hers, signed in."""
    here = visitor()
    assert here.post("/mailbox/sign-in/", {"address": MIA, "password": WORDS})["Location"] == "/mailbox/"
    return here


def shown(answer: Any) -> str:
    """The app password on the page that answers."""
    found = re.search(r'id="secret"[^>]*value="([^"]+)"', answer.content.decode())
    assert found, answer.content.decode()[:3000]
    return found[1]


def test_it_is_shown_once_and_kept_nowhere(browser: Client, sql: Any) -> None:
    answer = browser.post(NEW, ASKED)
    secret = shown(answer)
    assert answer["Cache-Control"] == "no-store" and answer.status_code == 200
    assert sql("SELECT value FROM secrets WHERE purpose = 'app password'") == [(hashed(secret),)]
    again = browser.get("/mailbox/").content.decode()
    assert "Phone" in again and "may read mail, send mail" in again and secret not in again
    with acting_as(SYSTEM):
        assert secret not in str(list(RecordedEdit.objects.values_list("before", "after")))
    made = the(Credential)
    assert (made.protocols, made.until) == (["imap", "submission"], None)


def test_a_last_day_counts_to_its_end(browser: Client) -> None:
    shown(browser.post(NEW, {**ASKED, "until": "2099-12-31"}))
    assert the(Credential).until.isoformat() == "2099-12-31T23:59:59+00:00"


@pytest.mark.parametrize("more, words", [
    ({"password": "not hers"}, "That is not the password"),
    ({"password": ""}, "That is not the password"),
    ({"name": " "}, "Say which device"),
    ({"imap": None, "submission": None}, "Choose what it may do"),
    ({"until": "2020-01-01"}, "past already"),
    ({"until": "tomorrow"}, "That is no day"),
])  # fmt: skip
def test_what_is_not_made_says_why(browser: Client, more: dict[str, Any], words: str) -> None:
    asked = {name: value for name, value in {**ASKED, **more}.items() if value is not None}
    answer = browser.post(NEW, asked)
    text = answer.content.decode()
    assert answer.status_code == 422 and words in text and WORDS not in text
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()


def test_where_passwords_cannot_be_looked_at_none_is_made(browser: Client, dovecot: FakeDovecot) -> None:
    dovecot.says = lambda address, password: "NOTFOUND"
    assert browser.post(NEW, ASKED).status_code == 503
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()


def test_two_of_one_name_are_not_told_apart(browser: Client) -> None:
    shown(browser.post(NEW, ASKED))
    answer = browser.post(NEW, ASKED)
    assert answer.status_code == 422 and "there is one of this name" in answer.content.decode()


def test_she_ends_one_and_the_other_stays(browser: Client) -> None:
    phone, laptop = app_password(MIA, "Phone"), app_password(MIA, "Laptop")
    this = {"app_password": str(phone.pk)}
    assert browser.post(END, this)["Location"] == browser.post(END, this)["Location"] == "/mailbox/", "twice is once"
    assert the(Credential, pk=phone.pk).ended_at and the(Credential, pk=laptop.pk).ended_at is None
    text = browser.get("/mailbox/").content.decode()
    assert "Laptop" in text and "Phone ·" not in text and f"{phone.pk}" not in text


def test_somebody_elses_is_not_there(browser: Client, house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.test")
    redeemed("leo@acme.example")
    other = app_password("leo@acme.example", "Leo's phone")
    assert "Leo" not in browser.get("/mailbox/").content.decode()
    assert browser.post(END, {"app_password": str(other.pk)}).status_code == 409
    assert browser.post(END, {}).status_code == 422
    assert the(Credential, pk=other.pk).ended_at is None


@pytest.mark.parametrize("method, at", [("get", NEW), ("post", NEW), ("post", END)])
def test_nobody_comes_here_without_her_sign_in(mia: Mailbox, house: House, method: str, at: str) -> None:
    for who in (visitor(), visitor(house.oskar)):
        answer = getattr(who, method)(at, ASKED if method == "post" else None)
        assert answer.status_code == 302 and answer["Location"] == "/mailbox/sign-in/"


def test_she_reads_when_each_was_used_last_for_what_and_from_where(house: House, browser: Client) -> None:
    devices_used(house)
    page = " ".join(re.sub(r"<[^>]+>", " ", browser.get("/mailbox/").content.decode()).split())
    part = page.partition("Devices and apps that get in")[2].partition("Who can reset")[0]
    assert re.search(r"Phone may read mail, send mail · made .+? · last used [^·]+ UTC: sent mail from 192.0.2.9", part)
    assert re.search(r"Laptop .*? UTC: read mail from 198.51.100.4", part)
    assert re.search(r"Drawer .*? · no sign-in with it is known in 90 days", part) and "192.0.2.8" not in part


# An operator's side


def test_an_operator_sees_and_ends_them_and_makes_none(mia: Mailbox, house: House) -> None:
    phone = app_password(MIA, "Phone", until="2099-12-31T00:00:00Z")
    text = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert "app password for reading, sending · until" in text
    assert f"/do/app_passwords.end/?app_password={phone.pk}" in text and "app_passwords.create" not in text
    assert visitor(house.olive).get("/do/app_passwords.create/").status_code == 404
    assert (
        f"/do/app_passwords.end/?app_password={phone.pk}"
        not in visitor(house.audrey).get(f"/mailboxes/{MIA}/").content.decode()
    )
    asked = {"app_password": str(phone.pk), "why": "lost on the train"}
    assert visitor(house.olive).post("/do/app_passwords.end/", {**asked, "send": "yes"}).status_code in (200, 302)


def test_what_the_client_wants_is_said(mia: Mailbox, house: House) -> None:
    do("clients.change", house.olive, client="acme", app_passwords_only=True)
    assert "page alone" in visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert "app passwords alone" in visitor(house.olive).get("/clients/acme/").content.decode()


def test_pages_ask_as_often_whatever_there_is(browser: Client, django_assert_max_num_queries: Any = None) -> None:
    """A fixed number of queries for the section of the owner's page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert browser.get("/mailbox/").status_code == 200
        return len(found)

    app_password(MIA, "0")
    asked()
    before = asked()
    for n in range(1, 6):
        app_password(MIA, str(n))
    assert asked() == before
    assert mailbox_app_passwords.HERE in browser.get("/mailbox/").content.decode()
