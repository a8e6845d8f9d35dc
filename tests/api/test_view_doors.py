"""Saved views of the forwards that leave, at every door: a person's own, which nobody else reads or writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import ProgrammingError

from api.test_shapes import Described
from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import saved_views
from postroom.changes.errors import Problem
from postroom.cli import leaving as program
from postroom.cli import remote
from postroom.models import Change, Entry, SavedView
from postroom.queries import views
from web.visitors import visitor

Ask = Callable[[str], Any]
VIEWS = "/forwards-leaving/views"
PRIVATE = {"name": "Acme, private", "client": "acme", "only": "private"}


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["items"]]


def test_a_view_is_saved_replaced_renamed_and_removed(house: House, at_api: Ask) -> None:
    olive, described = at_api("olive"), Described()
    assert names(olive.get(VIEWS)) == []
    saved = described.held(olive.post(VIEWS, PRIVATE), "post", VIEWS)
    assert saved["items"] == [{**PRIVATE, "mechanism": "", "risk": "", "q": ""}]
    assert names(olive.post(VIEWS, {"name": " Acme,\tprivate ", "risk": "high"})) == ["Acme, private"]
    (one,) = described.held(olive.get(VIEWS), "get", VIEWS)["items"]
    assert (one["client"], one["risk"]) == ("", "high"), "replaced, and not added to"
    olive.post(VIEWS, {"name": "B"})
    renamed = olive.post(f"{VIEWS}/rename", {"name": "B", "to": "A"})
    assert names(renamed) == ["A", "Acme, private"]
    taken = olive.post(f"{VIEWS}/rename", {"name": "A", "to": "Acme, private"})
    assert taken.status_code == 422 and "another one is called" in taken.content.decode()
    assert names(olive.post(f"{VIEWS}/remove", {"name": "A"})) == ["Acme, private"]
    assert olive.post(f"{VIEWS}/remove", {"name": "A"}).status_code == 404
    assert olive.post(f"{VIEWS}/rename", {"name": "A", "to": "C"}).status_code == 404


@pytest.mark.parametrize("name", ["", "  \n", "x" * 61])
def test_what_is_no_name_is_refused(house: House, at_api: Ask, name: str) -> None:
    olive = at_api("olive")
    olive.post(VIEWS, {"name": "A"})
    assert olive.post(VIEWS, {"name": name}).status_code == 422
    assert olive.post(f"{VIEWS}/rename", {"name": "A", "to": name}).status_code == 422
    assert names(olive.get(VIEWS)) == ["A"]


def test_nobody_has_more_than_fifty(house: House) -> None:
    for n in range(saved_views.MOST):
        saved_views.save(house.olive, f"v{n}", {})
    with pytest.raises(Problem, match="remove one first"):
        saved_views.save(house.olive, "one more", {})
    saved_views.save(house.olive, "v1", {"risk": "low"})
    saved_views.save(house.ada, "v1", {})
    assert len(views.views(house.olive)) == saved_views.MOST


def test_a_view_is_its_persons_alone(house: House, at_api: Ask) -> None:
    olive, oskar = at_api("olive"), at_api("oskar")
    olive.post(VIEWS, PRIVATE)
    assert names(oskar.get(VIEWS)) == [], "the organization's owner reads none of it"
    assert oskar.post(f"{VIEWS}/remove", {"name": PRIVATE["name"]}).status_code == 404
    assert names(oskar.post(VIEWS, {"name": PRIVATE["name"], "risk": "low"})) == [PRIVATE["name"]]
    assert olive.get(VIEWS).json()["items"][0]["client"] == "acme"
    for actor in (house.oskar, house.carl, SYSTEM):
        with acting_as(actor):
            mine = SavedView.objects.exclude(person=actor.person)
            assert not mine.exists() and not mine.update(name="x") and not mine.delete()[0], actor.name


def test_row_security_lets_nobody_write_one_for_somebody_else(house: House) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), acting_as(house.oskar):
        SavedView.objects.bulk_create([SavedView(person_id=house.olive.person, name="x")])


def test_a_token_has_none(house: House) -> None:
    saved_views.save(house.olive, "A", {})
    token = replace(house.olive, sort="token")
    assert views.views(token) == []
    for act in (lambda: saved_views.save(token, "B", {}), lambda: saved_views.remove(token, "A"),
                lambda: saved_views.rename(token, "A", "B")):  # fmt: skip
        with pytest.raises(Problem):
            act()


def test_it_is_no_change_and_no_entry(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    olive.get(VIEWS)  # from now on she is signed in
    with acting_as(SYSTEM):
        before = Change.objects.count(), Entry.objects.count()
    assert names(olive.post(VIEWS, PRIVATE)) == [PRIVATE["name"]]
    with acting_as(SYSTEM):
        assert (Change.objects.count(), Entry.objects.count()) == before


def test_the_page_opens_saves_renames_and_removes(house: House) -> None:
    olive = visitor(house.olive)
    form = olive.get("/forwards/?client=acme&only=private&after=x").content.decode()
    assert 'name="only" value="private"' in form and 'name="after" value="x"' not in form.partition("Your views")[2]
    answer = olive.post("/forwards/views/", PRIVATE)
    assert (answer.status_code, answer["Location"]) == (302, "/forwards/?client=acme&only=private")
    said = olive.get("/forwards/").content.decode()
    (link,) = re.findall(r'href="([^"]*)">Acme, private<', said)
    assert unescape(link) == "/forwards/?only=private&client=acme" or "client=acme" in link
    assert 'value="private" selected' in olive.get(unescape(link)).content.decode()
    assert "Rename Acme, private" in olive.get("/forwards/views/rename/?name=Acme, private").content.decode()
    wrong = olive.post("/forwards/views/rename/", {"name": "Acme, private", "to": " "})
    assert wrong.status_code == 422 and "a name has one to" in wrong.content.decode()
    assert olive.post("/forwards/views/rename/", {"name": "Acme, private", "to": "<b>P"}).status_code == 302
    said = olive.get("/forwards/").content.decode()
    assert "&lt;b&gt;P" in said and "<b>P" not in said and "Acme, private" not in said
    oskar = visitor(house.oskar)
    assert "&lt;b&gt;P" not in oskar.get("/forwards/").content.decode()
    assert oskar.get("/forwards/views/rename/?name=<b>P").status_code == 404
    assert oskar.post("/forwards/views/remove/", {"name": "<b>P"}).status_code == 404
    assert olive.post("/forwards/views/remove/", {"name": "<b>P"}).status_code == 302
    assert "&lt;b&gt;P" not in olive.get("/forwards/").content.decode()


def test_the_program_opens_a_view_by_its_name(house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    olive, asked = at_api("olive"), list[str]()

    def ask(method: str, path: str, body: Any = None, **_: Any) -> Any:
        asked.append(path)
        return (olive.post(path, body) if method == "POST" else olive.get(path)).json()

    monkeypatch.setattr(remote, "ask", ask)
    run = lambda *said: CliRunner().invoke(program.leaving, said)  # noqa: E731
    assert run("--views").output == "none is saved\n"
    told = run("--client", "acme", "--private", "--search", "gmail", "--save-view", "Mine")
    assert told.exit_code == 0, told.output
    assert run("--views").output == "Mine: client acme, only private, q gmail\n"
    assert run("--view", "Mine").exit_code == 0
    assert asked[-1] == "/forwards-leaving?client=acme&search=gmail&private=true&limit=50"
    assert run("--view", "Mine", "--client", "globex").exit_code == 0 and "client=globex" in asked[-1]
    assert "no view of yours" in run("--view", "Yours").output
    assert run("--remove-view", "Mine").output == "none is saved\n"
