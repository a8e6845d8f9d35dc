"""A domain above or below another: never of another client, by a second person within one."""

from typing import Any

import pytest

from cast import House, again, do, kind, reasons, together, waits, with_consent
from postroom.access.acting import Actor
from postroom.changes.approvals import undo
from postroom.changes.errors import NotAllowed, Problems
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.models import Change

OTHERS = "lies above or below a domain that is already taken"


def said(do: Any) -> str:
    with pytest.raises(Problems) as found:
        do()
    return "; ".join(f"{one.where}: {one.what}" for one in found.value.problems)


def test_a_domain_below_or_above_another_clients_is_refused_and_nobody_says_whose(house: House) -> None:
    for name in ("www.acme.example", "a.b.acme.example"):
        assert said(lambda name=name: do("domains.add", house.oskar, client="globex", name=name)) == (
            f"name: {name} {OTHERS}"
        )
    parts = [kind("domains.add", client="globex", name=n) for n in ("x.acme.example", "fine.example", "y.acme.example")]
    assert said(lambda: submit(parts, actor=house.olive, why="x")) == (
        f"0.name: x.acme.example {OTHERS}; 2.name: y.acme.example {OTHERS}"
    )
    do("domains.add", house.oskar, client="acme", name="deep.down.example")
    assert OTHERS in said(lambda: do("domains.add", house.oskar, client="globex", name="down.example"))
    # Names that only look alike stand apart.
    for name in ("wwwacme.example", "acme.example2", "eep.down.example", "own.example"):
        assert do("domains.add", house.oskar, client="globex", name=name).stage == "applied"


def test_who_may_add_none_there_hears_nothing(house: House) -> None:
    def asked(actor: Actor, name: str) -> str:
        with pytest.raises((NotAllowed, Problems)) as refused:
            do("domains.add", actor, client="acme", name=name)
        return str(refused.value).replace(name, "it")

    assert asked(house.henry, "www.globex.example") == asked(house.henry, "www.nobody.example")


def test_within_one_client_a_second_person_looks(house: House) -> None:
    below = do("domains.add", house.olive, client="acme", name="news.acme.example")
    assert (below.stage, reasons(below)) == (
        "held", "news.acme.example stands below acme.example, whose zone it would shadow in part",
    )  # fmt: skip
    with_consent(house, below)
    assert do("domains.add", house.olive, client="acme", name="x.y.example").stage == "applied"
    above = do("domains.add", house.olive, client="acme", name="y.example")
    assert reasons(above) == "y.example stands above x.y.example, whose zone it would cut off"


def test_restoring_and_taking_a_removal_back_are_looked_at_too(
    house: House, monkeypatch: pytest.MonkeyPatch, sql: Any
) -> None:
    do("domains.add", house.oskar, client="globex", name="left.example")
    removed = with_consent(house, do("domains.remove", house.olive, domain="left.example", accept_loss=True))
    assert OTHERS in said(lambda: do("domains.add", house.oskar, client="acme", name="www.left.example"))
    sql("SELECT set_config('postroom.change', 'x', false)",
        "ALTER TABLE domains DISABLE TRIGGER postroom_beside",
        "INSERT INTO domains SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'name',"
        " 'www.left.example', 'removed_at', NULL, 'client_id', (SELECT id FROM clients WHERE slug = 'acme')))).*"
        " FROM domains d WHERE name = 'left.example'",
        "ALTER TABLE domains ENABLE TRIGGER postroom_beside")  # fmt: skip
    for back in (
        do("domains.restore", house.olive, domain="left.example"),
        undo(removed.pk, actor=house.olive, why="x"),
    ):
        assert (back.stage, reasons(back)) == ("refused", f"left.example: {OTHERS}")


def test_two_at_the_same_moment_do_not_both_get_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both planned while neither stood: the database decides, and the second is refused in words."""
    monkeypatch.setattr("postroom.changes.policies.beside.others_beside", lambda _: [])
    first = waits("domains.add", house.oskar, client="acme", name="one.both.example")
    second = waits("domains.add", house.oskar, client="globex", name="both.example")
    done = together(*(lambda pk=one.pk: apply_scheduled(pk) for one in (first, second)))
    assert sorted(one.stage if isinstance(one, Change) else repr(one) for one in done) == ["applied", "refused"]
    refused = next(one for one in done if one.stage == "refused")
    assert reasons(again(refused)) == "already taken by another domain"


@pytest.mark.parametrize("name", ["postroom.example", "mx.postroom.example", "a.ns1.postroom.example"])
def test_the_names_that_all_clients_share_come_to_one_only_by_a_second_person(house: House, name: str) -> None:
    held = do("domains.add", house.olive, client="acme", name=name)
    assert held.stage == "held" and "which the mail and DNS of every client hang on" in reasons(held)
    assert do("domains.add", house.olive, client="acme", name="notpostroom.example").stage == "applied"
