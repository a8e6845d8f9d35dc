"""Signing in: password and second factor, what is closed, and an entry for each."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace

import pyotp
import pytest
from django.conf import settings
from django.db import connection
from visitors import PASSWORD, login, visitor

from cast import House, do
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.models import RecordedEdit


def told(what: str) -> list[dict[str, str]]:
    """The entries of this sort, oldest first."""
    with acting_as(SYSTEM):
        rows = RecordedEdit.objects.filter(table="events", after__what=what).order_by("entry_id")
        return [row.after for row in rows]


def enrol(browser) -> str:
    """Set up the authenticator app through its page; its secret."""
    asked = browser.get("/account/2fa/totp/activate/")
    if asked.status_code == 302:  # what comes next is sensitive: once more the password
        assert asked["Location"].startswith("/account/reauthenticate/")
        browser.post(asked["Location"], {"password": PASSWORD})
    page = browser.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]* value="([A-Z2-7]+)"', page)[1]
    answer = browser.post("/account/2fa/totp/activate/", {"code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return secret


def test_a_password_alone_leads_an_operator_to_the_enrolment_page_and_both_lead_in(house: House) -> None:
    login(house.olive, PASSWORD)
    browser = visitor()
    wrong = browser.post("/sign-in/", {"login": "olive@northlight.example", "password": "guessed"})
    assert wrong.status_code == 200 and b"are not correct" in wrong.content
    answer = browser.post("/sign-in/", {"login": "olive@northlight.example", "password": PASSWORD})
    assert answer.status_code == 302 and browser.get("/")["Location"] == "/enrol/"
    secret = enrol(browser)
    assert browser.get("/").status_code == 200

    again = visitor()
    first = again.post("/sign-in/", {"login": "olive@northlight.example", "password": PASSWORD})
    assert first["Location"] == "/sign-in/factor/" and again.get("/").status_code == 302
    bad = again.post("/sign-in/factor/", {"code": "000000"})
    assert bad.status_code == 200
    good = again.post("/sign-in/factor/", {"code": pyotp.TOTP(secret).now()})
    assert good.status_code == 302 and again.get("/").status_code == 200

    assert [one["factor"] for one in told("factor added")][:1] == ["totp"]
    assert told("sign-in failed") and "guessed" not in str(told("sign-in failed"))
    assert told("signed in")[-1]["by"] == "password and totp"


def test_nobody_signs_up_and_nobody_resets_by_mail(house: House) -> None:
    browser = visitor()
    for address in ("/account/signup/", "/account/password/reset/", "/account/email/", "/account/password/set/"):
        assert browser.get(address).status_code == browser.post(address).status_code == 404


def test_a_code_is_good_a_step_later_and_works_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    login(house.olive, PASSWORD)
    browser = visitor()
    browser.post("/sign-in/", {"login": "olive@northlight.example", "password": PASSWORD})
    totp, now = pyotp.TOTP(enrol(browser)), int(time.time())
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", SimpleNamespace(time=lambda: now))  # no step ends here
    late, early, old = (totp.at(now + 30 * steps) for steps in (-1, 1, -3))

    def tried(code: str) -> str:
        again = visitor()
        again.post("/sign-in/", {"login": "olive@northlight.example", "password": PASSWORD})
        return again.post("/sign-in/factor/", {"code": code}).get("Location", "")

    assert tried(old) == "" and tried(late) == "/", "typed as the half minute ended"
    assert tried(late) == "" and tried(early) == "/" and tried(early) == ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(expires - clock_timestamp()) FROM counted WHERE cache_key LIKE '%%totp.used%%'")
        assert cursor.fetchone()[0] > timedelta(seconds=85), "remembered for as long as it would be good"


def test_somebody_unknown_and_a_wrong_password_are_answered_alike(house: House) -> None:
    login(house.olive, PASSWORD)
    pages = []
    for email in ("olive@northlight.example", "nobody@northlight.example"):
        answer = visitor().post("/sign-in/", {"login": email, "password": "guessed"})
        page = answer.content.decode().replace(email, "WHO")
        pages.append(page.split("<form")[1].split("csrf", 1)[0] + page.split("<h1", 1)[1].count("not correct") * "!")
    assert pages[0] == pages[1]


def test_guessing_is_slowed_down(house: House) -> None:
    login(house.olive, PASSWORD)
    browser = visitor()
    typed = {"login": "olive@northlight.example", "password": "guessed"}
    answers = [browser.post("/sign-in/", typed) for _ in range(6)]
    assert b"Too many" in answers[-1].content and "Retry-After" not in answers[0]
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "300")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM counted WHERE expires > now()")
        assert cursor.fetchone()[0], "counted where every web process sees it"


def guesses(sources: Iterable[str]) -> list[int]:
    """Each at another account, so that the sources alone are counted."""
    typed = [(source, {"login": f"n{n}@northlight.example", "password": "guessed"}) for n, source in enumerate(sources)]
    return [visitor(REMOTE_ADDR=source).post("/sign-in/", said).status_code for source, said in typed]


def test_an_ipv6_network_is_one_source_and_ipv4_is_none_whatever_socket_heard_it(house: House) -> None:
    one = guesses(f"2001:db8:0:7:{n:x}::1" for n in range(12))
    assert one[:10] == [200] * 10 and one[10:] == [429] * 2, "whoever has a /64 has no budget for each address of it"
    assert guesses(["2001:db8:0:8::1"]) == [200], "a neighbour has their own"
    assert guesses(f"::ffff:192.0.2.{n + 1}" for n in range(12)) == [200] * 12, "nor do strangers share one"
    mixed = guesses(source for _ in range(6) for source in ("::ffff:198.51.100.7", "198.51.100.7"))
    assert mixed[:10] == [200] * 10 and mixed[10:] == [429] * 2, "the same, however it came"


def test_a_mailed_link_of_a_person_leads_to_a_password_and_then_to_the_second_factor(house: House) -> None:
    from postroom.changes.kinds.invites import IssueInvite
    from postroom.changes.pipeline import submit
    from postroom.models import Invite

    do("people.invite", house.oskar, name="Nora", email="nora@northlight.example")
    do("grants.give", house.oskar, person="nora@northlight.example", role="auditor")
    with acting_as(SYSTEM):
        invite = Invite.objects.get(person__email="nora@northlight.example")
    token, hashed = draw()
    submit(IssueInvite(invite=str(invite.pk)), actor=SYSTEM, why="a test", secrets={"link": hashed})
    browser = visitor()
    assert browser.get(f"/invite/{token}")["Location"] == "/invite/"
    assert b"Choose a password" in browser.get("/invite/").content
    assert browser.post("/invite/", {"password": "short"}).status_code == 422
    assert browser.post("/invite/", {"password": PASSWORD}).status_code == 302
    assert browser.get("/")["Location"] == "/enrol/"
    assert enrol(browser), "who just chose a password is not asked for it again"
    assert b"Recovery codes" in browser.get("/account/2fa/recovery-codes/").content
    assert told("signed in")[-1]["by"] == "mailed link"
    assert visitor().get(f"/invite/{token}").status_code == 302  # remembered, and then:
    late = visitor()
    late.get(f"/invite/{token}")
    assert late.get("/invite/").status_code == 410


def test_a_printed_link_stands_for_both_factors_in_a_demo_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from postroom.changes.kinds.links import PrintLink
    from postroom.changes.pipeline import submit

    token, hashed = draw()
    submit(PrintLink(person="olive@northlight.example"), actor=SYSTEM, why="a test", secrets={"link": hashed})
    serious = visitor()
    serious.get(f"/invite/{token}")
    assert b"Choose a password" in serious.get("/invite/").content
    monkeypatch.setitem(settings.POSTROOM.values, "DEMO", True)
    browser = visitor()
    browser.get(f"/invite/{token}")
    assert browser.get("/invite/")["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert told("signed in")[-1]["by"] == "printed link, both factors counted as done"


def test_signing_out_ends_the_session_and_is_an_entry(house: House) -> None:
    browser = visitor(house.olive)
    assert browser.get("/account/logout/").status_code == 200 and browser.get("/").status_code == 200
    assert browser.post("/account/logout/").status_code == 302 and browser.get("/").status_code == 302
    assert told("signed out")[-1]["person"] == str(house.olive.person)


def test_ones_own_password_follows_the_same_rules(house: House) -> None:
    login(house.olive, PASSWORD)
    browser = visitor(house.olive)
    bad = browser.post(
        "/account/password/", {"oldpassword": PASSWORD, "password1": "password1234", "password2": "password1234"}
    )
    assert bad.status_code == 200 and b"attackers try first" in bad.content
    new = "another few words"
    good = browser.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert good.status_code == 302 and told("password changed")
