"""The first of all: from the printed link to an organization with an owner, and never again."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from visitors import visitor

from postroom.access.acting import SYSTEM, acting_as
from postroom.access.tokens import draw
from postroom.models import Grant, Organization

ASKED = {"name": "Southwind", "owner_name": "Una Vale", "owner_email": "una@southwind.example",
         "postmaster": "postmaster@southwind.example", "password": "two plain words"}  # fmt: skip


@pytest.fixture
def link(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `up` printed."""
    token, kept = draw()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/founding").write_text(kept)
    monkeypatch.setitem(settings.POSTROOM.values, "STATE", tmp_path)
    return f"/found/{token}"


def test_whoever_holds_the_link_founds_the_organization_and_sets_up_a_second_factor(link: str) -> None:
    browser = visitor()
    assert browser.get(link)["Location"] == "/found/"
    assert b"There are no accounts or passwords before yours" in browser.get("/found/").content
    answer = browser.post("/found/", ASKED)
    assert answer["Location"] == "/enrol/" and browser.get("/")["Location"] == "/enrol/"
    with acting_as(SYSTEM):
        assert Organization.objects.get().name == "Southwind"
        assert Grant.objects.get().role == "owner"
    assert browser.get("/account/2fa/totp/activate/").status_code == 200, "the password just chosen is not asked again"
    late = visitor()
    late.get(link)
    assert late.get("/found/").status_code == 410, "founded once"


def test_without_the_link_nothing_is_founded(link: str) -> None:
    for browser in (visitor(), visitor()):
        browser.get("/found/not-the-token")
        assert browser.get("/found/").status_code == browser.post("/found/", ASKED).status_code == 410
    with acting_as(SYSTEM):
        assert not Organization.objects.exists()


def test_all_that_is_wrong_is_said_at_once(link: str) -> None:
    browser = visitor()
    browser.get(link)
    answer = browser.post("/found/", {**ASKED, "owner_email": "nobody", "name": "", "password": "short"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "3 things to correct" in text
    assert 'value="Una Vale"' in text and "short" not in text.split("<form", 1)[1].split('name="password"')[1][:80]
    with acting_as(SYSTEM):
        assert not Organization.objects.exists()
