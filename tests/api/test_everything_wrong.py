"""Everything that is wrong with a request is said in one answer, each at its place."""

from collections.abc import Callable
from typing import Any

from cast import MIA, House, kind
from postroom.changes.approvals import approve
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.changes.readings import ZoneRead

Ask = Callable[[str], Any]


def said(answer: Any, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.content
    return {one["where"]: one["what"] for one in answer.json()["errors"]}


def sent(api: Any, name: str, params: Any, why: str = "x") -> Any:
    return api.post("/changes", {"kind": name, "params": params, "why": why})


def test_every_row_that_is_not_there_is_said_at_its_parameter(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    box = {"address": "leo@nowhere.example", "owner": "no@one.example", "operator": "nor@he.example"}
    assert said(sent(olive, "mailboxes.create", box), 404) == {
        "address": "no domain nowhere.example that you can see",
        "owner": "no person no@one.example that you can see",
        "operator": "no person nor@he.example that you can see",
    }
    known = {**box, "owner": "ada@northlight.example"}
    assert list(said(sent(olive, "mailboxes.create", [known, box]), 404)) == [
        "0.address", "0.operator", "1.address", "1.owner", "1.operator",
    ]  # fmt: skip
    # A person who is there and not yours, and one who is not: the same words.
    carl = at_api("carl")
    answers = [
        said(sent(carl, "mailboxes.change", {"mailbox": MIA, "owner": who}), 404)["owner"].replace(who, "…")
        for who in ("mia@globex.example", "no@one.example")
    ]
    assert len(set(answers)) == 1
    shared = {"address": "box@acme.example", "kind": "shared", "contact": "a@b.example", "owner": "no@one.example"}
    assert list(said(sent(olive, "mailboxes.create", shared))) == ["contact", "owner"]


def test_types_kind_and_reason_are_said_together(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    assert list(said(sent(olive, "mailboxes.crate", {}, " "))) == ["kind", "why"]
    assert list(said(sent(olive, "mailboxes.create", {"address": "x", "quota_mb": 0}, ""))) == [
        "address", "quota_mb", "why",
    ]  # fmt: skip
    many = [{"address": "x"}, {"address": "fine@acme.example"}, {"address": MIA}, {"address": "leo@nowhere.example"}]
    assert list(said(sent(olive, "mailboxes.create", many))) == ["0.address", "3.address", "2.address"]
    assert list(said(sent(olive, "mailboxes.create", [{"address": MIA}, {"address": "x"}]))) == [
        "1.address", "0.address",
    ]  # fmt: skip


def test_a_batch_says_each_at_its_change(house: House, at_api: Ask) -> None:
    olive = at_api("olive")
    parts = [
        {"kind": "nothing.such", "params": {}},
        {"kind": "mailboxes.create", "params": {"address": "x"}},
        {"kind": "mailboxes.create", "params": [{"address": "a@acme.example"}, {"address": "x"}]},
    ]
    assert list(said(olive.post("/batches", {"changes": parts, "why": ""}))) == [
        "changes.0.kind", "changes.1.address", "changes.2.1.address", "why",
    ]  # fmt: skip
    gone = [{"kind": "mailboxes.suspend", "params": {"mailbox": one}} for one in (MIA, "no@acme.example")]
    assert list(said(olive.post("/batches", {"changes": gone, "why": "x"}), 404)) == ["changes.1.mailbox"]
    same = [{"kind": "domains.add", "params": {"client": c, "name": "same.example"}} for c in ("acme", "globex")]
    assert said(olive.post("/batches", {"changes": same, "why": "x"})) == {
        "changes.1.name": "same.example stands twice in this batch, first in change 0"
    }
    assert olive.get("/domains/same.example").status_code == 404


def test_a_name_that_was_not_asked_for_is_said_at_what_it_is_made_from(house: House) -> None:
    """The addresses of the role accounts are nobody's parameter."""
    submit(kind("domains.add", client="acme", name="gone.example"), actor=house.olive, why="x")
    for wrong, where in (
        (kind("record_sets.set", domain="acme.example", name="a..b", type="A", values=["192.0.2.1"]), "name"),
        (kind("record_sets.set", domain="acme.example", type="XX", values=["192.0.2.1"]), "type"),
        (kind("record_sets.set", domain="acme.example", type="A", values=["x"]), "values"),
        (kind("clients.create", name="Acme"), "name"),
    ):
        try:
            submit(wrong, actor=house.oskar, why="x")
        except Problems as found:
            assert [one.where for one in found.problems] == [where]
        else:
            raise AssertionError(wrong)


def test_a_domain_is_told_everything_that_is_in_its_way(house: House, at_api: Ask) -> None:
    """Client and name, the zone as it was read, and others in the list: none waits for another to be mended."""
    olive, nobody = at_api("olive"), {"client": "no client nobody that you can see"}
    taken = {"name": "globex.example is already taken"}
    assert said(sent(olive, "domains.add", {"client": "nobody", "name": "globex.example"})) == {**nobody, **taken}
    assert said(sent(olive, "domains.add", {"client": "nobody", "name": "free.example"}), 404) == nobody
    assert said(sent(olive, "domains.add", {"client": "nobody", "name": "sub.globex.example"}), 404) == nobody
    submit(kind("clients.create", name="Gone"), actor=house.oskar, why="x")
    held = submit(kind("clients.remove", client="gone"), actor=house.olive, why="x")
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    house.zones["bad.example"] = ZoneRead("bad.example", failed="timed out")
    found = said(sent(olive, "domains.add", {"client": "gone", "name": "bad.example"}))
    assert found["client"] == "Gone is removed" and "timed out" in found["name"]
    found = said(sent(olive, "domains.add", {"client": "nobody", "name": "bad.example"}))
    assert found["client"] == nobody["client"] and "timed out" in found["name"]
    two = [{"client": "nobody", "name": "two.example"}, {"client": "acme", "name": "two.example"}]
    assert list(said(sent(olive, "domains.add", [*two, {"client": "gone", "name": "globex.example"}]))) == [
        "0.client", "2.client", "1.name", "2.name",
    ]  # fmt: skip
    box = {"address": MIA, "owner": "no@one.example"}
    assert said(sent(olive, "mailboxes.create", box)) == {
        "owner": "no person no@one.example that you can see", "address": f"{MIA} is already taken",
    }  # fmt: skip


def operates_at_acme(house: House, name: str) -> None:
    asked = kind("grants.give", person=f"{name}@northlight.example", role="operator", client="acme")
    given = submit(asked, actor=house.oskar, why="x")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)


def test_which_names_there_are_is_still_told_to_nobody_who_may_not_make_them(
    house: House, at_api: Ask, sql: Any
) -> None:
    operates_at_acme(house, "henry")
    for name in ("carl", "henry"):
        caller = at_api(name)
        answers = [
            said(sent(caller, "domains.add", {"client": "nobody", "name": one}), 404)
            for one in ("globex.example", "free.example")
        ]
        assert answers[0] == answers[1] == {"client": "no client nobody that you can see"}, name
    sql("UPDATE readings r SET client_id = d.client_id FROM domains d WHERE d.name = r.zone")  # as when read again
    theirs = {"client": "acme", "name": "globex.example"}
    operates_at_acme(house, "carl")  # who, unlike Henry, sees nothing of Globex
    told = sent(at_api("carl"), "domains.add", theirs).json()["errors"]
    assert told == [{"where": "name", "what": "globex.example is already taken"}], "and not that it was not read"
    mixed = [{"client": "acme", "name": "acme.example"}, {"client": "nobody", "name": "globex.example"}]
    assert list(said(sent(at_api("henry"), "domains.add", mixed))) == ["1.client", "0.name"]
