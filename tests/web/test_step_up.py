"""Step-up: sensitive acts ask for the second factor once more, and go on with what was typed."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from test_sign_in import enrol
from visitors import PASSWORD, invite_of, login, visitor

from cast import MIA, House, again, do
from postroom.catalogue import KINDS
from postroom.changes.kind import APPROVED, ASKED
from postroom.models import Change

ASKING = {
    "grants.give owner", "grants.give operator", "grants.give approver", "record_sets.set", "domains.remove",
    "dkim_keys.rotate", "dkim_keys.revoke",
    "roles.create", "roles.change", "tokens.create", "access.suspend", "access.resume", "grants.elevate",
    "invites.issue", "invites.redirect", "people.change email", "organization.change postmaster",
    "record.erase", "mailboxes.transfer", "recovery_channels.end", "recovery_channels.name", "resets.record_call",
    "resets.send_link", "resets.start", "resets.vouch", "resets.ask_code",
    "resets.declare_emergency", "resets.waive_wait", "mail_apps.add", "delegations.consent",
}  # fmt: skip
APPROVING = {
    "aliases.remove", "catch_alls.end", "clients.remove", "domains.remove", "forwards.end", "forwards.stop",
    "grants.elevate",
    "grants.give", "history.roll_back", "mailboxes.remove", "mailboxes.transfer", "nodes.remove", "people.recover",
    "people.remove", "record.erase", "record_sets.set", "resets.send_link",
}  # fmt: skip
PARAMS: dict[str, list[dict[str, Any]]] = {
    "grants.give": [{"role": role} for role in ("owner", "operator", "approver", "helpdesk", "auditor")],
    "people.change": [{"name": "x"}, {"email": "x@y.example"}],
    "organization.change": [{"name": "x"}, {"postmaster": "x@y.example"}],
}


def test_which_kinds_want_a_fresh_factor() -> None:
    asked, approved = set(), set()
    for kind in KINDS:
        for values in PARAMS.get(kind.permission, [{}]):
            words = "".join(f" {value if name == 'role' else name}" for name, value in values.items())
            one = kind.model_construct(**dict.fromkeys(kind.model_fields) | values)
            asked |= {kind.permission + words} if one.steps_up(ASKED) else set()
            approved |= {kind.permission} if one.steps_up(APPROVED) else set()
    assert asked == ASKING
    assert approved == APPROVING


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time as step-up reads it, to be moved on."""
    moved = SimpleNamespace(by=0.0)
    monkeypatch.setattr("postroom.web.step_up.time", SimpleNamespace(time=lambda: time.time() + moved.by))
    return moved


def stale(house: House, who: str, clock: SimpleNamespace) -> tuple[Any, str]:
    """Somebody who signed in with both factors eleven minutes ago, and the secret of their app."""
    login(getattr(house, who), PASSWORD)
    email = "owner@northlight.example" if who == "oskar" else f"{who}@northlight.example"
    secret = enrol(signed_in(email))
    browser = signed_in(email)
    browser.post("/sign-in/factor/", {"code": pyotp.TOTP(secret).now()})
    assert browser.get("/").status_code == 200
    clock.by = 660
    return browser, secret


def signed_in(email: str) -> Any:
    browser = visitor()
    browser.post("/sign-in/", {"login": email, "password": PASSWORD})
    return browser


def shown(browser: Any, asked: Any, secret: str, clock: SimpleNamespace) -> Any:
    """The factor, at the page that the answer leads to."""
    assert asked.status_code == 302 and asked["Location"].startswith("/account/2fa/reauthenticate/?next="), asked
    page = browser.get(asked["Location"])
    assert page.status_code == 200 and "Once more" in page.content.decode()
    clock.by = 0.0
    path = asked["Location"].partition("next=")[2].replace("%2F", "/")
    return browser.post("/account/2fa/reauthenticate/", {"code": pyotp.TOTP(secret).at(time.time() + 30), "next": path})


def test_an_approval_of_a_removal_waits_for_the_factor_and_then_goes_on(house: House, clock: SimpleNamespace) -> None:
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    ada, secret = stale(house, "ada", clock)
    path, typed = f"/changes/{held.pk}/approve/", {"plan_hash": held.plan_hash}
    asked = ada.post(path, typed)
    assert again(held).stage == "held"
    assert "password" not in ada.get(asked["Location"]).content.decode(), "the second factor, not the first"
    assert ada.get("/account/reauthenticate/")["Location"].startswith("/account/2fa/"), "nor by asking for it"
    done = shown(ada, asked, secret, clock)
    assert done["Location"] == f"/changes/{held.pk}/" and again(held).version


def test_what_was_typed_is_kept_and_sent_for_the_page_that_asked_alone(house: House, clock: SimpleNamespace) -> None:
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    olive, secret = stale(house, "olive", clock)
    path, typed = f"/invites/{invite_of(house.olive)}/link/", {"why": "called back, verified"}
    asked = olive.post(path, typed)
    assert b"/invite/" not in asked.content
    clock.by = 0.0
    elsewhere = {"code": pyotp.TOTP(secret).at(time.time() + 30), "next": "/clients/"}
    assert olive.post("/account/2fa/reauthenticate/", elsewhere)["Location"] == "/clients/", "given for something else"
    assert "called back" not in str(dict(olive.session)), "and what waited is dropped"
    clock.by = 660
    assert olive.post(path, typed).status_code == 302
    clock.by = 0.0
    assert b"/invite/" in olive.post(path, typed).content


def test_a_plan_that_was_sent_is_made_once_the_factor_is_shown(house: House, clock: SimpleNamespace) -> None:
    oskar, secret = stale(house, "oskar", clock)
    typed = {"person": "henry@northlight.example", "role": "operator", "why": "he runs it now", "ticket": "T-1"}
    page = oskar.post("/do/grants.give/", typed).content.decode()
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("seen", "key")}
    asked = oskar.post("/do/grants.give/", {**typed, **hidden, "step": "send"})
    done = shown(oskar, asked, secret, clock)
    change = again(Change(pk=done["Location"].split("/")[2]))
    assert (change.stage, change.why, change.ticket, change.params["role"]) == ("held", typed["why"], "T-1", "operator")


def test_a_low_role_and_everyday_work_ask_for_nothing(house: House, clock: SimpleNamespace) -> None:
    oskar, _ = stale(house, "oskar", clock)
    typed = {"person": "henry@northlight.example", "role": "auditor", "why": "for a look"}
    page = oskar.post("/do/grants.give/", typed).content.decode()
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("seen", "key")}
    assert oskar.post("/do/grants.give/", {**typed, **hidden, "step": "send"})["Location"].startswith("/changes/")


def test_ones_own_factors_and_a_terminals_session_want_it_too(house: House, clock: SimpleNamespace) -> None:
    from postroom.access.devices import begin

    olive, secret = stale(house, "olive", clock)
    for path in ("/account/password/", "/account/2fa/totp/deactivate/", "/account/2fa/recovery-codes/generate/",
                 "/account/2fa/webauthn/add/"):  # fmt: skip
        assert olive.get(path)["Location"].startswith("/account/2fa/reauthenticate/"), path
    _, typed, _ = begin("laptop")
    asked = olive.post("/device/", {"code": typed, "sure": "yes"})
    assert b"Signed in" in shown(olive, asked, secret, clock).content
