"""Of what a log names, the way out of a client by which mail left: as a node's own maps have it."""

from typing import Any

import pytest

from postroom.engines.ways_out import BOX, CLIENT, HANDED, ROUTES, STANDS_FOR, WaysOut

MIA, TEAM, OUT = "mia@acme.example", "team@acme.example", "out@far.example"
KIM, DESK = "kim@globex.example", "desk@globex.example"
MAPS: dict[str, dict[str, list[str]]] = {
    CLIENT: {"acme.example": ["acme"], "acme.org": ["acme"], "globex.example": ["globex"]},
    STANDS_FOR: {"acme.wiki": ["acme.example"], "all.wiki": ["acme.org"]},
    HANDED: {"fax@acme.example": ["mx.far.example:25"], KIM: ["mx.kim.example:25"]},
    BOX: {MIA: ["1"], KIM: ["1"], "joe@acme.example": ["1"]},
    ROUTES: {
        MIA: [MIA, OUT], TEAM: ["joe@acme.example", MIA], "@acme.org": [TEAM],
        "to@acme.example": [DESK, "k@acme.example"],
        "k@acme.example": [KIM], "in@acme.example": ["fax@acme.example"], "fax@acme.example": ["fax@acme.example"],
        DESK: [KIM, "spy@far.example"], "loop@acme.example": ["loop@acme.example"],
    },
}  # fmt: skip


def ask(query: str, value: str) -> list[tuple[str, ...]]:
    return [(one,) for one in MAPS[query].get(value, [])]


def of(first: str = "", to: str = OUT, by: str = "") -> set[tuple[str, str]]:
    return WaysOut(ask).of(first, to, by)


@pytest.mark.parametrize(("first", "source"), [
    (MIA, MIA), ("mia+news@acme.example", MIA), (TEAM, TEAM), ("mia@acme.wiki", "mia@acme.wiki"),
    ("team+x@acme.wiki", "team@acme.wiki"), ("anybody@acme.org", "@acme.org"), ("x+y@all.wiki", "@all.wiki"),
])  # fmt: skip
def test_a_way_is_called_by_the_address_whose_rule_is_its_first(first: str, source: str) -> None:
    assert of(first) == {(source, OUT)}


@pytest.mark.parametrize("said", [
    {"first": TEAM, "to": MIA}, {"first": TEAM, "to": "else@far.example"}, {"first": "nobody@acme.example"},
    {"first": "a@nowhere.example"}, {"first": "joe@acme.example"}, {"first": "loop@acme.example"}, {"first": DESK},
    {"first": "x@acme.wiki"}, {"to": MIA, "by": "joe@acme.example"},
    {"first": TEAM, "to": MIA, "by": "joe@acme.example"},
    {"by": "a@nowhere.example"}, {"to": KIM, "by": "a@nowhere.example"},
])  # fmt: skip
def test_what_is_no_way_out_is_none(said: dict[str, Any]) -> None:
    assert of(**said) == set()


def test_another_client_of_the_node_is_outside_and_its_own_routes_are_not_named() -> None:
    assert of("to@acme.example", KIM) == {("to@acme.example", DESK), ("to@acme.example", KIM)}
    assert of("to@acme.example", "spy@far.example") == {("to@acme.example", DESK)}
    assert of("k@acme.example", "kim+x@globex.example") == {("k@acme.example", KIM)}
    assert of(DESK, KIM) == set(), "that is inside of it"


def test_what_a_filter_sends_is_its_mailboxes() -> None:
    assert of(to="ok@far.example", by="joe+x@acme.example") == {("joe@acme.example", "ok@far.example")}
    assert of(to=KIM, by=MIA) == {(MIA, KIM)}
    assert of(first=DESK, to=KIM, by=MIA) == {(MIA, DESK)}, "and never where another client sends it"
    assert of(first=TEAM, to=OUT, by="joe@acme.example") == {(TEAM, OUT), ("joe@acme.example", OUT)}


@pytest.mark.parametrize(("first", "server", "found"), [
    ("fax@acme.example", "mx.far.example:25", {"fax@acme.example"}),
    ("fax+x@acme.example", "mx.far.example:25", {"fax@acme.example"}),
    ("in@acme.example", "mx.far.example:25", {"in@acme.example"}), ("fax@acme.example", "mx.far.example:26", set()),
    (MIA, "mx.far.example:25", set()), ("k@acme.example", "mx.kim.example:25", set()), ("", "mx.far.example:25", set()),
    ("nobody@elsewhere.test", "mx.far.example:25", set()),
])  # fmt: skip
def test_another_server_is_a_way_where_the_maps_hand_mail_to_it(first: str, server: str, found: set[str]) -> None:
    assert of(first, server) == {(one, server) for one in found}
