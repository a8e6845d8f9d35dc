"""Why something is asked for stands in the record as it was typed: what is too long is refused, and never cut."""

from __future__ import annotations

import pytest
from visitors import samples, visitor

from api.conftest import Caller
from cast import MIA, House, do, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Mailbox
from postroom.web import kind_form

LONG, MOST = "x" * 1001, "é" * 1000
SAID = "1,001 characters; at most 1,000"


def asked(house: House, why: str, step: str = "") -> tuple[int, str]:
    typed = {"row-0-mailbox": MIA, "why": why, "step": step}
    found = visitor(house.olive).post("/do/mailboxes.suspend/", typed)
    return found.status_code, found.content.decode()


def test_the_form_of_a_kind_says_so_at_its_field(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    status, page = asked(house, LONG)
    assert status == 422 and SAID in page and LONG in page, "what was typed stands there still"
    status, page = asked(house, MOST)
    assert status == 200 and "Nothing is changed yet" in page
    status, _ = asked(house, "x" * 500 + "\r\n" + "x" * 499)
    assert status == 200, "a browser sends a line end as two characters, and counts it as one"
    assert the(Mailbox, address__address=MIA).suspended_at is None
    monkeypatch.setattr(kind_form, "too_long", lambda _: "")
    assert asked(house, LONG)[0] == 200, "without the guard"


def test_every_other_form_changes_nothing_and_says_so(house: House) -> None:
    found = samples(house)
    do("mailboxes.remove", house.olive, mailbox=MIA)
    for path, who in (("withdraw/", house.olive), ("withdraw/", house.ada)):
        answer = visitor(who).post(f"/changes/{found['change']}/{path}", {"why": LONG})
        assert answer.status_code == 409 and SAID in answer.content.decode()
    with acting_as(SYSTEM):
        assert Change.objects.get(pk=found["change"]).stage == "held"


def test_the_api_says_so_at_its_place(house: House) -> None:
    olive = Caller(house.olive)
    answer = olive.change("mailboxes.suspend", {"mailbox": MIA}, why=LONG)
    assert (
        answer.status_code == 422 and answer.json()["errors"][0]["where"] == "why" and SAID in answer.content.decode()
    )
    assert olive.change("mailboxes.suspend", {"mailbox": MIA}, why=MOST).status_code == 200
    with acting_as(SYSTEM):
        assert Change.objects.get(kind="mailboxes.suspend").why == MOST
