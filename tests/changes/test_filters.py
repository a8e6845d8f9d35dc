"""Filters of a mailbox: what its owner writes nobody reads in the record; whoever sets one for them says what it is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from psycopg.types.json import Jsonb

from cast import MIA, House, acknowledged, again, agreed, do, kind, left, owner_of, reasons, redeemed, the
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.agreement import differs
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NotAllowed, NothingToDo, Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Filter, Letter, RecordedEdit, Secret
from postroom.protocols.filters import Answer, Filters, Rule, read, script

Connect = Callable[[str], Node]
OWN = script(Filters((Rule("from", "dr-brown@clinic.example", "Health"),)))


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    """Acme's node with an empty list; Mia has set her secret."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    one = node("mx1")
    acknowledge(one)
    return one


def written(text: str = OWN) -> Change:
    """By Mia, signed in to her mailbox."""
    return submit(kind("filters.write"), actor=owner_of(MIA), why="written by its owner", secrets={"filter": text})


def row(node: Node) -> dict[str, Any] | None:
    """The one object on the node's list that is a filter."""
    (found,) = [one["secrets"]["filter"] for one in pull(node).values() if one and "filter" in one.get("secrets", {})]
    return dict(found[0])


def recorded() -> str:
    with acting_as(SYSTEM), connection.cursor() as cursor:
        lines = [f"{one.before}{one.after}" for one in RecordedEdit.objects.all()]
        cursor.execute("SELECT params::text FROM changes")
        return "".join(lines) + "".join(line for (line,) in cursor.fetchall())


def kept() -> Filter:
    return the(Filter)


def test_what_an_owner_writes_goes_to_the_node_and_is_not_recorded(house: House, mx1: Node) -> None:
    change = written()

    assert row(mx1) == {
        "address": MIA, "revision": 1, "active": 1, "clears": 0, "digest": hashlib.sha256(OWN.encode()).hexdigest(),
        "script": base64.b64encode(OWN.encode()).decode(),
    }  # fmt: skip
    assert "clinic" not in recorded() and "Health" not in recorded() and kept().text == ""
    assert again(change).stage == "applied"
    acknowledge(mx1)
    acknowledged()
    assert again(change).stage == "verified"


def test_each_is_a_revision_and_takes_the_one_before_away(house: House, mx1: Node) -> None:
    written()
    acknowledge(mx1)
    written("keep;")

    assert (row(mx1) or {})["revision"] == 2 and base64.b64decode((row(mx1) or {})["script"]) == b"keep;"
    with acting_as(SYSTEM):
        assert Secret.objects.filter(purpose="filter").count() == 1


@pytest.mark.parametrize("said", ["another digest", "another is in force", "nothing"])
def test_it_is_verified_by_what_the_node_read_alone(house: House, mx1: Node, said: str) -> None:
    change = written()
    listed, question = pull(mx1), f"sieve script of {MIA}, revision 1"
    answer = {"another digest": {"active": "postroom", "digest": "0" * 64}, "another is in force": {"active": "mine"}}
    lines = [{"question": "generation of maps", "answer": 1}]
    if said in answer:
        lines.append({"question": question, "answer": answer[said]})  # type: ignore[dict-item]

    mx1.execute("SELECT node_ack(%s, %s)", [list(listed), Jsonb([lines for _ in listed])])
    acknowledged()

    assert again(change).stage == "applied"


def test_ended_it_is_out_of_force_and_its_text_is_gone(house: House, mx1: Node) -> None:
    written()
    acknowledge(mx1)
    do("filters.end", owner_of(MIA), mailbox=MIA)

    found = row(mx1) or {}
    assert (found["active"], found["script"], found["revision"]) == (0, "", 2)
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(purpose="filter").exists()
    with pytest.raises(Problems, match="no script was put in force"):
        do("filters.end", house.olive, mailbox=MIA)


