"""Security contacts, and where registrars write to: confirmed by one click, asked again, greyed while nobody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cast import MIA, House, do, kind, the, tick
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.changes import pipeline
from postroom.changes.carry import Outcome, attempt
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Client, Delivery, Domain, Finding, Invite
from postroom.posture import run
from postroom.posture.checks.unconfirmed import CONTACTS, contacts
from postroom.worker import mail
from web.visitors import visitor

SEC, REG = "sec@home.test", "domains@home.test"
DAY = timedelta(days=1)
WAYS = ["security", "registrar"]


def named(house: House, what: str, value: str | None = None) -> Change:
    if what == "security":
        return do("clients.change", house.olive, client="acme", security_contact=value or SEC)
    return do("domains.change", house.olive, domain="acme.example", registrar_account=value or REG)


def asks(house: House, what: str) -> Change:
    if what == "security":
        return do("clients.ask_contact", house.olive, client="acme")
    return do("domains.ask_contact", house.olive, domain="acme.example")


def row(what: str) -> tuple[datetime | None, datetime | None]:
    """(confirmed, asked again)."""
    if what == "security":
        client = the(Client, slug="acme")
        return client.security_confirmed_at, client.security_ask_at
    domain = the(Domain, name="acme.example")
    return domain.registrar_confirmed_at, domain.registrar_ask_at


def open_question(what: str) -> Invite:
    return the(Invite, vouches=what, used_at=None, ended_at=None)


def link(what: str) -> str:
    token, hashed = draw()
    made = kind("recovery_channels.issue", confirmation=str(open_question(what).pk))
    assert submit(made, actor=SYSTEM, why="x", secrets={"link": hashed}).version
    return f"/confirm/{token}"


def clicked(link: str) -> Any:
    browser = visitor()
    assert browser.get(link)["Location"] == "/confirm/"
    return browser, browser.get("/confirm/")


def found() -> list[Finding]:
    run.run(CONTACTS)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="contacts.unconfirmed", closed_at=None))


@pytest.mark.parametrize("what", WAYS)
def test_a_new_one_is_asked_at_once_by_the_clock_and_confirmed_by_a_button(house: House, what: str) -> None:
    named(house, what)
    assert row(what)[0] is None and row(what)[1] is not None
    asked = [change.kind for change in tick(timezone.now() + timedelta(seconds=2)) if change.version]
    assert f"{'clients' if what == 'security' else 'domains'}.ask_contact" in asked
    assert row(what) == (None, None)
    browser, page = clicked(link(what))
    said = unescape(page.content.decode())
    assert "read still?" in said and (SEC if what == "security" else REG) in said
    assert row(what)[0] is None, "looking changes nothing: mail scanners look too"
    assert "<script" not in said.partition("<main")[2]
    assert "another half year" in browser.post("/confirm/").content.decode()
    confirmed, again = row(what)
    assert confirmed and again and again - confirmed == 166 * DAY
    assert browser.post("/confirm/").status_code == 410, "it works once"


@pytest.mark.parametrize("what", WAYS)
def test_it_is_asked_again_two_weeks_before_half_a_year_is_over(
    house: House, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(house, what)
    asks(house, what)
    browser, _ = clicked(link(what))
    browser.post("/confirm/")
    name = f"{'clients' if what == 'security' else 'domains'}.ask_contact"

    again = row(what)[1]
    assert again is not None
    assert name not in [change.kind for change in tick(again - timedelta(seconds=1))]
    monkeypatch.setattr(pipeline.timezone, "now", lambda: again)
    assert name in [change.kind for change in tick(again) if change.version]
    assert row(what)[0] is not None and row(what)[1] is None, "it counts until half a year is over"


@pytest.mark.parametrize("what", WAYS)
def test_another_address_is_another_question_and_voids_the_link_of_the_one_before(house: House, what: str) -> None:
    named(house, what)
    asks(house, what)
    old = link(what)
    browser, _ = clicked(old)
    named(house, what, "other@home.test")
    assert browser.get("/confirm/").status_code == 410 and browser.post("/confirm/").status_code == 410
    assert row(what)[0] is None and row(what)[1] is not None


@pytest.mark.parametrize("what", WAYS)
def test_an_address_that_was_confirmed_counts_for_itself_alone(house: House, what: str) -> None:
    named(house, what)
    asks(house, what)
    browser, _ = clicked(link(what))
    browser.post("/confirm/")
    assert row(what)[0]
    with pytest.raises(NothingToDo):
        named(house, what)
    named(house, what, "other@home.test")
    assert row(what)[0] is None


def test_the_same_beside_another_field_is_not_asked_anew(house: House) -> None:
    named(house, "security")
    asks(house, "security")
    browser, _ = clicked(link("security"))
    browser.post("/confirm/")
    do("clients.change", house.olive, client="acme", security_contact=SEC, notes="y")
    assert row("security")[0]


@pytest.mark.parametrize("what", WAYS)
def test_asked_again_makes_the_question_before_void(house: House, what: str) -> None:
    named(house, what)
    asks(house, what)
    old = link(what)
    asks(house, what)
    assert clicked(old)[1].status_code == 410
    assert clicked(link(what))[1].status_code == 200


def test_what_is_no_mail_address_is_not_asked(house: House) -> None:
    named(house, "registrar", "ACME-4711")
    assert row("registrar") == (None, None)
    with pytest.raises(Problems, match="no mail address"):
        asks(house, "registrar")
    assert found() == []


def test_the_clock_that_comes_late_asks_nobody(house: House) -> None:
    named(house, "security")
    asks(house, "security")
    with pytest.raises(NothingToDo):
        do("clients.ask_contact", CLOCK, client="acme")


@pytest.mark.parametrize("what", WAYS)
def test_such_a_link_opens_nothing_else_and_stands_on_no_board(house: House, what: str) -> None:
    named(house, what)
    asks(house, what)
    one = open_question(what)
    for act in ("resend", "cancel"):
        with pytest.raises(Problems, match="no invite"):
            do(f"invites.{act}", house.olive, invite=str(one.pk))
    token = link(what).rpartition("/")[2]
    browser = visitor()
    browser.get(f"/invite/{token}")
    assert browser.get("/invite/").status_code == 410
    browser.get(f"/mailbox/recover/{token}")
    assert browser.get("/mailbox/recover/set/").status_code == 410
    said = visitor(house.olive).get("/invites/").content.decode()
    assert SEC not in said and REG not in said


@pytest.mark.parametrize("what", WAYS)
def test_the_letter_goes_to_the_address_itself(house: House, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: dict[str, EmailMessage] = {}

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed[to] = letter
        return Outcome([{"answer": "250"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    named(house, what)
    change = asks(house, what)
    with acting_as(SYSTEM):
        (delivery,) = Delivery.objects.filter(change=change, target="mail")
    attempt(change.pk, delivery)
    (letter,) = handed.values()
    assert list(handed) == [SEC if what == "security" else REG]
    text = letter.get_content()
    assert "/confirm/" in text and ("Acme" in text if what == "security" else "acme.example" in text)


# What it counts for


def test_nobody_says_so_is_a_finding_until_somebody_does(house: House) -> None:
    named(house, "security")
    named(house, "registrar")
    assert found() == [], "the clock is about to ask"
    asks(house, "security")
    asks(house, "registrar")
    assert found() == [], "it is asked"
    with acting_as(SYSTEM):
        rows = [Client.objects.get(slug="acme"), Domain.objects.get(name="acme.example")]
    late = list(contacts(rows, frozenset(), timezone.now()))
    assert [(one.severity, one.noun, one.kind) for one in late] == [
        ("medium", "clients", "clients.ask_contact"), ("medium", "domains", "domains.ask_contact")]  # fmt: skip
    for what in WAYS:
        browser, _ = clicked(link(what))
        browser.post("/confirm/")
    with acting_as(SYSTEM):
        rows = [Client.objects.get(slug="acme"), Domain.objects.get(name="acme.example")]
    assert list(contacts(rows, frozenset(), timezone.now() + 179 * DAY)) == []
    assert len(list(contacts(rows, frozenset(), timezone.now() + 181 * DAY))) == 2


def test_an_old_question_that_nobody_answered_counts_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    named(house, "security")
    asks(house, "security")
    monkeypatch.setattr(run.timezone, "now", lambda: datetime.now(UTC) + 15 * DAY)
    (one,) = found()
    assert (one.label, one.params) == ("acme", {"client": "acme"})
    assert CONTACTS.name == "contacts.unconfirmed"


def test_where_a_registrar_writes_to_is_greyed_until_it_is_confirmed(house: House) -> None:
    do("domains.change", house.olive, domain="acme.example", registrar="Names", registrar_holder="Boss",
       registrar_account="it@acme2.test")  # fmt: skip

    def line() -> Any:
        from api.conftest import Caller

        items = Caller(house.olive).get(f"/mailboxes/{MIA}/who-can-reset").json()["items"]
        return next(one for one in items if one["sort"] == "registrar")

    assert line()["counts"] == "no" and "nobody has confirmed" in line()["why"]
    page = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert "nobody has confirmed that it is read" in page and "does not count" in page
    asks(house, "registrar")
    browser, _ = clicked(link("registrar"))
    browser.post("/confirm/")
    assert line()["counts"] == "unknown", "who controls that domain is not known still"


@pytest.mark.parametrize(("url", "what"), [("/clients/acme/", "security"), ("/domains/acme.example/", "registrar")])
def test_its_page_says_whether_it_is_confirmed(house: House, url: str, what: str) -> None:
    named(house, what)
    assert "nobody has confirmed that it is read" in visitor(house.olive).get(url).content.decode()
    asks(house, what)
    browser, _ = clicked(link(what))
    browser.post("/confirm/")
    assert "nobody has confirmed that it is read" not in visitor(house.olive).get(url).content.decode()
