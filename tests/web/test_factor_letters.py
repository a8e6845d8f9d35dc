"""Whoever has a second factor added, taken away or their recovery codes made anew is told of it by mail, at once."""

from __future__ import annotations

import time
from typing import Any

import pyotp
import pytest
from test_sign_in import enrol
from visitors import PASSWORD, login, visitor

from cast import House, do, reasons
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Change, Delivery, Letter, RecordedEdit
from postroom.worker import mail

OLIVE, NEW = "olive@northlight.example", "olive@home.test"
SAYS = ("factor added", "factor removed", "codes made")


def told() -> list[tuple[str, str, str]]:
    """(what it says, to whom, of what), oldest first."""
    with acting_as(SYSTEM):
        found = Letter.objects.filter(says__in=SAYS).order_by("id")
        return sorted((one.says, one.contact, one.about) for one in found)


@pytest.fixture
def here(house: House) -> Any:
    """Olive, with her password alone, from an address of her own."""
    login(house.olive, PASSWORD)
    browser = visitor(REMOTE_ADDR="192.0.2.44")
    browser.post("/sign-in/", {"login": OLIVE, "password": PASSWORD})
    return browser


def text_of(says: str) -> tuple[str, str]:
    """Subject and words of such a letter, as its writer in the registry has them."""
    with acting_as(SYSTEM):
        letter = Letter.objects.filter(says=says).latest("id")
        made = Delivery.objects.select_related("change").get(object=letter.pk).change
    written = mail.LETTERS[says](letter, made)
    return str(written["Subject"]), " ".join(str(written.get_content()).split())  # type: ignore[index, union-attr]


def test_what_is_added_is_told_with_where_from(here: Any) -> None:
    secret = enrol(here)
    assert told() == [("codes made", OLIVE, "recovery codes, from 192.0.2.44"),
                      ("factor added", OLIVE, "an authenticator app, from 192.0.2.44")]  # fmt: skip
    subject, text = text_of("factor added")
    assert subject == "A second factor was added to your sign-in"
    assert "an authenticator app, from 192.0.2.44" in text and "sign-in of Olive" in text and "not you" in text
    with acting_as(SYSTEM):
        rows = str(list(RecordedEdit.objects.filter(table="letters").values()))
        changes = Change.objects.filter(kind="people.tell_of_factor")
        assert {one.actor for one in changes} == {"system"} and changes.count() == 2
        assert Delivery.objects.filter(change__in=changes, target="mail").count() == 2, "handed to our submission"
    assert secret not in rows + text


def test_what_is_taken_away_and_codes_made_anew_are_told(here: Any) -> None:
    secret = enrol(here)
    proof = {"code": pyotp.TOTP(secret).at(time.time() + 30), "next": "/"}
    here.post("/account/2fa/reauthenticate/", proof)
    before = told()
    assert here.post("/account/2fa/recovery-codes/generate/").status_code == 302
    anew = ("codes made", OLIVE, "recovery codes, from 192.0.2.44")
    assert told().count(anew) == before.count(anew) + 1
    assert "those from before, if there were any, are void" in text_of("codes made")[1]
    assert here.post("/account/2fa/totp/deactivate/").status_code == 302
    gone = ("factor removed", OLIVE, "an authenticator app, from 192.0.2.44")
    assert gone in told() and "taken away" in text_of("factor removed")[0]


def test_an_address_that_moved_lately_is_told_too(here: Any, house: House) -> None:
    """Whoever moves it first, and then sets up a factor of their own, is seen by whose it was."""
    assert (moved := do("people.change", house.oskar, person=OLIVE, email=NEW)).version, reasons(moved)
    enrol(here)
    assert [contact for says, contact, _ in told() if says == "factor added"] == [NEW, OLIVE]


def test_no_freeze_keeps_it_from_whom_it_is_for(here: Any, house: House) -> None:
    assert do("freezes.start", house.oskar, scope="organization", reason="stop").version
    enrol(here)
    assert [says for says, _, _ in told()] == ["codes made", "factor added"]


def test_nobody_asks_for_such_a_letter_by_any_door() -> None:
    assert KINDS["people.tell_of_factor"].by == {"system"}
