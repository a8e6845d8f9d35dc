"""Every error under /api/ is an RFC 9457 problem document, at every operation, and none of them is a page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from test_doors import operations

from cast import House
from postroom.api.urls import api

Ask = Callable[[str], Any]
SOMEBODY = "0197f000-0000-7000-8000-000000000000"
BODY = {"why": "x", "kind": "x", "changes": [], "plan_hash": "x", "contact": "x", "device_code": "x", "name": "x",
        "to": "x", "permissions": [], "until": "2099-01-01T00:00:00Z"}  # fmt: skip
OPERATIONS = operations()


def address(path: str) -> str:
    for name in ("change_id", "batch_id", "invite_id", "finding_id", "round_id", "verification_id"):
        path = path.replace(f"{{{name}}}", SOMEBODY)
    return "/api/v1" + path.replace("{ref}", "acme").replace("{address}", "a@b.test").replace(
        "{review_id}", "1"
    ).replace("{number}", "1")


def reads_a_body(one: Any) -> bool:
    return any(model.__ninja_param_source__ == "body" for model in one.models)


def body_of(one: Any) -> str:
    """A body as the operation reads it, by its own schema."""
    known = {name for model in one.models if model.__ninja_param_source__ == "body"
             for field in model.model_fields.values() for name in field.annotation.model_fields}  # fmt: skip
    return json.dumps({name: value for name, value in BODY.items() if name in known})


def said(answer: Any, status: int, about: Any = None) -> dict[str, Any]:
    """The problem of an answer, which is one and nothing else."""
    assert answer.status_code == status, (about, answer.status_code, answer.content[:300])
    assert answer["Content-Type"] == "application/problem+json" and b"<" not in answer.content, about
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == status and problem["type"].startswith("/problems/"), about
    assert all(isinstance(problem[name], str) and problem[name] for name in ("title", "detail")), (about, problem)
    assert answer["Cache-Control"] == "no-store", about
    return problem


def each() -> Iterator[tuple[str, str, Any]]:
    assert len(OPERATIONS) > 30
    for method, path, one in OPERATIONS:
        assert "{" not in address(path), path
        yield method, address(path), one


@pytest.fixture
def olive(house: House, at_api: Ask) -> Client:
    http: Client = at_api("olive").http
    return http


def test_what_is_no_operation_is_said_as_a_problem() -> None:
    for host, method, path, status in (
        ("localhost", "GET", "/api", 404), ("localhost", "GET", "/api/", 404), ("localhost", "GET", "/api/v2/x", 404),
        ("localhost", "GET", "/api/v1", 404), ("localhost", "GET", "/api/v1/", 404),
        ("localhost", "POST", "/api/v1/nothing", 404), ("localhost", "GET", "/api/v1/clients/", 404),
        ("localhost", "GET", "/api/v1/<script>", 404), ("localhost", "GET", "/api/v1/clients?search=%00", 400),
        ("evil.example", "GET", "/api/v1/openapi.json", 400), ("evil.example", "POST", "/api/v1/device", 400),
        ("a b", "GET", "/api/v1/clients", 400),
    ):  # fmt: skip
        problem = said(Client().generic(method, path, headers={"host": host}), status, path)
        assert ("http://localhost" in problem["detail"]) == (host != "localhost"), problem


def test_the_method_an_address_does_not_take_is_said_with_those_it_does(house: House) -> None:
    http, taken = Client(headers={"host": "localhost"}), {}
    for method, url, _ in each():
        taken.setdefault(url, {"OPTIONS"}).update([method, "HEAD"] if method == "GET" else [method])
    for url, methods in taken.items():
        for other in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = http.generic(other, url)
            assert other in said(answer, 405, url)["detail"]
            assert set(answer["Allow"].split(", ")) == methods, url
        answer = http.options(url)
        assert (answer.status_code, answer.content) == (204, b"") and set(answer["Allow"].split(", ")) == methods


def test_a_body_that_cannot_be_read_is_said_at_every_operation_that_reads_one(olive: Client) -> None:
    large = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    for method, url, one in each():
        if not reads_a_body(one):
            continue
        for body in ("{", "nonsense", '{"why": }', b"\xff\xfe", "[" * 100_000):
            said(olive.generic(method, url, body, content_type="application/json"), 400, url)
        for body in ("[]", "7", "null", '"x"', json.dumps({"wy": "x"})):
            problem = said(olive.generic(method, url, body, content_type="application/json"), 422, url)
            assert problem["errors"], (url, body)
        for sort in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            answer = olive.generic(method, url, body_of(one), content_type=sort)
            assert said(answer, 415, url)["type"] == "/problems/media-type"
        said(olive.generic(method, url, large, content_type="application/json"), 413, url)


def test_json_may_say_its_characters(olive: Client) -> None:
    answer = olive.generic("POST", "/api/v1/changes", b'{"kind": "x"}', content_type="application/json; charset=utf-8")
    assert said(answer, 422)["errors"][0]["where"] == "why"


def test_head_is_answered_like_get_without_the_content(olive: Client) -> None:
    for method, url, _ in each():
        if method == "GET" and not url.endswith("/record"):  # taking a record out is an entry, with a time in it
            get, head = olive.get(url), olive.head(url)
            assert (head.status_code, head["Content-Type"], head.content) == (get.status_code, get["Content-Type"], b"")
            assert head["Content-Length"] == str(len(get.content)), url
    said(olive.get("/api/v1/clients/nobody"), 404)


def test_whoever_asks_for_a_page_gets_json_too(olive: Client) -> None:
    for method, url, one in each():
        answer = olive.generic(
            method, url, body_of(one), content_type="application/json", headers={"accept": "text/html"}
        )
        assert answer["Content-Type"].startswith("application/"), (url, answer.content[:200])
        if answer.status_code >= 400:
            said(answer, answer.status_code, url)


def test_a_fault_of_our_own_is_said_without_what_it_was(
    olive: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the inside of it")

    for router in api._get_bound_routers():  # what the addresses call is a copy of what the routers hold
        for view in router.path_operations.values():
            for one in view.operations:
                monkeypatch.setattr(one, "view_func", broken)
    for method, url, one in each():
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answer = olive.generic(method, url, body_of(one), content_type="application/json")
        if reads_a_body(one) and answer.status_code == 422:
            raise AssertionError((url, answer.content))
        assert "inside" not in json.dumps(said(answer, 500, url))
        assert "the inside of it" in caplog.text, "and stands in the log"


def test_a_database_that_is_away_is_said_at_every_operation(olive: Client) -> None:
    was = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        for method, url, one in each():
            answer = olive.generic(method, url, body_of(one), content_type="application/json")
            said(answer, 503, url)
            assert answer["Retry-After"] == "5"
    finally:
        connection.settings_dict["HOST"] = was


def test_the_document_has_the_schema_of_problems_at_every_operation() -> None:
    document = Client(headers={"host": "localhost"}).get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert set(schemas["ProblemDetails"]["required"]) == {"type", "title", "status", "detail"} and "Wrong" in schemas
    found = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation["responses"]["default"]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
            found += 1
    assert found == len(OPERATIONS) and api.get_openapi_schema() is not None
