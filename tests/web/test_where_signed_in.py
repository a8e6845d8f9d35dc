"""Browsers and terminals that are open now, of a mailbox's owner and of a person: to who may look, and no ended one."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from visitors import visitor

from api.conftest import Caller
from cast import MIA, House, do, person, the
from mailbox_owner import dovecot, mia, mx1, owner, taken
from postroom.access.acting import SYSTEM, acting_as, session_of
from postroom.access.devices import begin
from postroom.changes.approvals import undo
from postroom.changes.errors import ChangeError
from postroom.models import ApiSession, Change, Mailbox
from postroom.queries.sessions import BEGAN, SEEN, of_mailbox
from sign_ins import listed

__all__ = ["dovecot", "mia", "mx1"]
ADA = "ada@northlight.example"


def page(by: Any, address: str) -> str:
    answer = visitor(by).get(address)
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def browsers(by: Any, address: str = MIA) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Caller(by).get(f"/mailboxes/{address}/sessions").json()["browsers"]
    return found


def here(house: House, *, ip: str = "192.0.2.44", by: str = "ada") -> Client:
    """Signed in at the pages, with one click made."""
    browser = visitor(getattr(house, by), REMOTE_ADDR=ip, HTTP_USER_AGENT="Firefox of tests")
    assert browser.get("/clients/").status_code == 200
    return browser


def open_of(by: Any, email: str = ADA) -> dict[str, Any]:
    found: dict[str, Any] = Caller(by).get(f"/people/{email}").json()["sessions"]
    return found


def test_browsers_of_an_owner_are_listed_beside_mail_programs(house: House, mia: Mailbox) -> None:
    assert browsers(house.olive) == []
    owner()
    (one,) = browsers(house.olive)
    assert (one["sort"], one["address"]) == ("browser", "127.0.0.1") and one["since"] and "id" not in one
    shown = page(house.olive, f"/mailboxes/{MIA}/")
    assert "These pages 127.0.0.1 not known" in shown
    assert "unknown which mail programs are signed in now" in shown
    listed()
    shown = page(house.olive, f"/mailboxes/{MIA}/")
    assert "No mail program is signed in: as listed at" in shown and "Nobody is signed in" not in shown
    assert browsers(house.olive, "mia@globex.example") == []


@pytest.mark.parametrize("how", ["ended", "mailbox suspended", "client suspended", "a day is over"])
def test_one_that_would_not_be_let_in_is_none(house: House, mia: Mailbox, mx1: Any, how: str) -> None:
    browser = owner()
    if how == "ended":
        do("mailboxes.end_sessions", house.olive, mailbox=MIA)
    elif how == "mailbox suspended":
        do("mailboxes.suspend", house.olive, mailbox=MIA)
    elif how == "client suspended":
        done = do("clients.suspend", house.oskar, client="acme")
        assert done.version, done.verdicts
    else:
        session = browser.session
        session[BEGAN] = time.time() - 400 * 24 * 3600
        session.save()
    taken(mx1)
    with acting_as(house.olive):
        assert of_mailbox(mia.pk) == []
    assert browser.get("/mailbox/").status_code == 302, "as the door says"


def test_where_a_person_is_signed_in_stands_on_their_page(house: House) -> None:
    assert open_of(house.oskar) == {"known": True, "items": []}
    assert "Where this person is signed in Nowhere." in page(house.oskar, f"/people/{ADA}/")
    here(house)
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "7" * 64}, person=ADA, label="laptop", mfa="x", until=until)
    first, second = open_of(house.oskar)["items"]
    assert (first["sort"], first["address"], first["program"]) == ("browser", "192.0.2.44", "Firefox of tests")
    terminal = the(ApiSession, person__email=ADA)
    assert (second["sort"], second["program"], second["id"]) == ("terminal", "laptop", str(terminal.pk))
    shown = visitor(house.olive).get(f"/people/{ADA}/").content.decode()
    assert "192.0.2.44" in shown and f"/do/sessions.end/?session={terminal.pk}" in shown
    assert do("sessions.end", house.olive, session=str(terminal.pk)).version
    assert [one["sort"] for one in open_of(house.oskar)["items"]] == ["browser"]


@pytest.mark.parametrize("how", ["suspended", "suspended and back", "a day is over", "an hour without a click"])
def test_a_persons_that_would_not_be_let_in_is_none(house: House, how: str) -> None:
    browser = here(house)
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "7" * 64}, person=ADA, label="laptop", mfa="x", until=until)
    assert len(open_of(house.oskar)["items"]) == 2
    if "suspended" in how:
        do("people.suspend", house.oskar, person=ADA)
    if "back" in how:
        do("people.resume", house.oskar, person=ADA)
    if "suspended" not in how:
        session, ago = browser.session, 400 * 24 * 3600 if "day" in how else 2 * 3600
        session[BEGAN if "day" in how else SEEN] = time.time() - ago
        session.save()
    left = [one["sort"] for one in open_of(house.oskar)["items"]]
    assert left == ([] if "suspended" in how else ["terminal"])
    answer = browser.get("/clients/")
    assert answer.status_code == 302 and "sign-in" in answer["Location"], "as the door says"


BROWSER, TERMINAL = "browser", "terminal"


def signed_in_twice(house: House) -> Client:
    browser = here(house)
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "7" * 64}, person=ADA, label="laptop", mfa="x", until=until)
    assert [one["sort"] for one in open_of(house.oskar)["items"]] == [BROWSER, TERMINAL] and session_of("7" * 64)
    return browser


def gone(house: House, browser: Client) -> None:
    assert open_of(house.oskar) == {"known": True, "items": []} and session_of("7" * 64) is None
    answer = browser.get("/clients/")
    assert answer.status_code == 302 and "sign-in" in answer["Location"], "the browser is signed out at its next step"
    assert here(house).get("/clients/").status_code == 200, "and who signs in anew is in"


def test_all_of_a_persons_sessions_end_by_one_button_and_that_is_an_entry(house: House) -> None:
    browser, oskar = signed_in_twice(house), visitor(house.oskar)
    asked = f"/do/sessions.end/?person={ADA}"
    assert asked in unescape(oskar.get(f"/people/{ADA}/").content.decode())
    assert ADA in oskar.get(asked).content.decode()
    plan = oskar.post("/do/sessions.end/", {"person": ADA, "why": "her laptop was stolen", "ticket": ""})
    text = plan.content.decode()
    assert plan.status_code == 200 and "Nothing is changed yet" in text and "all end" in text, text[-3000:]
    form = text.split('aria-labelledby="h-send"')[1].split("</form>")[0]
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    assert oskar.post("/do/sessions.end/", {n: unescape(v) for n, v in hidden}).status_code == 302
    with acting_as(SYSTEM):
        change = Change.objects.get(kind="sessions.end")
    assert change.version and change.why == "her laptop was stolen"
    gone(house, browser)


def test_by_the_api_too_and_nobody_else_is_signed_out(house: House) -> None:
    browser, other = signed_in_twice(house), here(house, by="olive")
    body = {"kind": "sessions.end", "params": {"person": ADA}, "why": "stolen"}
    assert Caller(house.olive).post("/changes", body).status_code in (200, 202)
    gone(house, browser)
    assert other.get("/clients/").status_code == 200


def asked_for(browser: Client) -> str:
    """The code of a terminal to which somebody in this browser said yes; it has not asked for its session yet."""
    code, typed, _ = begin("a terminal")
    assert b"Signed in" in browser.post("/device/", {"code": typed, "sure": "yes"}).content
    return code


def collected(code: str) -> tuple[int, str | None]:
    answer = visitor().post("/api/v1/device/token", {"device_code": code}, content_type="application/json")
    return answer.status_code, answer.json().get("error")


@pytest.mark.parametrize("how", ["ended", "suspended", "suspended and back"])
def test_a_terminal_confirmed_before_gets_no_session_after(house: House, how: str) -> None:
    """Whoever has a stolen browser says yes to a terminal of theirs first: it would open a session of twelve hours."""
    code = asked_for(here(house))
    if how == "ended":
        assert do("sessions.end", house.oskar, person=ADA).version
    else:
        do("people.suspend", house.oskar, person=ADA)
    if "back" in how:
        do("people.resume", house.oskar, person=ADA)
    assert collected(code) == (400, "expired_token"), "void, as the browser is"
    assert open_of(house.oskar) == {"known": True, "items": []}
    if how != "suspended":
        assert collected(asked_for(here(house))) == (200, None), "one that is begun anew is good"


def test_an_undo_opens_none_of_it_again_and_both_or_neither_is_refused(house: House) -> None:
    browser = signed_in_twice(house)
    change = do("sessions.end", house.oskar, person=ADA)
    with pytest.raises(ChangeError):
        undo(change.pk, actor=house.oskar, why="a mistake")
    gone(house, browser)
    for wrong in ({}, {"person": ADA, "session": str(the(ApiSession, person__email=ADA).pk)}):
        with pytest.raises(ChangeError, match="either one session, or the person"):
            do("sessions.end", house.oskar, **wrong)


def test_who_stands_below_ends_none_of_it(house: House) -> None:
    refused = do("sessions.end", house.olive, person="owner@northlight.example")
    assert refused.stage == "refused" and "stands above you" in str(refused.verdicts)


def test_at_the_same_time_the_record_says_it_or_nothing_ends(house: House, sql: Any) -> None:
    """With the line out of the guard's reading, the browser would go on."""
    browser = signed_in_twice(house)
    (body,) = sql("SELECT pg_get_functiondef('postroom_stopped'::regproc)")[0]
    line = "OR ((e.after ->> 'access_epoch'::text) IS NOT NULL)"
    assert line in body
    sql(body.replace(line, ""))
    do("sessions.end", house.oskar, person=ADA)
    assert browser.get("/clients/").status_code == 200


