"""Destinations: said once, followed by every alias that uses them, with all of it in one plan."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, House, do, kind, the
from postroom.changes.errors import Problems
from postroom.changes.pipeline import dry_run
from postroom.models import Alias, Destination

LEO = "leo@acme.example"


@pytest.fixture
def acme(house: House) -> House:
    do("mailboxes.create", house.olive, address=LEO)
    assert do("destinations.create", house.olive, client="acme", name="invoicing", targets=[MIA]).version
    return house


def ref() -> str:
    return str(the(Destination, name="invoicing", removed_at=None).pk)


def test_changed_once_every_alias_follows_and_the_plan_shows_each(acme: House) -> None:
    for n in range(3):
        made = do("aliases.create", acme.olive, address=f"bills{n}@acme.example", destination=ref())
        assert made.version
    do("aliases.create", acme.olive, address="other@acme.example", targets=[MIA])
    change: dict[str, Any] = {"destination": ref(), "targets": [LEO]}
    shown = dry_run(kind("destinations.change", **change), actor=acme.olive)
    assert len(list(shown.plan.on(Alias))) == 3
    assert do("destinations.change", acme.olive, **change).version
    assert [the(Alias, address__address=f"bills{n}@acme.example").targets for n in range(3)] == [[LEO]] * 3
    assert the(Alias, address__address="other@acme.example").targets == [MIA]


def test_an_alias_of_its_own_targets_uses_it_no_more(acme: House) -> None:
    do("aliases.create", acme.olive, address="bills@acme.example", destination=ref())
    do("aliases.change", acme.olive, alias="bills@acme.example", targets=[LEO])
    do("destinations.change", acme.olive, destination=ref(), targets=[MIA, LEO])
    assert the(Alias, address__address="bills@acme.example").targets == [LEO]
    assert do("destinations.end", acme.olive, destination=ref()).version


def test_one_or_the_other_of_one_client_and_never_round_in_a_loop(acme: House) -> None:
    asked: tuple[dict[str, Any], ...] = ({}, {"targets": [MIA], "destination": ref()})
    for both in asked:
        with pytest.raises(Problems, match="and not both"):
            do("aliases.create", acme.olive, address="bills@acme.example", **both)
    with pytest.raises(Problems, match="of another client"):
        do("aliases.create", acme.olive, address="bills@globex.example", destination=ref())
    with pytest.raises(Problems, match="there is a destination"):
        do("destinations.create", acme.olive, client="acme", name="invoicing", targets=[LEO])
    do("aliases.create", acme.olive, address="bills@acme.example", destination=ref())
    with pytest.raises(Problems, match="would pass mail to itself"):
        do("destinations.change", acme.olive, destination=ref(), targets=["bills@acme.example"])
    with pytest.raises(Problems, match="in use by bills@acme"):
        do("destinations.end", acme.olive, destination=ref())
