"""Where the owner of a mailbox reads that its mail goes on, to where and until when, and what of that is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from cast import House, agreed, do, the, with_consent
from mailbox_owner import LEO, owner
from postroom.models import Forward, Mailbox

MIA, HOME = "mia@acme.example", "mia@home.test"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def page(browser: Client) -> str:
    return str(browser.get("/mailbox/").content.decode())


def passed_on(house: House, **more: Any) -> None:
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=HOME, until=later(), owner="Mia", **more))


def test_its_owner_reads_where_mail_goes_on_to_and_until_when(house: House, mia: Mailbox) -> None:
    browser = owner()
    assert "Nothing passes your mail on" in page(browser)
    passed_on(house)
    text = page(browser)
    until = the(Forward).until
    assert HOME in text and f"until {until:%-d %b}" in text.replace("&nbsp;", " ") and "a copy stays here" in text
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    assert "disabled: nothing goes there now" in page(browser)
    do("forwards.end", house.olive, forward=str(the(Forward).pk))
    assert "a filter of yours may send mail there" in page(browser), "its exception stands"


def test_what_is_new_of_it_is_asked_of_its_owner_and_what_brings_mail_is_shown(house: House, mia: Mailbox) -> None:
    browser = owner()
    do("mailboxes.create", house.olive, address=LEO)
    assert "Mail is passed on to another address" not in page(browser)
    passed_on(house, keep_copy=False)
    front = page(browser)
    assert "your mail goes there, not here" in front and "do you know" in front
    assert "Mail is passed on to another address" in browser.get("/mailbox/recent/").content.decode()
    assert LEO not in front
    agreed(house, do("forwards.create", house.olive, address=LEO, to=MIA, until=later()))
    do("domains.add", house.olive, client="acme", name="acme.test")
    agreed(house, do("domains.set_alias", house.olive, domain="acme.test", of="acme.example"))
    agreed(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    found = page(browser)
    for one in (LEO, "mia@acme.test", "leo@acme.test", "@acme.example"):
        assert one in found


def test_of_another_mailbox_an_owner_reads_nothing(house: House, mia: Mailbox) -> None:
    browser = owner()
    do("mailboxes.create", house.olive, address=LEO)
    asked = {"address": LEO, "to": "leo@away.test", "until": later(), "owner": "Leo"}
    with_consent(house, do("forwards.create", house.olive, **asked))
    text = page(browser)
    assert "leo@away.test" not in text and "Nothing passes your mail on" in text
