"""A letter to whoever runs the service names nothing of a client that closed itself; its own people read it whole."""

from __future__ import annotations

import pytest

from cast import MIA, House, do, the, waits
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kinds.people import MOVED
from postroom.models import Change, Client, Domain, Finding, Letter
from postroom.posture.findings import Found, observed
from postroom.web.told import told
from postroom.worker import alarms, letters

WORDS = ("mia", "acme.example", "sold", "plainly")


def closes(house: House) -> None:
    assert do("access.suspend", house.carl, client="acme").version


def critical(house: House) -> Finding:
    zone = the(Domain, name="acme.example")
    observed("t.closed", [Found("critical", "domains", zone.pk, zone.name, f"The zone of {zone.name} is plainly gone",
                                client=zone.client_id, domain=zone.pk)])  # fmt: skip
    with acting_as(SYSTEM):
        return Finding.objects.select_related("client").get(check_name="t.closed")


def names(text: str) -> list[str]:
    return [word for word in WORDS if word in text.lower()]


def test_an_alarm_says_that_there_is_something_and_not_what(house: House) -> None:
    found = critical(house)
    with acting_as(SYSTEM):
        assert names(alarms.letter(found).get_content()) == ["acme.example", "plainly"], "while it is open"
    closes(house)
    with acting_as(SYSTEM):
        found.client = Client.objects.get(slug="acme")
        text = alarms.letter(found).get_content()
    assert names(text) == [] and alarms.SHUT in text and "Acme" in text


@pytest.fixture
def asked(house: House) -> Change:
    change = waits("mailboxes.suspend", house.carl, mailbox=MIA)
    with acting_as(SYSTEM):
        Change.objects.filter(pk=change.pk).update(why="the branch is sold")
        return Change.objects.select_related("proposer", "client", "undoes").get(pk=change.pk)


def said(change: Change, to: str) -> str:
    with acting_as(SYSTEM):
        fresh = Change.objects.select_related("proposer", "client", "undoes").get(pk=change.pk)
        return str(vars(told(fresh, SYSTEM, to=to)))


def test_a_notice_names_the_client_alone(house: House, asked: Change) -> None:
    owner = "owner@northlight.example"
    assert "mia" in said(asked, owner) and "sold" in said(asked, owner)
    closes(house)
    assert names(said(asked, owner)) == [] and "Acme" in said(asked, owner)
    assert "mia" in said(asked, "carl@northlight.example"), "whoever asked for it reads what they asked for"


def test_that_somebody_of_it_moved_is_told_without_a_name(house: House) -> None:
    do("people.invite", house.oskar, name="Amy Plainly", email="amy@acme.example", client="acme")
    made = do("people.change", house.oskar, person="amy@acme.example", email="amy2@acme.example")
    assert made.version
    closes(house)
    with acting_as(SYSTEM):
        letter = Letter.objects.get(contact="amy@acme.example", says=MOVED)
    assert "Amy Plainly" in letters.told(letter, made).get_content()
    letter.contact = "owner@northlight.example"
    text = letters.told(letter, made).get_content().replace("amy@acme.example", "", 1)
    assert "Plainly" not in text and "amy2" not in text and "somebody of Acme" in text
