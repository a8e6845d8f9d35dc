"""A domain is let go only once no route of its client leads there any more: whoever has it next would get that mail."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, SYSTEM, House, agreed, do, reasons, the
from postroom.changes.approvals import undo
from postroom.models import Change, Forward
from routed import allow, later

SMALL, LEO, INFO = "small.example", "leo@small.example", "info@acme.example"


@pytest.fixture
def small(house: House) -> House:
    do("domains.add", house.oskar, client="acme", name=SMALL)
    do("domains.prove", SYSTEM, domain=SMALL, proof="t")
    do("mailboxes.create", house.olive, address=LEO)
    return house


def removed(house: House) -> Change:
    return do("domains.remove", house.olive, domain=SMALL, accept_loss=True)


WAYS: list[tuple[str, dict[str, Any], str]] = [
    ("aliases.create", {"address": INFO, "targets": [LEO, MIA]}, f"{INFO} leads to {LEO}"),
    ("forwards.create", {"address": MIA, "to": LEO, "keep_copy": True}, f"{MIA} leads to {LEO}"),
    ("catch_alls.set", {"domain": "acme.example", "target": LEO}, f"*@acme.example leads to {LEO}"),
]


@pytest.mark.parametrize("kind, params, words", WAYS, ids=[one[0] for one in WAYS])
def test_a_route_that_leads_there_has_to_end_first(small: House, kind: str, params: dict[str, Any], words: str) -> None:
    until = {} if kind == "aliases.create" else {"until": later()}
    made = do(kind, small.olive, **params, **until)
    agreed(small, made) if made.stage == "held" else None
    refused = removed(small)
    assert refused.stage == "refused" and words in str(reasons(refused)), reasons(refused)
    end = {"aliases.create": ("aliases.remove", {"alias": INFO}),
           "catch_alls.set": ("catch_alls.end", {"catch_all": "acme.example"})}.get(kind)  # fmt: skip
    if end is None:
        end = "forwards.end", {"forward": str(the(Forward, to=LEO).pk)}
    do(end[0], small.olive, **end[1])
    assert removed(small).stage == "held", "as every removal is"


def test_what_goes_with_the_domain_or_may_leave_anyway_does_not_matter(small: House) -> None:
    do("aliases.create", small.olive, address=f"all@{SMALL}", targets=[LEO])
    assert removed(small).stage == "held"
    do("aliases.create", small.olive, address=INFO, targets=[LEO])
    allow(small, "acme", SMALL)
    assert removed(small).stage == "held", "a pattern lets mail go there"


def test_an_undo_of_the_domain_is_no_way_round(house: House) -> None:
    added = do("domains.add", house.olive, client="acme", name=SMALL)
    do("domains.prove", SYSTEM, domain=SMALL, proof="t")
    agreed(house, do("aliases.create", house.olive, address=INFO, targets=[f"postmaster@{SMALL}"]))
    back = undo(added.pk, actor=house.olive, why="a test")
    assert back.stage == "refused" and INFO in str(reasons(back)), (back.stage, reasons(back))
