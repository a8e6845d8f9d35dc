"""What filters, stops of redirects and patterns do to where mail lands, and which of it a second person looks at."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, House, do, kind, reasons, with_consent
from postroom.access.acting import acting_as
from postroom.changes.pipeline import dry_run
from postroom.protocols.sieve_text import parsed
from postroom.queries.tracing import landings
from routed import allow, looked, script

SPY = "spy@partner.test"
Lands = list[tuple[str, str]]


def landing(house: House, permission: str, /, **params: Any) -> dict[str, tuple[Lands, Lands]]:
    """Address → (sort, address) of each place, before and after, as the page and the API have it."""
    proposed = dry_run(kind(permission, **params), actor=house.olive, why="a test")
    with acting_as(house.olive):
        found = landings(house.olive, proposed.plan.edits, now=proposed.state.now)["landing"]
    return {one["address"]: tuple(sorted((to["sort"], to["address"]) for to in one[when] if to["sort"] != "unknown")
                                  for when in ("before", "after")) for one in found}  # fmt: skip


@pytest.fixture
def read(house: House) -> House:
    """Nodes have looked at every script; a second address leads to Mia."""
    do("aliases.create", house.olive, address="team@acme.example", targets=[MIA])
    looked()
    return house


def test_a_filter_that_throws_all_away_empties_a_landing_and_is_held(read: House) -> None:
    box, gone = [("mailbox", MIA)], [("discarded", MIA)]
    found = landing(read, "filters.set", mailbox=MIA, script="discard;")
    assert found == {MIA: (box, gone), "team@acme.example": (box, gone)}
    held = do("filters.set", read.olive, mailbox=MIA, script="discard;")
    assert held.stage == "held" and reasons(held) == f"mail to {MIA}, team@acme.example would land nowhere"
    with_consent(read, held)


def test_nor_does_it_get_by_where_its_node_has_read_nothing_lately(house: House) -> None:
    held = do("filters.set", house.olive, mailbox=MIA, script="if true { discard; }")
    assert held.stage == "held" and f"mail to {MIA} would land nowhere" in reasons(held)


@pytest.mark.parametrize("text", ["if size :over 1K { discard; }", "if size :over 1K { discard; } else { discard; }"])
def test_one_that_throws_some_of_it_away_is_looked_at_too(read: House, text: str) -> None:
    held = do("filters.set", read.olive, mailbox=MIA, script=text)
    assert held.stage == "held" and reasons(held) == f"a filter would throw away some of the mail to {MIA}"


def test_one_that_keeps_what_comes_is_not(read: House) -> None:
    for params in ({"script": "keep;"}, {"subject": "Away", "reply": "Back on Monday."}):
        assert do("filters.set", read.olive, mailbox=MIA, **params).version
    assert landing(read, "filters.end", mailbox=MIA) == {
        one: ([("mailbox", MIA)],) * 2 for one in (MIA, "team@acme.example")
    }


def test_to_end_ours_gives_back_what_it_threw_away_and_leaves_what_was_uploaded(read: House) -> None:
    with_consent(read, do("filters.set", read.olive, mailbox=MIA, script="discard;"))
    script(MIA, name="postroom", discards="always")
    looked()
    assert landing(read, "filters.end", mailbox=MIA)[MIA] == ([("discarded", MIA)], [("mailbox", MIA)])


def test_a_redirect_that_is_stopped_and_goes_on_again(read: House) -> None:
    allow(read, "acme", "partner.test")
    script(MIA, {"to": SPY})
    looked()
    out, box = [("outside", SPY)], [("mailbox", MIA)]
    assert landing(read, "redirects.stop", mailbox=MIA, target=SPY)[MIA] == (out, box)
    assert do("redirects.stop", read.olive, mailbox=MIA, target=SPY).version, "what leaves no more is never held up"
    assert landing(read, "redirects.resume", mailbox=MIA, target=SPY)[MIA] == (box, out)
    assert do("mailboxes.change", read.olive, mailbox=MIA, vip=True).version
    resumed = do("redirects.resume", read.olive, mailbox=MIA, target=SPY)
    assert resumed.stage == "held" and f"moves mail of a VIP: {MIA}" in reasons(resumed)


def test_what_a_pattern_lets_out_and_what_it_forbids(read: House) -> None:
    script(MIA, {"to": SPY, "copy": True})
    looked()
    box, both = [("mailbox", MIA)], [("mailbox", MIA), ("outside", SPY)]
    assert landing(read, "clients.change", client="acme", forward_allowed=["partner.test"])[MIA] == (box, both)
    allow(read, "acme", "partner.test")
    assert landing(read, "clients.change", client="acme", forward_forbidden=[SPY])[MIA] == (both, box)
    assert landing(read, "clients.change", client="acme", forward_allowed=["partner.test", "other.example"]) == {}


def test_a_script_of_which_not_all_is_known_is_followed_for_what_is(read: House) -> None:
    script(MIA, {"to": SPY, "copy": True}, unreadable="it has 200 redirects, of which 128 are listed")
    looked()
    assert MIA in landing(read, "clients.change", client="acme", forward_allowed=["partner.test"])


def test_a_pattern_of_the_organization_moves_mail_too(read: House) -> None:
    script(MIA, {"to": SPY, "copy": True})
    looked()
    proposed = dry_run(kind("organization.change", forward_allowed=["partner.test"]), actor=read.oskar, why="a test")
    with acting_as(read.oskar):
        found = landings(read.oskar, proposed.plan.edits, now=proposed.state.now)["landing"]
    assert [one["address"] for one in found if one["moved"]] == [MIA]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keep;", ""), ("discard;", "always"), ("keep; discard;", ""), ("if true { discard; }", "always"),
        ("if not false { discard; }", "always"), ("if false {} else { discard; }", "always"),
        ("if true {} else { discard; }", "sometimes"), ("if size :over 1K { keep; } discard;", "sometimes"),
        ("if size :over 1K { stop; } discard;", "sometimes"), ("if anyof (size :over 1K, true) { discard; }", "always"),
        ("if allof (size :over 1K, true) { discard; }", "sometimes"),
    ],
)  # fmt: skip
def test_what_a_text_throws_away(text: str, says: str) -> None:
    assert parsed(text).discards == says