def test_who_may_not_look_at_all_of_it_is_told_so(house: House) -> None:
    """Terminals are the organization's: the admin of a client reads of nobody that they have none."""
    do("people.invite", house.oskar, name="Clara", email="clara@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="clara@acme.example", role="client viewer", client="acme")
    assert given.version, given.verdicts
    clara = person("clara@acme.example", house.oskar)
    browser = visitor(clara, REMOTE_ADDR="192.0.2.55")
    assert browser.get("/clients/acme/").status_code == 200
    assert [one["address"] for one in open_of(house.oskar, "clara@acme.example")["items"]] == ["192.0.2.55"]
    assert open_of(house.carl, "clara@acme.example") == {"known": False, "items": None}
    assert "192.0.2.55" not in page(house.carl, "/people/clara@acme.example/")


def test_the_page_asks_as_often_however_many_there_are(house: House) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = set()
    looks = visitor(house.oskar)
    looks.get(f"/people/{ADA}/")  # the first look of the hour is recorded besides
    for n in range(3):
        here(house, ip=f"192.0.2.{n + 1}")
        with CaptureQueriesContext(connection) as found:
            assert looks.get(f"/people/{ADA}/").status_code == 200
        counts.add(len(found))
    assert len(counts) == 1, counts


def test_an_address_with_a_plus_is_asked_for_as_it_is(house: House) -> None:
    do("people.invite", house.oskar, name="Pia", email="pia+work&more@home.test")
    page = unescape(visitor(house.oskar).get("/people/pia+work&more@home.test/").content.decode())
    (asked,) = set(re.findall(r'"(/do/people\.suspend/\?[^"]+)"', page))
    assert 'value="pia+work&more@home.test"' in unescape(visitor(house.oskar).get(asked).content.decode())
