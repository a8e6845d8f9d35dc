"""A lost sign-in comes back by a mailed link and a second proof, never by one alone; and everybody hears of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from test_sign_in import enrol, told
from visitors import PASSWORD, login, visitor

from cast import POSTMASTER, House, again, do, kind, reasons, the, tick
from postroom.access.acting import SYSTEM, Actor, NoSuchLink, acting_as, session_of, token_of
from postroom.access.tokens import draw, hashed
from postroom.changes.approvals import approve
from postroom.changes.errors import NotAllowed, Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Device, Due, Invite, Letter, Login

OLIVE, OWNER = "olive@northlight.example", "owner@northlight.example"
NEW = "another few plain words"


@pytest.fixture
def secret(house: House) -> str:
    """Olive's authenticator app."""
    login(house.olive, PASSWORD)
    browser = visitor()
    browser.post("/sign-in/", {"login": OLIVE, "password": PASSWORD})
    made = enrol(browser)
    with acting_as(SYSTEM):
        Login.objects.update(changed_at=datetime.now(UTC) - timedelta(hours=1))
    return made


def mailed(email: str = OLIVE, *, recovers: str = "password", ask: bool = True) -> str:
    """The link that the worker would mail: asked for at the page, drawn as it draws it."""
    if ask:
        assert visitor().post("/recover/", {"email": email}).status_code == 200
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        found = Invite.objects.filter(person__email=email, recovers=recovers, used_at=None, ended_at=None)
        invite = found.latest("id")
    token, kept = draw()
    change = submit(
        kind("people.issue_recovery", recovery=str(invite.pk)), actor=SYSTEM, why="x", secrets={"link": kept}
    )
    assert change.version, reasons(change)
    return f"/recover/{token}"


def opened(link: str) -> Any:
    browser = visitor()
    assert browser.get(link)["Location"] == "/recover/set/"
    return browser


def signs_in(password: str, code: str) -> bool:
    browser = visitor()
    browser.post("/sign-in/", {"login": OLIVE, "password": password})
    return bool(browser.post("/sign-in/factor/", {"code": code}).get("Location") == "/")


def letters(says: str) -> list[str]:
    with acting_as(SYSTEM):
        return list(Letter.objects.filter(says=says).order_by("contact").values_list("contact", flat=True))


def test_every_address_is_answered_alike_with_the_same_work(house: House, secret: str) -> None:
    do("people.suspend", house.oskar, person="henry@northlight.example")
    pages, counts = set(), set()
    for email in (OLIVE, "nobody@northlight.example", "henry@northlight.example", "ada@northlight.example"):
        with CountQueries() as queries:
            answer = visitor().post("/recover/", {"email": email})
        pages.add((answer.status_code, answer.content.decode()))
        counts.add(queries.count)
    assert len(pages) == 1 and len(counts) == 1, counts
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        assert [one.contact for one in Invite.objects.exclude(recovers="")] == [OLIVE]
        assert not Due.objects.filter(kind="people.forgot").exists()
    assert len(told("recovery asked")) == 4 and OLIVE not in str(told("recovery asked"))


class CountQueries:
    def __enter__(self) -> CountQueries:
        self.count = 0
        self.wrapped = connection.execute_wrapper(self._one)
        self.wrapped.__enter__()
        return self

    def _one(self, execute: Any, *rest: Any) -> Any:
        self.count += 1
        return execute(*rest)

    def __exit__(self, *error: Any) -> None:
        self.wrapped.__exit__(*error)


def test_asking_is_limited_by_address_and_by_source(house: House) -> None:
    browser = visitor()
    found = [browser.post("/recover/", {"email": "a@b.example"}) for _ in range(4)]
    assert [one.status_code for one in found] == [200, 200, 200, 429] and int(found[-1]["Retry-After"]) > 3000
    more = [browser.post("/recover/", {"email": f"a{n}@b.example"}).status_code for n in range(7)]
    assert more == [200] * 6 + [429]
    assert visitor(REMOTE_ADDR="192.0.2.9").post("/recover/", {"email": "a9@b.example"}).status_code == 200
    assert browser.post("/recover/", {"email": "no address"}).status_code == 429


