"""Where the owner of a mailbox reads that its mail goes on, to where and until when, and what of that is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from cast import House, agreed, at, do, the, with_consent
from mailbox_owner import LEO, owner
from postroom.models import Forward, Mailbox
from routed import looked, script

MIA, HOME = "mia@acme.example", "mia@home.test"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def page(browser: Client) -> str:
    return str(browser.get("/mailbox/").content.decode())


def passed_on(house: House, **more: Any) -> None:
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=HOME, until=later(), owner="Mia", **more))


def test_its_owner_reads_where_mail_goes_on_to_and_until_when(house: House, mia: Mailbox) -> None:
    browser = owner()
    assert "No forward passes your mail on" in page(browser) and "what your filters pass on" in page(browser)
    looked()
    assert "Nothing passes your mail on" in page(browser)
    passed_on(house)
    text = page(browser)
    until = the(Forward).until
    assert HOME in text and f"until {until:%-d %b}" in text.replace("&nbsp;", " ") and "a copy stays here" in text
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    assert "disabled: nothing goes there now" in page(browser)
    do("forwards.end", house.olive, forward=str(the(Forward).pk))
    assert "a filter of yours may send mail there" not in page(browser), "its exception ended with it"
    asked = {"address": MIA, "target": HOME, "owner": "Mia", "until": later()}
    with_consent(house, do("exceptions.create", house.olive, **asked))
    assert "a filter of yours may send mail there" in page(browser)


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
    looked()
    text = page(browser)
    assert "leo@away.test" not in text and "Nothing passes your mail on" in text


def test_a_filter_that_was_uploaded_passes_mail_on_and_stands_there(house: House, mia: Mailbox) -> None:
    browser = owner()
    do("mailboxes.create", house.olive, address=LEO)
    looked(at=timezone.now() + timedelta(seconds=1))
    script(MIA, {"to": LEO, "copy": True}, {"to": "spy@evil.example"})
    text = page(browser)
    assert "Nothing passes your mail on" not in text
    assert "by your filter: your mail goes there, to a colleague, and a copy stays here" in text
    assert "by your filter: the mail server sends nothing there, and that mail stays here" in text
    filters = browser.get("/mailbox/filters/").content.decode()
    assert "your mail goes there, to a colleague" in filters and "only while an exception lets it" not in filters
    with at(timezone.now() + timedelta(minutes=6)):
        assert "what your filters pass on" in page(browser), "its node is silent: unknown, and never none"


def test_an_address_lands_here_only_if_its_mail_does(house: House, mia: Mailbox) -> None:
    """An alias leads to hers, and a forward without a copy leads on; and one whose mail goes round and never lands."""
    browser = owner()
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[MIA, LEO])
    looked(at=timezone.now() + timedelta(seconds=1))
    assert "mail to it lands here, and at 1 more" in page(browser)
    agreed(house, do("forwards.create", house.olive, address=MIA, to=LEO, until=later(), keep_copy=False))
    text = page(browser)
    assert "it leads here, but its mail does not land here" in text and "mail to it lands here" not in text
    do("forwards.end", house.olive, forward=str(the(Forward).pk))
    script(MIA, name="all", discards="always")
    assert "it leads here, but its mail does not land here" in page(browser)
