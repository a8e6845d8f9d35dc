"""Destinations: said once, followed by every alias that uses them, with all of it in one plan."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, House, do, kind, reasons, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.changes.pipeline import dry_run
from postroom.models import Alias, Destination
from postroom.queries.tracing import traced

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


def test_a_target_is_taken_where_mail_to_it_lands(house: House) -> None:
    """With an extension, and at a domain that stands for another (RFC 5233, and as the maps answer)."""
    do("domains.add", house.olive, client="acme", name="acme-parts.example")
    do("domains.prove", SYSTEM, domain="acme-parts.example", proof="a test")
    assert do("domains.set_alias", house.olive, domain="acme-parts.example", of="acme.example").version
    there = ["mia+bills@acme.example", "mia@acme-parts.example", "mia+bills@acme-parts.example"]
    do("aliases.create", house.olive, address="pay@acme.example", targets=there)
    with acting_as(house.olive):
        found = traced(house.olive, "pay@acme.example")
    assert {one["address"] for one in found["landings"]} == {MIA}
    for wrong in ("nobody+bills@acme.example", "nobody@acme-parts.example"):
        with pytest.raises(Problems, match="does not exist yet"):
            do("aliases.create", house.olive, address="wrong@acme.example", targets=[wrong])
    refused = do("aliases.change", house.olive, alias="pay@acme.example", targets=["pay+x@acme.example"])
    assert refused.stage == "refused" and "mail to pay@acme.example would " in reasons(refused)