def test_the_link_alone_is_nothing_with_the_factor_it_is_a_new_password(house: House, secret: str) -> None:
    thief = visitor(house.olive)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    do("sessions.open", SYSTEM, secrets={"session": "5" * 64}, person=OLIVE, mfa="x", until=until)
    do("tokens.create", house.olive, secrets={"token": "6" * 64}, name="x", permissions=["domains.view"], until=until)
    do("devices.register", SYSTEM, person=OLIVE, network="192.0.0.0/16", browser="Firefox on Linux")
    assert token_of("6" * 64)
    browser = opened(mailed())
    page = browser.get("/recover/set/").content.decode()
    assert OLIVE in page and "code" in page and "lost too" in page
    assert browser.post("/recover/set/", {"password": NEW}).status_code == 422
    assert browser.post("/recover/set/", {"password": NEW, "code": "000000"}).status_code == 422
    code = pyotp.TOTP(secret).now()
    assert b"attackers try first" in browser.post("/recover/set/", {"password": "password1234", "code": code}).content
    done = browser.post("/recover/set/", {"password": NEW, "code": code})
    assert done.status_code == 200 and b"another password" in done.content, "and the code was not used up before"
    assert thief.get("/")["Location"].startswith("/sign-in/") and session_of("5" * 64) is None, "all sessions end"
    assert token_of("6" * 64) is None, "and what whoever had the sign-in may have made with it"
    with acting_as(SYSTEM):
        assert not Device.objects.filter(ended_at=None).exists(), "nor is a device of theirs one of hers"
    assert letters("recovered") == [OLIVE, OWNER]
    assert told("signed in again") and told("password changed")
    later = pyotp.TOTP(secret).at(time.time() + 30)
    assert not signs_in(PASSWORD, later) and signs_in(NEW, later)
    assert browser.get("/recover/set/").status_code == 410


@pytest.mark.parametrize("how", ["unknown", "used", "old", "factor", "password", "address", "suspended"])
def test_a_link_that_is_no_good_says_the_same_whatever_was_wrong(house: House, secret: str, sql: Any, how: str) -> None:
    link = mailed() if how != "unknown" else "/recover/of-nothing"
    if how == "used":
        opened(link).post("/recover/set/", {"password": NEW, "code": pyotp.TOTP(secret).now()})
    elif how == "old":
        change = "SELECT set_config('postroom.change', 'time passes', false)"
        sql(change, "UPDATE invites SET until = until - interval '60 minutes' WHERE recovers <> ''")
    elif how in ("factor", "password"):
        with acting_as(SYSTEM):
            person = Login.objects.get(email=OLIVE)
        from postroom.web import entries

        entries.ADDED(None, user=person) if how == "factor" else entries.changed(None, user=person)
    elif how == "address":
        do("people.change", house.oskar, person=OLIVE, email="olive@home.test")
    elif how == "suspended":
        do("people.suspend", house.oskar, person=OLIVE)
    browser = opened(link)
    for answer in (browser.get("/recover/set/"), browser.post("/recover/set/", {"password": NEW, "lost": "yes"})):
        assert answer.status_code == 410 and b"does not work any more" in answer.content


def test_a_stranger_who_asks_again_voids_no_link(house: House, secret: str) -> None:
    link = mailed()
    second = mailed()
    done = opened(link).post("/recover/set/", {"password": NEW, "code": pyotp.TOTP(secret).now()})
    assert done.status_code == 200 and b"another password" in done.content
    assert opened(second).get("/recover/set/").status_code == 410, "all end with the first that is used"


def test_a_link_is_good_for_an_hour_and_is_no_other_sort_of_link(house: House, secret: str) -> None:
    link = mailed()
    invite = the(Invite, recovers="password")
    assert timedelta(minutes=59) < invite.until - datetime.now(UTC) <= timedelta(minutes=60)
    for path in ("/invite/", "/not-me/"):
        stranger = visitor()
        stranger.get(link.replace("/recover/", path))
        assert stranger.get(path).status_code == stranger.post(path, {"password": NEW}).status_code == 410
    shown = visitor(house.oskar).get("/invites/").content.decode()
    assert shown.count(f"/people/{OLIVE}/") == 1, "the invite she never opened, and not the recovery"
    assert visitor(house.oskar).get(f"/invites/{invite.pk}/link/").status_code == 404


def test_a_link_gets_back_whose_it_is_and_nobody_else(house: House, secret: str) -> None:
    link = Actor(None, "Olive", "link", hashed(mailed().rpartition("/")[2]))
    with pytest.raises(Problems, match="no longer good"):
        do("people.recover", link, person=OWNER)
    assert do("people.regain", link).version
    with pytest.raises(NoSuchLink):
        do("people.regain", link)
    with pytest.raises(Problems):
        do("people.regain", house.oskar)