def test_who_sets_one_for_somebody_is_recorded_and_the_owner_is_told(house: House, mx1: Node) -> None:
    away = {"subject": "Away", "reply": "Mia is ill. Write to team@acme.example.", "last": "2026-12-24"}
    done = do("filters.set", house.olive, mailbox=MIA, **away)

    assert done.version, reasons(done)
    made = read(base64.b64decode((row(mx1) or {})["script"]).decode())
    assert made is not None and isinstance(made.answer, Answer) and made.answer.subject == "Away"
    assert kept().text.endswith("}") and "Mia is ill" in recorded()
    with acting_as(SYSTEM):
        told = Letter.objects.filter(says="filter set").values_list("contact", flat=True)
        assert sorted(told) == [MIA, "mia@home.test"]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"script": "keep;\nfoo;"}, "line 2: there is no command 'foo'"),
        ({"script": 'redirect "olive@acme.example";'}, "make a forward"),
        ({"script": 'require "variables"; if true { redirect "${x}"; }'}, "make a forward"),
        ({"script": "keep;", "reply": "x"}, "a script, or what is answered"),
        ({}, "a script, or what is answered"),
        ({"reply": "x"}, "the subject is one line"),
        ({"reply": "x", "subject": "x", "first": "2026-12-02", "last": "2026-12-01"}, "before the first"),
    ],
)
def test_what_is_not_set_for_somebody(house: House, params: dict[str, Any], why: str) -> None:
    with pytest.raises(Problems, match=why):
        do("filters.set", house.olive, mailbox=MIA, **params)


def test_nobody_but_its_owner_writes_and_who_may_not_sets_none(house: House, mx1: Node) -> None:
    with pytest.raises((NotAllowed, Problems)):
        submit(kind("filters.write"), actor=house.olive, why="a test", secrets={"filter": "keep;"})
    for who in (house.henry, house.audrey, house.ada):
        assert do("filters.set", who, mailbox=MIA, script="keep;").stage == "refused"
    assert do("filters.set", house.carl, mailbox=MIA, script="keep;").version


def test_of_a_vip_a_second_person_agrees_and_the_owner_alone_does_not_wait(house: House, mx1: Node) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    change = do("filters.set", house.olive, mailbox=MIA, script="keep;")

    assert change.stage == "held" and "filter at the mailbox of a VIP" in reasons(change)
    assert written().version
    held = again(change)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).stage in ("stale", "refused")


def test_an_undo_brings_no_older_one_back(house: House, mx1: Node) -> None:
    do("filters.set", house.olive, mailbox=MIA, script="keep;")
    second = do("filters.set", house.olive, mailbox=MIA, script="stop;")
    with pytest.raises(NothingToDo):
        undo(second.pk, actor=house.olive, why="a test")

    assert (kept().text, kept().revision) == ("stop;", 2)


def test_undone_the_first_one_is_gone_from_the_node(house: House, mx1: Node) -> None:
    first = do("filters.set", house.olive, mailbox=MIA, script="keep;")
    acknowledge(mx1)
    done = undo(first.pk, actor=house.olive, why="a test")

    assert done.version, reasons(done)
    assert list(pull(mx1).values()) == [None]


@pytest.mark.parametrize("ends", ["mailboxes.transfer", "mailboxes.remove"])
def test_whoever_gets_the_mailbox_gets_no_filter(house: House, mx1: Node, ends: str) -> None:
    written()
    more = {"contact": "new@home.test"} if ends == "mailboxes.transfer" else {}
    held = do(ends, house.olive, mailbox=MIA, **more)
    done = approve(held.pk, actor=house.ada, plan_hash=held.plan_hash) if held.stage == "held" else held

    assert done.version, reasons(done)
    assert not kept().active
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(purpose="filter").exists()


@pytest.mark.parametrize("had", ["none", "one in force", "one that was ended"])
def test_who_gets_a_mailbox_gets_no_script_that_was_uploaded(house: House, mx1: Node, had: str) -> None:
    if had != "none":
        written()
    if had == "one that was ended":
        do("filters.end", house.olive, mailbox=MIA)
    acknowledge(mx1)
    done = agreed(house, do("mailboxes.transfer", house.olive, mailbox=MIA, contact="new@home.test"))

    found = row(mx1) or {}
    assert (found["active"], found["clears"], found["script"]) == (0, 1, "")
    assert not fits(found, {"active": "mine"}) and not fits(found, {}) and fits(found, {"active": ""})
    assert again(done).stage == "applied"
    acknowledge(mx1)
    acknowledged()
    assert not [why for target, why in left(done) if target == "nodes"]


def fits(row: dict[str, Any], said: dict[str, str]) -> bool:
    line = {"question": f"sieve script of {MIA}, revision {row['revision']}", "answer": said}
    found = differs({"secrets": {"filter": [row]}}, [{"question": "generation of maps", "answer": 1}, line])
    return not list(found)


def test_whoever_got_it_writes_one_as_before(house: House, mx1: Node) -> None:
    agreed(house, do("mailboxes.transfer", house.olive, mailbox=MIA, contact="new@home.test"))
    acknowledge(mx1)
    do("filters.set", house.olive, mailbox=MIA, script="keep;")

    found = row(mx1) or {}
    assert (found["active"], found["clears"], found["revision"]) == (1, 0, 2)
