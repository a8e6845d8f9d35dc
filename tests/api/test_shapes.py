"""Answers about changes are as the document says: which fields, whether each is always there, and of what sort."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cast import MIA

SORTS = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict, "null": type(None)}
ALWAYS = {"id", "kind", "stage", "plan_hash", "edits", "verdicts", "deliveries", "incomplete"}


class Described:
    """The document, and which of its schemas answers were held against."""

    def __init__(self) -> None:
        self.document = Client(headers={"host": "localhost"}).get("/api/v1/openapi.json").json()
        self.met: set[str] = set()

    def of(self, method: str, path: str, status: int) -> Any:
        answers = self.document["paths"][f"/api/v1{path}"][method]["responses"]
        return answers[str(status)]["content"]["application/json"]["schema"]

    def held(self, answer: Any, method: str, path: str, status: int = 200) -> Any:
        """The answer, which is as the document says."""
        assert answer.status_code == status, answer.content
        told, schema = answer.json(), self.of(method, path, status)
        assert "properties" in schema, f"{method} {path} names no field"
        wrong = self.differs(told, schema, "")
        assert not wrong, wrong
        return told

    def differs(self, value: Any, schema: dict[str, Any], at: str) -> list[str]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self.met.add(name)
            schema = self.document["components"]["schemas"][name]
        if "anyOf" in schema:
            tried = [self.differs(value, one, at) for one in schema["anyOf"]]
            return min(tried, key=len)
        if "type" not in schema:
            return []
        if not isinstance(value, SORTS[schema["type"]]):
            return [f"{at} is {value!r}, not {schema['type']}"] * 100
        if isinstance(value, list):
            return [wrong for n, one in enumerate(value) for wrong in self.differs(one, schema["items"], f"{at}[{n}]")]
        return self._inside(value, schema, at) if isinstance(value, dict) and "properties" in schema else []

    def _inside(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
        known = schema["properties"]
        wrong = [f"{at}.{name} is not described" for name in value.keys() - known.keys()]
        wrong += [f"{at}.{name} is not there" for name in set(schema["required"]) - value.keys()]
        for name in value.keys() & known.keys():
            wrong += self.differs(value[name], known[name], f"{at}.{name}")
        return wrong


@pytest.fixture
def described(house: Any) -> Described:
    return Described()


def test_every_answer_about_a_change_is_as_the_document_says(at_api: Any, described: Described) -> None:
    olive, ada, held = at_api("olive"), at_api("ada"), described.held
    made = olive.change("mailboxes.create", {"address": "nia@acme.example", "contact": "nia@home.test"})
    told = held(made, "post", "/changes")
    assert told["deliveries"] and told["incomplete"] and told["edits"]
    held(olive.change("mailboxes.suspend", {"mailbox": MIA}, dry_run=True), "post", "/changes")
    waiting = held(olive.change("mailboxes.remove", {"mailbox": MIA}), "post", "/changes", 202)
    path = f"/changes/{waiting['id']}"
    seen = {"plan_hash": waiting["plan_hash"]}
    done = held(ada.post(f"{path}/approve", seen), "post", "/changes/{change_id}/approve")
    assert done["approvals"] and done["version"]
    undone = held(olive.post(f"{path}/undo", {"why": "x"}), "post", "/changes/{change_id}/undo")
    again = held(olive.change("mailboxes.remove", {"mailbox": MIA}), "post", "/changes", 202)
    path = f"/changes/{again['id']}"
    held(olive.post(f"{path}/withdraw", {"why": "x"}), "post", "/changes/{change_id}/withdraw")
    held(olive.post(f"{path}/replan", {"why": "x"}), "post", "/changes/{change_id}/replan", 202)
    whole = held(olive.get(f"/changes/{undone['id']}"), "get", "/changes/{change_id}")
    one = described.of("get", "/changes/{change_id}", 200)
    assert set(whole) == set(one["properties"]) - {"dry_run"}
    for path in ("/changes", *(f"/changes/{{change_id}}/{verb}" for verb in ("approve", "withdraw", "undo", "replan"))):
        assert all(set(described.of("post", path, status)["required"]) >= ALWAYS for status in (200, 202)), path
    assert held(olive.get("/changes"), "get", "/changes")["items"]


def test_what_is_looked_at_afterwards_and_what_an_undo_leaves_is_described_too(
    at_api: Any, described: Described
) -> None:
    olive, ada = at_api("olive"), at_api("ada")
    nia = {"address": "nia@acme.example", "contact": "nia@home.test"}
    assert olive.change("mailboxes.create", nia).status_code == 200
    gone = olive.change("mailboxes.remove", {"mailbox": nia["address"]}).json()
    ada.post(f"/changes/{gone['id']}/approve", {"plan_hash": gone["plan_hash"]})
    path = "/changes/{change_id}/undo"
    back = described.held(olive.post(path.format(change_id=gone["id"]), {"why": "x"}), "post", path)
    assert back["left_out"], "its link has ended, and is given anew"
    frozen = olive.change("freezes.start", {"scope": "acme", "reason": "x"}).json()
    row = next(one["id"] for one in frozen["edits"] if one["table"] == "freezes")
    marked = described.held(olive.change("freezes.end", {"freeze": row}), "post", "/changes")
    assert marked["reviews"], marked
    assert described.met >= {"LeftStanding", "ReviewOut", "Verdict", "EditOut", "Who"}


def test_a_batch_is_as_the_document_says(at_api: Any, described: Described) -> None:
    olive = at_api("olive")
    parts = [{"kind": "clients.change", "params": {"client": one, "notes": "x"}} for one in ("acme", "globex")]
    answer = olive.post("/batches", {"changes": parts, "why": "x"})
    told = described.held(answer, "post", "/batches", answer.status_code)
    described.held(olive.get(f"/batches/{told['id']}"), "get", "/batches/{batch_id}")
    back = olive.post(f"/batches/{told['id']}/undo", {"why": "x"})
    described.held(back, "post", "/batches/{batch_id}/undo", back.status_code)
    assert described.met >= {"ChangeOut", "EditOut"}


def test_an_answer_that_is_not_as_it_is_described_is_seen(at_api: Any, described: Described) -> None:
    told = at_api("olive").change("mailboxes.suspend", {"mailbox": MIA}).json()
    schema = described.of("post", "/changes", 200)
    assert described.differs(told, schema, "") == []
    assert described.differs({**told, "new": 1}, schema, "") == [".new is not described"]
    assert described.differs({one: told[one] for one in told if one != "edits"}, schema, "") == [".edits is not there"]
    assert described.differs({**told, "kind": 7}, schema, "")