def test_without_the_factor_an_owner_agrees_and_a_day_passes(house: House, secret: str) -> None:
    browser = opened(mailed())
    answer = browser.post("/recover/set/", {"lost": "yes"})
    assert b"waits for a second person" in answer.content
    held = the_recovery()
    assert (held.stage, held.proposer_id) == ("held", house.olive.person) and "new second factors" in reasons(held)
    with pytest.raises(NotAllowed):
        approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    assert again(held).stage == "held", "an owner, no approver"
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        warned = set(Invite.objects.filter(stops=held).values_list("contact", flat=True))
    assert warned == {OLIVE, OWNER, POSTMASTER}
    assert b"asked for already" in opened(mailed()).post("/recover/set/", {"lost": "yes"}).content

    agreed = approve(held.pk, actor=house.oskar, plan_hash=held.plan_hash)
    assert agreed.stage == "scheduled" and agreed.at > datetime.now(UTC) + timedelta(hours=23)
    tick(datetime.now(UTC) + timedelta(hours=23))
    assert again(held).stage == "scheduled"
    tick(datetime.now(UTC) + timedelta(hours=25))
    assert again(held).stage == "applied"
    back = opened(mailed(recovers="sign-in", ask=False))
    done = back.post("/recover/set/", {"password": NEW})
    assert done["Location"] == "/enrol/" and back.get("/")["Location"] == "/enrol/", "new factors first"
    assert letters("recovered") == [OLIVE, OWNER] and told("factor removed")
    assert not Authenticator.objects.exists()
    assert enrol(back) and back.get("/").status_code == 200


def the_recovery() -> Change:
    with acting_as(SYSTEM):
        return Change.objects.get(kind="people.recover", stage__in=("held", "scheduled"))


def test_this_was_not_me_stops_it_and_alone_it_waits_with_everybody_told(house: House, secret: str) -> None:
    opened(mailed()).post("/recover/set/", {"lost": "yes"})
    held = the_recovery()
    tick(datetime.now(UTC) + timedelta(seconds=1))
    token, kept = draw()
    notice = the(Invite, contact=OWNER, stops=held)
    submit(kind("notices.issue", notice=str(notice.pk)), actor=SYSTEM, why="x", secrets={"link": kept})
    owner = visitor()
    owner.get(f"/not-me/{token}")
    assert b"second factor are lost" in owner.get("/not-me/").content
    owner.post("/not-me/")
    assert again(held).stage == "withdrawn"

    login(house.oskar, PASSWORD)
    opened(mailed(OWNER)).post("/recover/set/", {"lost": "yes"})
    alone = the_recovery()
    assert alone.stage == "scheduled" and alone.at > datetime.now(UTC) + timedelta(hours=23)
    tick(datetime.now(UTC) + timedelta(seconds=1))
    with acting_as(SYSTEM):
        assert Invite.objects.filter(stops=alone, contact=POSTMASTER).exists(), "there is no other owner to ask"


def test_an_address_moves_with_the_login_and_both_are_told(house: House, secret: str) -> None:
    moved = do("people.change", house.oskar, person=OLIVE, email="olive@home.test")
    assert moved.version, reasons(moved)
    assert letters("moved") == ["olive@home.test", OLIVE]
    browser = visitor()
    assert browser.post("/sign-in/", {"login": OLIVE, "password": PASSWORD}).status_code == 200
    answer = browser.post("/sign-in/", {"login": "olive@home.test", "password": PASSWORD})
    assert answer["Location"] == "/sign-in/factor/"
    back = do("history.roll_back", house.oskar, change=str(moved.pk))
    assert back.stage == "refused" and "tells the old one and the new one" in reasons(back)
    assert do("people.change", house.oskar, person="olive@home.test", name="Olive O.").version
    assert letters("moved") == ["olive@home.test", OLIVE]


def test_the_letters_say_what_was_done_and_hold_no_more_than_that(
    house: House, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.changes.carry import Outcome
    from postroom.worker import mail

    sent: list[tuple[str, str]] = []

    def handed(to: str, letter: Any) -> Outcome:
        sent.append((to, letter.get_content()))
        return Outcome(evidence=[])

    monkeypatch.setattr(mail, "hand_in", handed)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", ("127.0.0.1", 1))
    visitor().post("/recover/", {"email": OLIVE})
    tick(datetime.now(UTC) + timedelta(seconds=1))
    moved = do("people.change", house.oskar, person="ada@northlight.example", email="ada@home.test")
    with acting_as(SYSTEM):
        asked = Change.objects.get(kind="people.forgot")
        todo = [(change, one) for change in (asked, moved) for one in change.delivery_set.filter(target="mail")]
    for change, delivery in todo:
        assert mail.send(change, delivery).why == ""
    by = dict(sent)
    assert set(by) == {OLIVE, "ada@northlight.example", "ada@home.test"}
    assert f"{settings.POSTROOM.origin}/recover/" in by[OLIVE] and "second factor" in by[OLIVE]
    assert "Before:  ada@northlight.example" in by["ada@home.test"] and "by Oskar" in by["ada@northlight.example"]
    assert "/recover/" not in by["ada@northlight.example"]
