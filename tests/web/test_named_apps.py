"""The operator's page of mail apps: which may ask, how each is known, whom it is let into, and its end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_doing import page

from cast import MIA, House, do, let_in, redeemed, the
from postroom.models import MailApp
from web.visitors import visitor

OTHER = "mia@globex.example"


@pytest.fixture
def apps(house: House) -> House:
    """One on two devices of a mailbox and on one of another client's; one that nobody let in yet."""
    for address in (MIA, OTHER):
        do("invites.send", house.olive, mailbox=address, contact="m@home.test")
        redeemed(address)
    for address, name in ((MIA, "Laptop"), (MIA, "Phone"), (OTHER, "Desk")):
        let_in(house, address, name, app="Thunderbird")
    do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=["org.birdmail.app:/back"])
    return house


def row(who: Any, name: str, query: str = "") -> str:
    """What stands in the row of an app; empty where there is none."""
    rows = re.findall(r"<tr.*?</tr>", page(visitor(who).get(f"/mail-apps/{query}")), re.S)
    return next((" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in rows if name in one), "")


def test_how_each_is_known_and_whom_it_is_let_into(apps: House) -> None:
    bird, thunder = (the(MailApp, name=name) for name in ("Birdmail", "Thunderbird"))
    assert str(bird.pk) in row(apps.oskar, "Birdmail") and "org.birdmail.app:/back" in row(apps.oskar, "Birdmail")
    assert "no mailbox you may see" in row(apps.oskar, "Birdmail") and "may ask" in row(apps.oskar, "Birdmail")
    assert "2 mailboxes of 2 clients" in row(apps.oskar, "Thunderbird"), "a mailbox counts once, whatever its devices"
    assert f"/do/mail_apps.end/?mail_app={thunder.pk}" in page(visitor(apps.oskar).get("/mail-apps/"))


def test_a_clients_admin_counts_at_that_client_alone(apps: House) -> None:
    assert "1 mailbox of 1 client" in row(apps.carl, "Thunderbird")
    assert "/do/mail_apps" not in page(visitor(apps.carl).get("/mail-apps/")), "it is the organization's to name them"


def test_the_plan_of_its_end_says_what_goes_with_it_at_other_clients(apps: House) -> None:
    form = {"mail_app": str(the(MailApp, name="Thunderbird").pk), "why": "nobody looks after it"}
    plan = page(visitor(apps.oskar).post("/do/mail_apps.end/", form))
    assert "signed out of every mailbox it was let into" in plan and "Other clients: nothing" not in plan
    assert "other mail apps: each lets in as before" in plan


def test_one_that_was_ended_is_listed_apart(apps: House) -> None:
    do("mail_apps.end", apps.oskar, mail_app="Birdmail")
    assert not row(apps.oskar, "Birdmail")
    ended = row(apps.oskar, "Birdmail", "?state=removed")
    assert "ended" in ended and "End…" not in ended


def test_it_is_found_by_its_name_and_reached_from_the_mailboxes(apps: House) -> None:
    assert row(apps.oskar, "Birdmail", "?q=BIRDM") and not row(apps.oskar, "Thunderbird", "?q=birdm")
    assert "No mail app like that" in page(visitor(apps.oskar).get("/mail-apps/?q=nothing"))
    assert 'href="/mail-apps/"' in page(visitor(apps.olive).get("/mailboxes/"))


def test_before_there_is_one_the_page_says_what_it_is(house: House) -> None:
    said = page(visitor(house.oskar).get("/mail-apps/"))
    assert "No mail app yet" in said and "/do/mail_apps.add/" in said
