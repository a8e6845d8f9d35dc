"""Which fields each operation of the API answers with, by name: one more is seen here before anybody outside sees it.

When a field is meant to come or go, delete tests/golden/api_keys.json and run this once: it writes the file, and fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asked import API, Asked, value
from asked_kinds import OF_A_CLIENT
from cells import filled
from factories import soon
from principals import NAMED
from three_clients import Ground, World

from postroom.api import objects

pytestmark = pytest.mark.matrix
GOLDEN = Path(__file__).parents[1] / "golden" / "api_keys.json"
# What is of one kind or check, and of no operation: these differ by what was done, and are held by other tests.
OPAQUE = {"params", "facts", "before", "after", "evidence", "found", "lines", "components", "paths", "set_aside",
          "erased"}  # fmt: skip
WRITTEN = {
    "POST /api/v1/changes": lambda here: {
        "kind": "mailboxes.change", "params": OF_A_CLIENT["mailboxes.change"](here), "why": "x"},
    "POST /api/v1/batches": lambda here: {
        "changes": [{"kind": "clients.change", "params": {"client": here.slug, "notes": "y"}}], "why": "x"},
    "POST /api/v1/tokens": lambda here: {
        "name": "x", "permissions": ["mailboxes.view"], "until": soon(), "why": "x"},
}  # fmt: skip
LAST = ("POST /api/v1/changes/<change_id>/approve", "POST /api/v1/session/end")


def keys(said: Any, at: str = "") -> set[str]:
    """`items[].client` and the like, of everything in an answer."""
    if isinstance(said, list):
        return {one for part in said for one in keys(part, f"{at}[]")}
    if not isinstance(said, dict):
        return {at} if at else set()
    found = set()
    for name, inside in said.items():
        place = f"{at}.{name}" if at else name
        found |= {place} if name in OPAQUE else keys(inside, place) or {place}
    return found


def asked_of(what: str, asked: Asked, here: Ground, http: Any) -> Any:
    method, path = what.split(" ", 1)
    url = filled(path, {name: value(here, of[0]) for name, of in asked.args.items()}).replace("<ref>", "mx1")
    body = WRITTEN.get(what, asked.body)
    sent = json.dumps(body(here)).encode() if body else b""
    return http.generic(method, url + asked.query, sent, content_type="application/json")


def answered(world: World) -> dict[str, list[str]]:
    """Operation → its status and fields, asked as an owner about A."""
    http, found = NAMED["owner"].at_api(world), {}
    order = {what: n for n, what in enumerate(LAST, start=1)}
    for what in sorted(API, key=lambda one: (order.get(one, 0), not one.startswith("GET"))):
        answer = asked_of(what, API[what], world["A"], http)
        said = answer.json() if "json" in answer["Content-Type"] else {}
        found[what] = [str(answer.status_code), *sorted(keys(said))]
        answer.close()
    return found


def test_every_operation_answers_with_the_fields_it_is_known_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answered(world)
    assert set(found) == set(API)
    if not GOLDEN.exists():
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        pytest.fail(f"{GOLDEN.name} was written anew: read what changed in it")
    golden = json.loads(GOLDEN.read_text())
    assert found == golden
    real = objects.one
    monkeypatch.setattr(objects, "one", lambda *args, **more: {**real(*args, **more), "proof_token": "x"})
    what = "GET /api/v1/domains/<ref>"
    one = asked_of(what, API[what], world["A"], NAMED["auditor"].at_api(world))
    assert sorted(keys(one.json())) != golden[what][1:], "a field more is found"


SECRETS = {"value", "proof_token", "hash", "secret", "password", "link", "token", "recovery_code"}
SHOWN_ONCE = {"POST /api/v1/tokens": {"token"}, "POST /api/v1/invites/<invite_id>/link": {"link"}}


def test_no_answer_names_what_opens_something() -> None:
    """Fields by the names that secrets have, but where somebody asked for one of their own."""
    for what, fields in json.loads(GOLDEN.read_text()).items():
        named = {one.rpartition(".")[2] for one in fields} & SECRETS
        assert named <= SHOWN_ONCE.get(what, set()), (what, named)
