"""The world that the matrix is played in holds something of everything, and every word is marked as whose it is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from belongings import belonging, digest, dump, rows
from factories import FACTORIES, WORDLESS
from three_clients import World

from cast import do

pytestmark = pytest.mark.matrix  # a world is dear: it is built in the second part of `make test`


def test_every_model_that_leads_to_a_client_has_a_factory() -> None:
    assert {model.__name__ for model in belonging()} == {model.__name__ for model in FACTORIES}


def test_every_client_has_one_of_each_and_every_text_of_it_is_marked(world: World, admin: Any) -> None:
    bare = []
    for here in world.grounds.values():
        for model in FACTORIES:
            found = rows(admin, model, here.client)
            assert found, f"{here.letter} has no {model.__name__}"
            marked = any(here.mark in row or here.mark.replace("-", "") in row for row in found)
            if not marked and model not in WORDLESS:
                bare.append((here.letter, model.__name__, found[0]))
    assert bare == [], "no row of these holds its canary"


def test_what_is_of_one_client_holds_nothing_of_another(world: World, admin: Any) -> None:
    for here in world.grounds.values():
        others = [one.mark for one in world.grounds.values() if one is not here]
        for model in FACTORIES:
            for row in rows(admin, model, here.client):
                assert not any(mark in row for mark in others), (here.letter, model.__name__, row)


def test_the_digest_notices_any_write_to_a_client_and_none_to_another(
    world: World, admin: psycopg.Connection[Any]
) -> None:
    before = {letter: digest(dump(admin, here.client)) for letter, here in world.grounds.items()}
    do("mailboxes.change", world.house.olive, mailbox=world["A"].at("mia"), quota_mb=5)
    after = {letter: digest(dump(admin, here.client)) for letter, here in world.grounds.items()}
    assert after["A"] != before["A"] and (after["B"], after["C"]) == (before["B"], before["C"])
