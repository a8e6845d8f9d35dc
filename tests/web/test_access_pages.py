"""Who may do what, at the pages: a person with roles, tokens and elevation; roles of one's own; making a token."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from test_doing import page
from test_step_up import clock, shown, stale
from visitors import visitor

from cast import House, do, person, the, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import hashed
from postroom.changes.approvals import approve
from postroom.models import ApiToken

__all__ = ["clock"]
UNTIL = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()
OLIVE = "/people/olive@northlight.example/"


def test_a_person_shows_what_they_hold_for_how_long_and_by_what_program(house: House) -> None:
    do("roles.create", house.oskar, name="dns editor", permissions=["record_sets.set", "domains.view"])
    held = do("grants.give", house.oskar, person="henry@northlight.example", role="dns editor", client="acme")
    with_consent(house, held)
    do("people.seal", SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example")
    browser = visitor(house.oskar)
    henry = page(browser.get("/people/henry@northlight.example/"))
    assert "dns editor" in henry and "domains.view, record_sets.set" in henry and "/roles/" in henry
    assert "/do/grants.elevate/" not in henry and "/tokens/new/" not in henry, "these are one's own"
    listed = page(browser.get("/people/"))
    assert "sealed login" in listed and "/roles/" in listed
    sealed = page(browser.get("/people/sealed-1@northlight.example/"))
    assert "every use is an alarm" in sealed and "sealed login" in sealed
    assert "every use is an alarm" not in henry
    mine = page(visitor(house.henry).get("/people/henry@northlight.example/"))
    assert "/do/grants.elevate/" in mine and "/tokens/new/" in mine


def test_what_somebody_asked_for_says_until_when_and_why(house: House) -> None:
    asked = do("grants.elevate", house.olive, role="auditor", client="acme", hours=2)
    approve(asked.pk, actor=house.oskar, plan_hash=asked.plan_hash)
    browser = visitor(house.oskar)
    one, listed = page(browser.get(OLIVE)), page(browser.get("/people/"))
    assert re.search(r"until \d", one) and "asked for because a test" in one and "asked for by themselves" in one
    assert re.search(r"auditor until \d", listed)


def test_roles_of_ones_own_and_their_acts(house: House) -> None:
    browser = visitor(house.oskar)
    assert "No role yet" in page(browser.get("/roles/"))
    do("roles.create", house.oskar, name="dns editor", permissions=["record_sets.set"])
    held = do("grants.give", house.oskar, person="henry@northlight.example", role="dns editor", client="acme")
    with_consent(house, held)
    listed = page(browser.get("/roles/"))
    assert "dns editor" in listed and "record_sets.set" in listed and "one person" in listed
    assert 'href="/do/roles.end/?role=dns+editor"' in listed
    assert "/do/roles" not in page(visitor(house.olive).get("/roles/")), "an operator makes no roles"
    assert "one person" in page(visitor(house.carl).get("/roles/")), "Henry holds it at Acme, where Carl sees it"


def test_a_token_is_shown_once_and_kept_nowhere(house: House) -> None:
    browser = visitor(house.olive)
    form = page(browser.get("/tokens/new/"))
    assert 'action="/tokens/new/"' in form and "not_before" not in form
    asked = {"name": "CI", "permissions-0": "domains.view", "until": UNTIL, "why": "builds"}
    wrong = browser.post("/tokens/new/", {**asked, "permissions-0": "grants.give", "until": "2001-01-01T00:00"})
    assert wrong.status_code == 422 and "within a year" in wrong.content.decode()
    wrong = browser.post("/tokens/new/", {**asked, "permissions-0": "grants.give"})
    assert wrong.status_code == 422 and "no token may ever grants.give" in wrong.content.decode()
    assert browser.post("/tokens/new/", {**asked, "why": ""}).status_code == 422
    made = browser.post("/tokens/new/", asked)
    assert made.status_code == 200 and made["Cache-Control"] == "no-store"
    token = re.search(r'id="token"[^>]* value="([^"]+)"', made.content.decode())
    assert token and the(ApiToken).name == "CI"
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {token[1]}"}
    assert browser.get("/api/v1/domains", **bearer).status_code == 200
    mine = page(browser.get(OLIVE))
    assert (
        "CI" in mine
        and "from 127.0.0.1" in mine
        and f"/do/tokens.end/?token={the(ApiToken).pk}" in page(visitor(house.oskar).get(OLIVE))
    )
    for address in (OLIVE, "/changes/"):
        assert token[1] not in page(browser.get(address)) and hashed(token[1]) not in page(browser.get(address))


def test_a_token_is_made_after_a_fresh_second_factor_alone(house: House, clock: SimpleNamespace) -> None:
    olive, secret = stale(house, "olive", clock)
    asked = olive.post("/tokens/new/", {"name": "CI", "permissions-0": "domains.view", "until": UNTIL, "why": "builds"})
    with acting_as(SYSTEM):
        assert not ApiToken.objects.exists()
    made = shown(olive, asked, secret, clock)
    assert 'id="token"' in made.content.decode() and the(ApiToken).name == "CI"


def test_who_may_act_at_a_client_for_the_organization_and_for_the_client(house: House) -> None:
    amy = _amy(house)
    do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="globex", reason="secret")
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"], until=SOON)
    do("people.seal", SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example")
    do("mailboxes.change", house.olive, mailbox="mia@acme.example", name="Mia M")
    everything = page(visitor(house.oskar).get("/access/"))
    assert "secret" in everything and "CI" in everything and "sealed login" in everything and ">never<" in everything
    here = page(visitor(house.oskar).get("/access/?client=acme"))
    assert "Amy" in here and "Olive" in here and "CI" in here and "secret" not in here
    assert re.search(r"Olive.*?changed something", here, re.S)
    browser = visitor(amy)
    for address in ("/access/", "/access/?client=acme"):
        hers = page(browser.get(address))
        for name in ("Amy", "Olive", "Oskar", "Carl", "Sealed login 1", "CI"):
            assert name in hers, name
        assert "olive@northlight" not in hers and "secret" not in hers and "globex" not in hers
    assert browser.get("/access/?client=globex").status_code == 404
    assert "Olive" in page(browser.get("/clients/acme/")) and 'href="/access/"' in page(browser.get("/"))


def test_a_closed_client_says_so_to_whoever_still_sees_its_name(house: House) -> None:
    amy = _amy(house)
    hers = visitor(amy)
    assert "/do/access.suspend/?client=acme" in page(hers.get("/clients/acme/"))
    assert "/do/access.suspend" not in page(visitor(house.olive).get("/clients/acme/"))
    do("access.suspend", amy, client="acme")
    olive = visitor(house.olive)
    shut = page(olive.get("/clients/acme/"))
    assert "Closed to the organization" in shut and "No domain yet" not in shut and "What happened" not in shut
    assert "closed to the organization" in page(olive.get("/clients/"))
    for address in ("/mailboxes/", "/domains/", "/people/", "/changes/", "/access/"):
        assert "is closed to the organization since" in page(olive.get(f"{address}?client=acme")), address
        assert "is closed to the organization since" not in page(olive.get(address)), address
    mine = page(hers.get("/clients/acme/"))
    assert "/do/access.resume/?client=acme" in mine and "What happened" in mine and "Olive" not in mine
    assert "Olive" not in page(hers.get("/access/")), "who is shut out may nothing here"


def _amy(house: House) -> Actor:
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    do("grants.give", house.oskar, person="amy@acme.example", role="client admin", client="acme")
    return person("amy@acme.example", house.oskar)


def test_a_client_sees_what_waits_for_others_to_decide(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox="mia@acme.example")
    theirs = do("mailboxes.remove", house.olive, mailbox="mia@globex.example")
    browser = visitor(house.carl)
    waiting = page(browser.get("/approvals/"))
    assert "Waiting for somebody else" in waiting and f"/changes/{held.pk}/" in waiting and "Olive" in waiting
    assert "removes 1 mailbox" in waiting and str(theirs.pk) not in waiting and "globex" not in waiting
    assert f"/changes/{held.pk}/" in page(browser.get("/")), "and on the first page"
    ada = page(visitor(house.ada).get("/approvals/"))
    assert "Waiting for somebody else" not in ada and f"/changes/{theirs.pk}/" in ada
