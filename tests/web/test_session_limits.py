"""A sign-in ends: after a day, after an hour without a click, by its owner's hand, with its person; an entry each."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from test_sign_in import told
from visitors import visitor

from cast import House, do
from postroom.access.acting import SYSTEM, session_of


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """It goes on by the hand of the test alone: a slow machine adds nothing."""
    moved, now = SimpleNamespace(by=0.0), time.time()
    monkeypatch.setattr("postroom.web.session_limits.time", SimpleNamespace(time=lambda: now + moved.by))
    return moved


def works(browser: Any, **headers: str) -> bool:
    answer = browser.get("/clients/", headers=headers or None)
    return answer.status_code == 200 or not answer["Location"].startswith("/sign-in/?next=")


def test_an_operator_is_asked_again_after_an_hour_without_a_click(house: House, clock: SimpleNamespace) -> None:
    olive, carl = visitor(house.olive), visitor(house.carl)
    assert works(olive)
    for minutes in (59, 118, 177):
        clock.by = minutes * 60
        assert works(olive), "each click counts"
    clock.by += 50 * 60
    assert works(olive, HX_Request="true"), "what a page asks for by itself"
    clock.by += 11 * 60
    assert not works(olive) and "_auth_user_id" not in olive.session, "is no click"
    assert told("session ended")[-1]["because"] == "nothing was done for 60 minutes"
    assert works(carl), "a client admin is asked after a day"


def test_nobody_stays_for_more_than_a_day(house: House, clock: SimpleNamespace) -> None:
    olive, carl = visitor(house.olive), visitor(house.carl)
    for half_hours in range(47):
        clock.by = half_hours * 1800
        assert works(olive)
    clock.by = 86_390 - 1
    assert works(olive) and works(carl)
    clock.by = 86_401
    assert not works(olive) and not works(carl)
    assert told("session ended")[-1]["because"] == "24 hours are over"


def test_ones_own_sessions_are_listed_and_ended_one_or_all(house: House) -> None:
    here = visitor(house.olive, headers={"user-agent": "Firefox here"})
    there = visitor(house.olive, headers={"user-agent": "Safari <there>"})
    third, stranger = visitor(house.olive), visitor(house.ada)
    until = timezone.now() + timedelta(hours=1)
    opened = {"person": "olive@northlight.example", "mfa": "x", "until": until, "label": "olive at laptop"}
    do("sessions.open", SYSTEM, secrets={"session": "5" * 64}, **opened)
    assert works(here) and works(there) and works(third) and works(stranger)
    page = here.get("/account/sessions/").content.decode()
    for said in ("Firefox here", "Safari &lt;there&gt;", "127.0.0.1", "last seen", "olive at laptop", "This one"):
        assert said in page
    buttons = page.split('name="browser" value="')[1:]
    assert len(buttons) == 2, "the one that looks has no button"
    assert here.post("/account/sessions/", {"browser": buttons[0].partition('"')[0]}).status_code == 302
    assert works(here) and [works(there), works(third)].count(True) == 1
    terminal = page.split('name="terminal" value="')[1].partition('"')[0]
    stranger.post("/account/sessions/", {"terminal": terminal})
    assert session_of("5" * 64), "not theirs"
    here.post("/account/sessions/", {"terminal": terminal})
    assert session_of("5" * 64) is None
    here.post("/account/sessions/")
    assert works(here) and works(stranger) and not works(there) and not works(third)
    assert [one["person"] for one in told("session ended")] == [str(house.olive.person)] * 2
    assert "no other session" in here.get("/account/sessions/").content.decode()


def test_a_suspended_persons_session_is_dead_at_once_and_that_is_an_entry(house: House) -> None:
    olive = visitor(house.olive)
    assert works(olive)
    do("people.suspend", house.oskar, person="olive@northlight.example")
    assert not works(olive) and told("session ended")[-1]["because"] == "suspended or removed"
    do("people.resume", house.oskar, person="olive@northlight.example")
    assert not works(olive)


def test_a_browser_that_was_open_before_a_suspension_is_asked_again_after_it(house: House, sql: Any) -> None:
    """It need not have come while its person was suspended."""
    olive = visitor(house.olive)
    assert works(olive)
    for act in ("suspend", "resume"):
        assert do(f"people.{act}", house.oskar, person="olive@northlight.example").version
    assert not works(olive) and told("session ended")[-1]["because"] == "ended by somebody, suspended or removed since"
    again = visitor(house.olive)
    assert works(again), "who signs in anew is in"
    for act in ("suspend", "resume"):
        assert do(f"people.{act}", house.oskar, person="olive@northlight.example").version
    never = "CREATE OR REPLACE FUNCTION postroom_stopped(who uuid) RETURNS timestamptz"
    sql(f"{never} STABLE LANGUAGE sql RETURN NULL::timestamptz")
    assert works(again), "without the guard it would go on"
