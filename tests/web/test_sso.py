"""Single sign-on against a provider that is not ours, in a process of its own on loopback, over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import requests
from django.conf import settings
from test_sign_in import enrol, told
from visitors import PASSWORD, login, visitor

from cast import House, again, do, the
from postroom.access.acting import SYSTEM
from postroom.access.devices import begin, collect
from postroom.access.tokens import draw
from postroom.changes.kinds.invites import IssueInvite
from postroom.changes.pipeline import submit
from postroom.models import Invite, Subject
from postroom.protocols.oidc import challenge

pytestmark = pytest.mark.server
OLIVE = "olive@northlight.example"


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The provider, started as its own documentation says."""
    port, log = free_port(), tmp_path_factory.mktemp("provider") / "log"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    ]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=log.parent) as server:
        where = f"http://127.0.0.1:{port}"
        try:
            for _ in range(100):
                try:
                    requests.get(where + "/jwks", timeout=1)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield where
        finally:
            server.terminate()


@pytest.fixture
def sso(issuer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    (tmp_path / "secret").write_text("a shared secret\n")
    values = {
        "OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": "postroom", "OIDC_SECRET_FILE": tmp_path / "secret",
        "OIDC_LABEL": "Northlight ID", "OIDC_SECOND_FACTORS": ("otp", "hwk"),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setitem(settings.POSTROOM.values, name, value)
    return issuer


def known_there(issuer: str, sub: str, **claims: Any) -> None:
    answer = requests.put(f"{issuer}/users/{sub}", json=claims, timeout=5)
    assert answer.status_code == 204, answer.text


def there(browser: Any, sub: str, path: str = "/sign-in/sso/") -> str:
    """Off to the provider, signed in there as `sub`; the address it sends the browser back to."""
    gone = browser.get(path)
    assert gone.status_code == 302, gone.content.decode()
    asked = parse_qs(urlsplit(gone["Location"]).query)
    verifier = browser.session["sso"]["verifier"]
    assert asked["code_challenge"] == [challenge(verifier)] and asked["code_challenge_method"] == ["S256"]
    back = requests.post(gone["Location"], data={"sub": sub}, allow_redirects=False, timeout=5)
    assert back.status_code in (302, 303), back.text[:500]
    assert back.headers["Location"].startswith(settings.POSTROOM.origin + "/sign-in/sso/back/?")
    return back.headers["Location"].removeprefix(settings.POSTROOM.origin)


def by_sso(browser: Any, sub: str, path: str = "/sign-in/sso/") -> Any:
    return browser.get(there(browser, sub, path))


def linked(house: House, issuer: str, sub: str, who: str = "olive") -> None:
    subject = login(getattr(house, who), PASSWORD)
    Subject.objects.create(issuer=issuer, subject=sub, login=subject)


def test_linked_once_by_hand_it_signs_in_and_asks_for_our_factor(house: House, sso: str) -> None:
    known_there(sso, "o1", email=OLIVE, email_verified=True, amr=["pwd"])
    page = visitor().get("/sign-in/").content.decode()
    assert "Sign in with Northlight ID" in page
    assert by_sso(visitor(), "o1").status_code == 403, "a verified address alone links nothing"

    login(house.olive, PASSWORD)
    olive = visitor()
    olive.post("/sign-in/", {"login": OLIVE, "password": PASSWORD})
    secret = enrol(olive)
    assert "Link Northlight ID" in olive.get("/account/").content.decode()
    olive.post("/account/logout/")
    olive.post("/sign-in/", {"login": OLIVE, "password": PASSWORD})
    olive.post("/sign-in/factor/", {"code": pyotp.TOTP(secret).at(time.time() + 30)})
    assert by_sso(olive, "o1", "/sign-in/sso/?for=link")["Location"] == "/account/"
    assert told("single sign-on linked")[-1]["person"] == str(house.olive.person)

    next_time = visitor()
    assert by_sso(next_time, "o1")["Location"].startswith("/sign-in/factor/"), "pwd is no second factor"
    assert next_time.get("/")["Location"].startswith("/sign-in/")
    code = pyotp.TOTP(secret).at(time.time() - 30)
    assert next_time.post("/sign-in/factor/", {"code": code})["Location"] == "/"
    assert next_time.get("/").status_code == 200


def test_the_providers_factor_counts_where_the_settings_say_so(house: House, sso: str) -> None:
    known_there(sso, "o2", email="renamed@elsewhere.example", email_verified=True, amr=["pwd", "otp"])
    linked(house, sso, "o2")
    olive = visitor()
    assert by_sso(olive, "o2", "/sign-in/sso/?next=/clients/")["Location"] == "/clients/"
    assert olive.get("/").status_code == 200, "known by the provider's own name, whatever address it has"
    assert told("signed in")[-1]["by"] == "single sign-on with its second factor"
    assert by_sso(visitor(), "o2", "/sign-in/sso/?next=https://evil.example/")["Location"] == "/"
    code, typed, _ = begin("laptop")
    assert b"Signed in" in olive.post("/device/", {"code": typed, "sure": "yes"}).content
    assert "second factor" in collect(code)[2], "a terminal of theirs counts as signed in with both, as the pages do"


def test_an_operator_whose_provider_showed_no_factor_has_to_set_one_up(house: House, sso: str) -> None:
    known_there(sso, "o3", email=OLIVE, email_verified=True)
    linked(house, sso, "o3")
    olive = visitor()
    by_sso(olive, "o3")
    assert olive.get("/")["Location"] == "/enrol/"


def test_an_invite_links_it_the_first_time(house: House, sso: str) -> None:
    do("people.invite", house.oskar, name="Nora", email="nora@northlight.example")
    do("grants.give", house.oskar, person="nora@northlight.example", role="auditor")
    token, hashed = draw()
    invite = the(Invite, person__email="nora@northlight.example")
    submit(IssueInvite(invite=str(invite.pk)), actor=SYSTEM, why="a test", secrets={"link": hashed})
    known_there(sso, "n1", email="nora@northlight.example", email_verified=False, amr=["hwk"])
    nora = visitor()
    nora.get(f"/invite/{token}")
    assert "Use Northlight ID instead" in nora.get("/invite/").content.decode()
    assert by_sso(nora, "n1").status_code == 403 and not Subject.objects.exists(), "unverified"
    known_there(sso, "n1", email="nora@northlight.example", email_verified=True, amr=["hwk"])
    assert by_sso(nora, "n1")["Location"] == "/" and nora.get("/").status_code == 200
    assert visitor().get("/").status_code == 302
    late = visitor()
    late.get(f"/invite/{token}")
    assert late.get("/invite/").status_code == 410, "spent"


def refused(answer: Any, because: str) -> None:
    assert answer.status_code == 403 and b"Not signed in" in answer.content
    assert because in told("sign-in failed")[-1]["because"]


def test_an_answer_that_is_not_to_this_request_signs_nobody_in(house: House, sso: str) -> None:
    known_there(sso, "o4", email=OLIVE, email_verified=True, amr=["otp"])
    linked(house, sso, "o4")
    browser = visitor()
    back = there(browser, "o4")
    assert visitor().get(back).status_code == 403, "no request of that browser waits for it"
    refused(browser.get(back.replace("state=", "state=x")), "another request")
    assert browser.get(back).status_code == 403

    back = there(browser, "o4")
    refused(browser.get(f"{back}&iss=https://evil.example"), "another provider")
    back = there(browser, "o4")
    session = browser.session
    session["sso"] = {**session["sso"], "nonce": "another"}
    session.save()
    refused(browser.get(back), "another request")

    used = there(browser, "o4")
    assert browser.get(used)["Location"] == "/"
    thief = visitor()
    code = parse_qs(urlsplit(used).query)["code"][0]
    fresh = there(thief, "o4")
    own = parse_qs(urlsplit(fresh).query)["code"][0]
    refused(thief.get(fresh.replace(own, code)), "400")
    there(thief, "o4")
    denied = f"/sign-in/sso/back/?error=access_denied&state={thief.session['sso']['state']}"
    refused(thief.get(denied), "access_denied")
    assert thief.get("/").status_code == 302 and code not in json.dumps(told("sign-in failed"))


def test_a_provider_that_calls_itself_otherwise_or_is_away_is_not_believed(
    house: House, sso: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.POSTROOM.values, "OIDC_ISSUER", sso + "/")
    assert b"calls itself" in visitor().get("/sign-in/sso/").content
    monkeypatch.setitem(settings.POSTROOM.values, "OIDC_ISSUER", f"http://127.0.0.1:{free_port()}")
    answer = visitor().get("/sign-in/sso/")
    assert answer.status_code == 502 and b"does not answer" in answer.content


@pytest.mark.parametrize("who", ["unknown", "suspended", "a client's", "somebody else's"])
def test_who_may_not_sign_in_by_it_does_not(house: House, sso: str, who: str) -> None:
    known_there(sso, "x1", email="carl@northlight.example" if who == "a client's" else OLIVE, email_verified=True,
                amr=["otp"])  # fmt: skip
    browser = visitor()
    if who == "unknown":
        refused(by_sso(browser, "x1"), "nobody here is linked")
    elif who == "suspended":
        linked(house, sso, "x1")
        do("people.suspend", house.oskar, person=OLIVE)
        refused(by_sso(browser, "x1"), "may not sign in")
    elif who == "a client's":
        do("people.invite", house.oskar, name="Cleo", email="cleo@acme.example", client="acme")
        from cast import person

        cleo = login(person("cleo@acme.example", house.oskar))
        Subject.objects.create(issuer=sso, subject="x1", login=cleo)
        refused(by_sso(browser, "x1"), "may not sign in")
    else:
        ada = visitor(house.ada)
        refused(by_sso(ada, "x1", "/sign-in/sso/?for=link"), "verified address")
        linked(house, sso, "x1")
        refused(by_sso(ada, "x1", "/sign-in/sso/?for=link"), "linked to somebody else")
    assert browser.get("/")["Location"].startswith("/sign-in/")


def test_a_sensitive_act_asks_the_provider_once_more(house: House, sso: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    known_there(sso, "a1", email="ada@northlight.example", email_verified=True, amr=["hwk"])
    linked(house, sso, "a1", "ada")
    ada = visitor()
    assert by_sso(ada, "a1")["Location"] == "/"
    later = SimpleNamespace(time=lambda: time.time() + 660)
    with monkeypatch.context() as moved:
        moved.setattr("postroom.web.step_up.time", later)
        asked = ada.post(f"/changes/{held.pk}/approve/", {"plan_hash": held.plan_hash})
    assert asked["Location"].startswith("/sign-in/sso/?for=again&next=") and again(held).stage == "held"
    session = ada.session
    session["account_authentication_methods"] = []  # so long ago that nothing of it counts
    session.save()
    known_there(sso, "a1", email="ada@northlight.example", email_verified=True, amr=["pwd"])
    refused(by_sso(ada, "a1", asked["Location"]), "no second factor just now")
    known_there(sso, "a1", email="ada@northlight.example", email_verified=True, amr=["hwk"])
    done = by_sso(ada, "a1", asked["Location"])
    assert done["Location"] == f"/changes/{held.pk}/" and again(held).version
