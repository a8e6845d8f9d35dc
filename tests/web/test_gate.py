"""The gate: what says nothing of itself is closed, whatever made it; what is said stands in the docs."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLResolver, include, path
from django.urls.resolvers import RegexPattern
from visitors import visitor

from cast import House
from postroom.access.declared import MAILBOX, OWN, PUBLIC, Declared
from postroom.api.door import Bearer, anybody, reads
from postroom.api.urls import Api
from postroom.changes.cover import permissions
from postroom.cli.routes import routes as command
from postroom.web.door import by_method, page, public
from postroom.web.routes import NOTHING, Route, routes
from postroom.web.routes import page as documented
from postroom.web.urls import urlpatterns

DOCS = Path(__file__).parents[2] / "docs" / "routes.md"
SRC = Path(__file__).parents[2] / "src" / "postroom"
GATE = "postroom.web.gate.Gate"


def silent(found: list[Route]) -> list[str]:
    return [f"{one.method} {one.path}" for one in found if one.said is None]


def test_every_method_of_every_route_says_whom_it_lets_in() -> None:
    found = routes()
    assert silent(found) == [] and len(found) > 150
    assert {"/api/v1/openapi.json", "/api/v1/", "/account/2fa/"} <= {one.path for one in found}, (
        "the libraries' own too"
    )


def test_what_is_asked_for_is_a_permission_that_somebody_can_be_given() -> None:
    wanted = {one.said.permission for one in routes() if one.said} - {PUBLIC, OWN, MAILBOX}
    assert wanted <= set(permissions()) and len(wanted) > 20


def test_nothing_can_be_declared_without_a_permission() -> None:
    with pytest.raises(ValueError, match="public, own or a permission"):
        Declared("")


@public(GET="")
def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


def half_forgotten() -> Any:
    return by_method(GET=open_for_methods, POST=forgotten)


@page("changes.view")
def open_for_methods(request: Any) -> HttpResponse:
    return HttpResponse("open")


def wild() -> Api:
    """An API in which an operation of each sort was forgotten: plain, hidden, one method of two."""
    api = Api(urls_namespace="wild", auth=Bearer(), docs_url="/docs")

    @api.get("/open", auth=None)
    @anybody()
    def told(request: HttpRequest) -> dict[str, str]:
        return {"said": "open"}

    @api.get("/plain", auth=None)
    def plain(request: HttpRequest) -> dict[str, str]:
        return {"said": "secret"}

    @api.get("/hidden", include_in_schema=False, auth=None)
    def hidden(request: HttpRequest) -> dict[str, str]:
        return {"said": "secret"}

    @api.get("/half", auth=None)
    @anybody()
    def half(request: HttpRequest) -> dict[str, str]:
        return {"said": "open"}

    @api.patch("/half", auth=None)
    def other_half(request: HttpRequest) -> dict[str, str]:
        return {"said": "secret"}

    @api.get("/asks")
    @reads("changes.view")
    def asks(request: HttpRequest) -> dict[str, str]:
        return {"said": "open"}

    return api


class Wild:
    """URLs as somebody may leave them."""

    def __init__(self) -> None:
        self.urlpatterns = [
            path("wild/open/", open_to_all), path("wild/forgotten/", forgotten), path("wild/half/", half_forgotten()),
            path("wild/api/", wild().urls), path("wild/deep/", include([path("more/", forgotten)])), *urlpatterns,
        ]  # fmt: skip


@pytest.fixture
def in_the_wild(monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    left = Wild()
    monkeypatch.setattr(settings, "ROOT_URLCONF", left)
    return routes(URLResolver(RegexPattern(r"^/"), left))


CLOSED = [
    ("GET", "/wild/forgotten/"), ("POST", "/wild/forgotten/"), ("HEAD", "/wild/forgotten/"),
    ("PUT", "/wild/forgotten/"),
    ("POST", "/wild/half/"), ("GET", "/wild/deep/more/"), ("GET", "/wild/api/plain"), ("GET", "/wild/api/hidden"),
    ("PATCH", "/wild/api/half"), ("GET", "/wild/api/docs"),
]  # fmt: skip
OPEN = [("GET", "/wild/open/"), ("HEAD", "/wild/open/"), ("GET", "/wild/half/"), ("GET", "/wild/api/open"),
        ("GET", "/wild/api/half"), ("GET", "/wild/api/openapi.json")]  # fmt: skip


def test_what_says_nothing_of_itself_answers_403_to_everybody(
    house: House, in_the_wild: list[Route], monkeypatch: pytest.MonkeyPatch
) -> None:
    for browser in (visitor(house.oskar), Client(SERVER_NAME="localhost")):
        for method, url in CLOSED:
            answer = browser.generic(method, url)
            assert answer.status_code == 403 and b"secret" not in answer.content, (method, url)
    for method, url in OPEN:
        assert visitor(house.oskar).generic(method, url).status_code == 200, (method, url)
    assert visitor(house.oskar).generic("DELETE", "/wild/open/").status_code == 405, "nobody answers it at all"
    assert Client(SERVER_NAME="localhost").get("/wild/api/asks").status_code == 401
    monkeypatch.setattr(settings, "MIDDLEWARE", [one for one in settings.MIDDLEWARE if one != GATE])
    assert Client(SERVER_NAME="localhost").get("/wild/forgotten/").content == b"secret", "it is the gate that closes it"
    assert b"secret" in Client(SERVER_NAME="localhost").get("/wild/api/hidden").content


def test_a_route_that_says_nothing_is_found(in_the_wild: list[Route]) -> None:
    assert set(silent(in_the_wild)) == {
        "* /wild/forgotten/", "POST /wild/half/", "* /wild/deep/more/", "GET /wild/api/plain", "GET /wild/api/hidden",
        "PATCH /wild/api/half", "* /wild/api/docs",
    }  # fmt: skip


def test_the_docs_list_every_route_as_the_code_has_it() -> None:
    assert DOCS.read_text() == documented(), "docs/routes.md is out of date: run postroom routes > docs/routes.md"
    assert NOTHING not in documented()
    listed = json.loads(CliRunner().invoke(command, ["--json"]).output)
    assert len(listed) == len(routes()) and {"POST", "GET"} == {one["method"] for one in listed}
    approving = next(one for one in listed if one["path"] == "/api/v1/changes/<change_id>/approve")
    assert approving["permission"] == "changes.view" and approving["step_up"] == "by what is asked"
    assert approving["recorded"] == "the change"


def test_what_asks_for_a_fresh_factor_says_so() -> None:
    """Of views that ask in their own words, `step_up.before…`; those that leave it to another function say so too."""
    asking = [door for door in doors() if "step_up.before" in ast.unparse(door.view)]
    assert len(asking) > 10
    for door in asking:
        assert door.step_up, door.where


def test_what_says_that_it_always_asks_for_a_fresh_factor_asks() -> None:
    """By itself, by another function of its file, or by an export, which asks (queries/exporting.py)."""
    saying = [door for door in doors() if door.step_up == "ALWAYS"]
    assert len(saying) > 9
    assert [door.where for door in saying if not asks(door.view, door.beside)] == []
    exports = [SRC / "queries" / name for name in ("take_out.py", "sheet_files.py")]
    for source in exports:
        take_out = functions(source)["take_out"]
        assert "exporting(" in ast.unparse(take_out) and "fresh=fresh" in ast.unparse(take_out), source.name


@dataclass(frozen=True)
class DoorOf:
    """A view that is an act, or submits. step_up: what it says of a fresh factor. beside: functions of its file."""

    where: str
    view: ast.FunctionDef
    step_up: str
    beside: dict[str, ast.FunctionDef]


def functions(source: Path) -> dict[str, ast.FunctionDef]:
    return {one.name: one for one in ast.walk(ast.parse(source.read_text())) if isinstance(one, ast.FunctionDef)}


def doors() -> Iterator[DoorOf]:
    for source in (*SRC.glob("web/*.py"), *SRC.glob("api/*.py")):
        beside = functions(source)
        for view in beside.values():
            for one in view.decorator_list:
                if isinstance(one, ast.Call) and getattr(one.func, "id", "") in ("act", "submits"):
                    said = {word.arg: ast.unparse(word.value) for word in one.keywords}
                    yield DoorOf(f"{source.name} {view.name}", view, said.get("step_up", ""), beside)


def asks(view: ast.FunctionDef, beside: dict[str, ast.FunctionDef]) -> bool:
    called = {ast.unparse(one.func) for one in ast.walk(view) if isinstance(one, ast.Call)}
    if "step_up.before" in called or "take_out" in called:
        return True
    others = {name: one for name, one in beside.items() if name != view.name}
    return any(asks(others[name], others) for name in called & set(others))
