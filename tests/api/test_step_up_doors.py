"""Step-up at the API: a session is as good as its second factor for fifteen minutes; then it says how to go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cast import MIA, House, again, do, kind, person, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.declared import ALWAYS
from postroom.changes.batch import submit_batch
from postroom.models import ApiToken, Invite
from postroom.web.routes import routes

Ask = Callable[[str], Any]


def test_an_older_session_is_told_how_to_go_on_and_nothing_happens(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    invite = the(Invite, mailbox__address__address="nia@acme.example")
    oskar, ada = at_api("oskar"), at_api("ada")
    role = {"person": "henry@northlight.example", "role": "operator"}
    monkeypatch.setattr("postroom.api.door.FRESH", timedelta(0))
    for answer in (
        oskar.change("grants.give", role),
        oskar.post("/batches", {"changes": [{"kind": "grants.give", "params": role}], "why": "x"}),
        oskar.change("record_sets.set", {"domain": "acme.example", "type": "A", "values": ["192.0.2.1"]}),
        oskar.post(f"/invites/{invite.pk}/link", {"why": "x"}),
        oskar.post(f"/invites/{invite.pk}/redirect", {"why": "x", "contact": "b@home.test"}),
        ada.post(f"/changes/{held.pk}/approve", {"plan_hash": held.plan_hash}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/step-up"), answer.content
        assert "postroom login" in answer.json()["detail"]
    assert again(held).stage == "held"
    assert oskar.change("grants.give", role, dry_run=True).status_code == 200, "looking is free"
    assert oskar.change("mailboxes.suspend", {"mailbox": MIA}).status_code == 200
    monkeypatch.undo()
    assert ada.post(f"/changes/{held.pk}/approve", {"plan_hash": held.plan_hash}).status_code == 200
    assert oskar.change("grants.give", role).status_code == 202


def test_what_always_asks_asks_an_older_session(house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation that says so: a session left open makes no way in that outlives it, and takes no file."""
    do("mailboxes.create", house.olive, address="nia@acme.example", contact="nia@home.test")
    invite = f"/invites/{the(Invite, mailbox__address__address='nia@acme.example').pk}"
    wanted = {"name": "HR", "permissions": ["domains.view"], "why": "x",
              "until": (timezone.now() + timedelta(days=9)).isoformat()}  # fmt: skip
    oskar, elsewhere = at_api("oskar"), {"why": "x", "contact": "b@home.test"}
    asks: dict[str, Callable[[], Any]] = {
        "/tokens": lambda: oskar.post("/tokens", wanted),
        "/invites/<invite_id>/link": lambda: oskar.post(f"{invite}/link", {"why": "x"}),
        "/invites/<invite_id>/redirect": lambda: oskar.post(f"{invite}/redirect", elsewhere),
        "/clients/<ref>/record": lambda: oskar.get("/clients/acme/record?why=x"),
        "/forwards-leaving/file": lambda: oskar.get("/forwards-leaving/file?why=x"),
        "/clients/<ref>/sheet/file": lambda: oskar.get("/clients/acme/sheet/file?why=x"),
    }
    always = {one.path for one in routes() if one.said and one.said.step_up == ALWAYS}
    assert {f"/api/v1{path}" for path in asks} == {path for path in always if path.startswith("/api/")}
    monkeypatch.setattr("postroom.api.door.FRESH", timedelta(0))
    for path, ask in asks.items():
        answer = ask()
        assert (answer.status_code, answer.get("Content-Type")) == (403, "application/problem+json"), path
        assert answer.json()["type"] == "/problems/step-up", path
    with acting_as(SYSTEM):
        assert not ApiToken.objects.exists(), "none was made"
    monkeypatch.undo()
    assert oskar.post("/tokens", wanted).status_code == 200


def test_what_is_sensitive_is_so_backwards_too(house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever finds a session open lets the organization in again by taking back that it was shut out."""
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    do("grants.give", house.oskar, person="amy@acme.example", role="client admin", client="acme")
    house.carl = amy = person("amy@acme.example", house.oskar)
    caller = at_api("carl")
    shut = do("access.suspend", amy, client="acme")
    quota = do("mailboxes.change", amy, mailbox=MIA, quota_mb=700)
    batch = submit_batch([kind("domains.change", domain="globex.example", registrar="R")], actor=house.oskar, why="x")
    role = submit_batch([kind("roles.create", name="x", permissions=["domains.view"])], actor=house.oskar, why="x")
    monkeypatch.setattr("postroom.api.door.FRESH", timedelta(0))
    back, oskar = {"change": str(shut.pk)}, at_api("oskar")
    for answer in (
        caller.post(f"/changes/{shut.pk}/undo", {"why": "x"}),
        caller.change("history.roll_back", back),
        caller.post("/batches", {"changes": [{"kind": "history.roll_back", "params": back}], "why": "x"}),
        oskar.post(f"/batches/{role.pk}/undo", {"why": "x"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/step-up"), answer.content
    assert again(shut).undone_by_id is None
    assert caller.post(f"/changes/{quota.pk}/undo", {"why": "x"}).status_code == 200, "everyday work asks for nothing"
    assert oskar.post(f"/batches/{batch.pk}/undo", {"why": "x"}).status_code == 200
    monkeypatch.undo()
    assert caller.post(f"/changes/{shut.pk}/undo", {"why": "x"}).json()["stage"] == "verified"


def test_a_session_that_a_demo_hands_out_counts_there_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from postroom.api.door import Caller
    from postroom.changes.state import new_change_id
    from postroom.models.base import made_at

    old = Caller(house.oskar, new_change_id(), "counted as done: demo")
    monkeypatch.setattr("postroom.api.door.FRESH", timedelta(0))
    assert not old.fresh and abs(made_at(old.session).timestamp() - made_at(new_change_id()).timestamp()) < 5
    monkeypatch.setitem(settings.POSTROOM.values, "DEMO", True)
    assert old.fresh and not Caller(house.oskar, old.session, "totp").fresh
