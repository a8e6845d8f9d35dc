"""A critical finding is mailed to every owner once, and again and again until our submission has taken each letter."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings

from cast import House, do, the, together, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.models import Client, Finding
from postroom.posture.findings import Found, alarm, observed
from postroom.worker import alarms, mail
from postroom.worker.alarms import Alarms, tell

OWNER, SECOND = "owner@northlight.example", "olive@northlight.example"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What was handed in, by address; `refused` are not taken."""
    told: dict[str, list[Any]] = {"taken": [], "refused": []}

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        if to in told["refused"]:
            return Outcome(why=f"our own submission: 550 no {to}")
        told["taken"].append((to, letter))
        return Outcome(evidence=[{"answer": "250 2.0.0 Ok: queued as 4XyZ", "server": "127.0.0.1:587", "at": "now"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:587")
    return told


@pytest.fixture
def owned(house: House) -> House:
    with_consent(house, do("grants.give", house.oskar, person=SECOND, role="owner"))
    return house


def beat(alarming: Alarms) -> None:
    for work in alarming.due():
        work()


def broken(title: str = "Somebody opened the glass") -> Found:
    return Found("low", "clients", the(Client, slug="acme").pk, "acme", title, client=the(Client, slug="acme").pk)


def finding(**where: Any) -> Finding:
    with acting_as(SYSTEM):
        return Finding.objects.get(**where)


def test_every_owner_is_told_once(owned: House, sent: dict[str, list[Any]]) -> None:
    observed("t.not", [broken("not critical")])
    observed("t.not", [])
    alarm("t.glass", broken("Line one\r\nBcc: x@evil.example"))
    alarming = Alarms()
    for _ in range(3):
        beat(alarming)
    assert sorted(to for to, _ in sent["taken"]) == [SECOND, OWNER]
    letter = sent["taken"][0][1]
    assert letter["Subject"] == "A critical finding" and letter["Bcc"] is None
    with acting_as(SYSTEM):
        one = Finding.objects.get(severity="critical")
    text = letter.get_content()
    assert "  Line one Bcc: x@evil.example\n" in text and f"/findings/{one.pk}/" in text and "Client: Acme" in text
    assert one.told and set(one.told_to) == {OWNER, SECOND}
    assert one.told_to[OWNER]["answer"] == "250 2.0.0 Ok: queued as 4XyZ"
    alarm("t.glass", broken("Line one\r\nBcc: x@evil.example"))
    beat(alarming)
    assert len(sent["taken"]) == 2, "seen again is not told again"


def test_a_letter_that_is_not_taken_is_tried_again_and_holds_up_no_other(
    owned: House, sent: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent["refused"] = [SECOND]
    alarm("t.glass", broken())
    alarming = Alarms()
    beat(alarming)
    one = finding()
    assert [to for to, _ in sent["taken"]] == [OWNER] and one.told is None
    assert one.told_to[SECOND]["why"] == f"our own submission: 550 no {SECOND}"
    beat(alarming)
    assert len(sent["taken"]) == 1, "not at once again"
    sent["refused"] = []
    later = time.monotonic() + 11
    monkeypatch.setattr(alarms.time, "monotonic", lambda: later)
    beat(alarming)
    beat(alarming)
    assert [to for to, _ in sent["taken"]] == [OWNER, SECOND] and finding().told


def test_an_address_that_is_refused_keeps_no_later_alarm_from_anybody(
    owned: House, sent: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alarms that wait for one owner take no place from those that nobody was told of; the newest is told first."""
    sent["refused"] = [SECOND]
    alarming = Alarms()
    for count in range(alarms.AT_ONCE):
        alarm("t.glass", replace(broken(), cause=str(count)))
    beat(alarming)
    for cause in ("the next one", "the newest"):
        alarm("t.glass", replace(broken(f"It was {cause}"), cause=cause))
    beat(alarming)
    told = [letter.get_content() for to, letter in sent["taken"] if to == OWNER]
    assert len(told) == alarms.AT_ONCE + 2 == len(sent["taken"])
    assert "It was the newest" in told[-2] and "It was the next one" in told[-1]
    later = time.monotonic() + 11
    monkeypatch.setattr(alarms.time, "monotonic", lambda: later)
    alarm("t.glass", replace(broken("It came when all of them were due again"), cause="later"))
    assert alarms.untold()[0] == finding(title__startswith="It came").pk, "before those that are tried again"
    sent["refused"] = []
    for _ in range(2):
        beat(alarming)
    assert not alarms.untold() and not alarming.next, "told, none is kept in memory"


def test_two_workers_tell_one_owner_one_time(owned: House, sent: dict[str, list[Any]]) -> None:
    alarm("t.glass", broken())
    pk = finding().pk
    assert together(*[lambda: tell(pk, OWNER) for _ in range(5)]) == [None] * 5
    assert [to for to, _ in sent["taken"]] == [OWNER]


def test_what_is_accepted_is_not_told_and_what_went_again_is(owned: House, sent: dict[str, list[Any]]) -> None:
    alarm("t.glass", broken())
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    held = do("findings.accept", owned.olive, finding=str(finding().pk), reason="a drill", until=until)
    with_consent(owned, held)
    beat(Alarms())
    assert sent["taken"] == []
    do("findings.reopen", owned.olive, finding=str(finding().pk))
    observed("t.glass", [])
    beat(Alarms())
    assert len(sent["taken"]) == 2 and "Gone:" in sent["taken"][0][1].get_content()


def test_without_an_owner_its_postmaster_is_told(
    house: House, sent: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "active_owners", lambda now: [])
    alarm("t.glass", broken())
    beat(Alarms())
    assert [to for to, _ in sent["taken"]] == ["postmaster@northlight.example"] and finding().told


def test_without_a_submission_server_it_stays_untold_and_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", None)
    alarm("t.glass", broken())
    beat(Alarms())
    assert finding().told is None and finding().told_to[OWNER]["why"] == alarms.NO_SUBMISSION
