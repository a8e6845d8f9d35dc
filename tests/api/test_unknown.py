"""What an operation does not know it refuses by name: in the query, in the body, in what the body holds."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import BaseModel
from test_doors import operations

from cast import House
from postroom.api import unknown
from postroom.changes.kind import KINDS

Ask = Callable[[str], Any]
ID = "01900000-0000-7000-8000-000000000001"
EXTRA = "surplus"


def addressed(path: str) -> str:
    for name in ("change_id", "batch_id", "invite_id", "finding_id", "round_id", "verification_id"):
        path = path.replace(f"{{{name}}}", ID)
    return "/api/v1" + path.replace("{ref}", "acme").replace("{address}", "a@b.test").replace("{number}", "1").replace(
        "{review_id}", "1"
    )


def sources(one: Any, source: str) -> list[Any]:
    return [model for model in one.models if model.__ninja_param_source__ == source]


def bodies(schema: Any) -> Iterator[type[BaseModel]]:
    """A schema and every schema in it."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        yield schema
        for field in schema.model_fields.values():
            yield from bodies(field.annotation)
    for inside in getattr(schema, "__args__", ()):
        yield from bodies(inside)


def answered(http: Client, method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    answer = http.generic(method, addressed(path) + query, body, content_type="application/json")
    return answer.status_code, [one["where"] for one in answer.json().get("errors", ())]


def test_every_operation_refuses_a_parameter_that_it_does_not_know(house: House, at_api: Ask) -> None:
    http = at_api("oskar").http
    for method, path, one in operations():
        body = b"{}" if sources(one, "body") else b""
        code, where = answered(http, method, path, f"?{EXTRA}=1", body)
        assert code == 422, (method, path, code)
        assert EXTRA in where or sources(one, "body"), (method, path, where)


def test_a_parameter_is_said_once(house: House, at_api: Ask) -> None:
    http = at_api("oskar").http
    for method, path, one in operations():
        for model in sources(one, "query"):
            for name in set(model.__ninja_flatten_map__) - {"at", "since", "until", "object", "after", "limit"}:
                assert answered(http, method, path, f"?{name}=acme&{name}=globex") == (422, [name]), (path, name)


def test_every_operation_refuses_fields_of_a_body_that_it_does_not_know(house: House, at_api: Ask) -> None:
    http = at_api("oskar").http
    for method, path, _ in operations():
        code, where = answered(http, method, path, body=b'{"%s": 1}' % EXTRA.encode())
        assert code == 422 and EXTRA in where, (method, path, code, where)


@pytest.mark.parametrize("body", [b"[" * 20_000, b"no json", b"\xff", b"[1]"])
def test_a_body_that_cannot_be_read_is_refused_too(house: House, at_api: Ask, body: bytes) -> None:
    assert answered(at_api("oskar").http, "GET", "/clients", body=body) == (422, ["body"])


def test_what_stands_inside_of_a_body_is_held_to_it_too(house: House, at_api: Ask) -> None:
    found = [schema for *_, one in operations() for model in sources(one, "body") for schema in bodies(model)]
    ours = {schema for schema in found if schema.__module__.startswith("postroom")}
    assert len(ours) > 6 and all(schema.model_config.get("extra") == "forbid" for schema in ours)
    assert all(kind.model_config.get("extra") == "forbid" for kind in KINDS.values())
    oskar = at_api("oskar")
    inside = {"changes": [{"kind": "clients.change", "params": {"client": "acme", "notes": "x"}, EXTRA: 1}], "why": "x"}
    assert oskar.post("/batches", inside).status_code == 422
    assert oskar.change("clients.change", {"client": "acme", "notes": "x", "slug": "mine"}).status_code == 422


def test_it_is_this_check_that_refuses(house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    oskar = at_api("oskar")
    asked = "/clients?cleint=acme"
    assert oskar.get(asked).status_code == 422
    monkeypatch.setattr("postroom.api.door.only_asked", lambda request, view: None)
    assert len(oskar.get(asked).json()["items"]) > 1, "misspelt, and everything was shown"
    assert unknown.NAMED > 1
