"""One way out ends, whatever it is; and what is wrong with asking for it is said at its field."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, House, agreed, do, kind, the, with_consent
from postroom.changes.approvals import undo
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import Alias, CatchAll, Forward
from routed import later

ALL, A, B = "all@acme.example", "a@elsewhere.test", "b@elsewhere.test"


@pytest.fixture
def leaky(house: House, sql: Any) -> House:
    agreed(house, do("aliases.create", house.olive, address=ALL, targets=[MIA]))
    sql("SELECT set_config('postroom.change', 'another hand', false)",
        f"UPDATE aliases SET targets = array['{A}', '{B}'] WHERE address_id = "
        f"(SELECT id FROM addresses WHERE address = '{ALL}')")  # fmt: skip
    return house


def test_an_alias_loses_both_ways_in_one_change_and_an_undo_is_judged_as_anew(leaky: House) -> None:
    change = submit([kind("forwards.stop", address=ALL, target=one) for one in (A, B, A)], actor=leaky.olive, why="x")
    assert change.version and the(Alias, address__address=ALL).removed_at
    back = undo(change.pk, actor=leaky.olive, why="needed")
    assert back.stage == "refused" and the(Alias, address__address=ALL).removed_at, "it led outside"


def test_an_alias_that_keeps_one_stays(leaky: House) -> None:
    assert do("forwards.stop", leaky.olive, address=ALL, target=A).version
    assert (the(Alias, address__address=ALL).targets, the(Alias, address__address=ALL).removed_at) == ([B], None)


def test_nothing_but_that_way_ends(house: House) -> None:
    for to in (A, B):
        with_consent(house, do("forwards.create", house.olive, address=MIA, to=to, until=later(), owner="Mia"))
    do("forwards.stop", house.olive, address=MIA, target=A)
    assert the(Forward, to=A).disabled_at and the(Forward, to=B).disabled_at is None
    with_consent(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    with pytest.raises(Problems, match=f"nothing at @acme.example passes mail on to {A} now"):
        do("forwards.stop", house.olive, address="@acme.example", target=A)
    assert do("forwards.stop", house.olive, address="@acme.example", target=MIA).version and the(CatchAll).removed_at


@pytest.mark.parametrize(("said", "where"), [
    ({"address": MIA, "target": A}, "target"), ({"address": "mia@globex.example", "target": A}, "address"),
    ({"address": "@globex.example", "target": A}, "address"), ({"address": MIA, "target": "10.0.0.1:25"}, "target"),
    ({"address": MIA, "target": "mx.partner.test:99999"}, "target"), ({"address": "@", "target": A}, "address"),
    ({"address": MIA, "target": "mx.partner.test:٢"}, "target"), ({"address": MIA, "target": "x\0@a.test"}, "target"),
    ({"address": "<b>", "target": A}, "address"), ({"address": MIA, "target": "mx.partner.test:25"}, "target"),
])  # fmt: skip
def test_what_is_no_way_is_said_at_its_field(house: House, said: dict[str, Any], where: str) -> None:
    with pytest.raises((Problems, ValueError)) as wrong:
        do("forwards.stop", house.carl, **said)
    found = wrong.value
    places = [one.where for one in found.problems] if isinstance(found, Problems) else [
        str(one["loc"][0]) for one in found.errors()]  # type: ignore[attr-defined]  # fmt: skip
    assert places == [where]
