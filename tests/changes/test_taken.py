"""A domain another client holds is taken, and nothing more is said; a client's own people may add domains."""

from typing import Any

import pytest

from cast import MIA, House, do, kind, reasons
from postroom.access.acting import Actor
from postroom.changes.approvals import approve
from postroom.changes.errors import NotAllowed, Problems
from postroom.changes.pipeline import dry_run, submit
from postroom.changes.taken import named


def test_a_domain_another_client_holds_is_taken_and_nobody_says_by_whom(house: House) -> None:
    do("grants.give", house.oskar, person="henry@northlight.example", role="client admin", client="acme")
    with pytest.raises(Problems, match=r"globex.example is already taken$"):
        do("domains.add", house.olive, client="acme", name="globex.example")


def test_an_operator_of_one_client_adds_a_domain_there(house: House) -> None:
    given = do("grants.give", house.oskar, person="henry@northlight.example", role="operator", client="acme")

    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    added = do("domains.add", house.henry, client="acme", name="acme-new.example")
    assert added.stage == "applied", added.verdicts
    with pytest.raises(Problems, match="already taken"):
        do("domains.add", house.henry, client="acme", name="globex.example")


def test_each_name_of_a_list_that_is_taken_or_stands_twice_is_said_at_its_place(house: House) -> None:
    asked = ["new@acme.example", MIA, "other@acme.example", "new@acme.example", "postmaster@acme.example"]
    boxes = [kind("mailboxes.create", address=one) for one in asked]
    for tried in (submit, dry_run):
        with pytest.raises(Problems) as found:
            tried(boxes, actor=house.olive, why="a list")
        assert [(p.where, p.what) for p in found.value.problems] == [
            ("3.address", "new@acme.example stands twice in this list, first at 0"),
            ("1.address", f"{MIA} is already taken"),
            ("4.address", "postmaster@acme.example is already taken"),
        ]  # fmt: skip


def test_one_name_alone_is_said_at_its_parameter(house: House) -> None:
    for wrong, where in (
        (kind("aliases.create", address=MIA, targets=["postmaster@acme.example"]), "address"),
        (kind("people.invite", name="Ada", email="ada@northlight.example"), "email"),
        (kind("domains.add", client="acme", name="acme.example"), "name"),
        (kind("clients.create", name="Acme"), "name"),
    ):
        with pytest.raises(Problems, match=f"^{where}: .* is already taken"):
            submit(wrong, actor=house.oskar, why="x")


@pytest.mark.parametrize("who", ["carl", "henry"])
def test_who_may_not_make_it_is_not_told_whether_the_name_is_taken(house: House, who: str) -> None:
    """Clients, staff and nodes are no secret that somebody gets by asking for names."""
    actor = getattr(house, who)
    for name, guesses in {
        "clients.create": ({"name": "Globex"}, {"name": "Nobody Has This"}),
        "people.invite": ({"name": "x", "email": "olive@northlight.example"}, {"name": "x", "email": "no@one.example"}),
        "nodes.add": ({"node": "mx1", "role": "postroom_node_mx1"}, {"node": "mx9", "role": "postroom_node_mx9"}),
    }.items():
        assert {asked(name, actor, **params) for params in guesses} == {f"{name} is not allowed here"}


def asked(permission: str, actor: Actor, /, **params: str) -> str:
    try:
        return reasons(do(permission, actor, **params))
    except NotAllowed as refused:
        return str(refused)


def test_what_is_asked_outside_of_ones_client_is_recorded_at_ones_client(house: House, sql: Any) -> None:
    asked("clients.create", house.carl, name="Globex")
    ((client, event),) = sql(
        "SELECT client_id, after FROM edits WHERE \"table\" = 'events' AND after->>'what' = 'refused'"
    )
    assert (event["kind"], event["person"]) == ("clients.create", str(house.carl.person))
    assert [(str(client),)] == sql("SELECT id::text FROM clients WHERE slug = 'acme'")


def test_every_table_with_a_unique_name_is_asked(sql: object) -> None:
    ((source,),) = sql("SELECT pg_get_functiondef('postroom_taken(text, text[])'::regprocedure)")  # type: ignore[operator]
    missing = {table for table, key in named().items() if f"'{table}'" not in source or f".{key} =" not in source}
    assert missing == set() and len(named()) >= 5


def test_a_domain_that_is_taken_is_said_once_and_not_again_for_what_it_would_bring(house: House) -> None:
    with pytest.raises(Problems) as wrong:
        do("domains.add", house.olive, client="acme", name="globex.example")
    assert [str(one) for one in wrong.value.problems] == ["name: globex.example is already taken"]
