"""A domain is let go only once no route of its client leads there any more: whoever has it next would get that mail."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, POSTMASTER, SYSTEM, House, agreed, do, person, reasons, the
from postroom.changes.approvals import undo
from postroom.changes.policies.landing import NOT_SEEN
from postroom.models import Change, Forward
from routed import allow, later

SMALL, LEO, INFO, OTHER = "small.example", "leo@small.example", "info@acme.example", "other.example"


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


def test_what_is_forbidden_stays_forbidden_whatever_would_let_it_leave(small: House) -> None:
    agreed(small, do("forwards.create", small.olive, address=MIA, to=LEO, keep_copy=True, until=later()))
    do("aliases.create", small.olive, address=INFO, targets=[LEO])
    allow(small, "acme", SMALL)
    assert removed(small).stage == "held", "the pattern lets mail go there"
    do("clients.change", small.olive, client="acme", forward_forbidden=[SMALL])
    refused = removed(small)
    assert refused.stage == "refused", refused.stage
    assert f"{INFO} leads to {LEO}" in reasons(refused) and f"{MIA} leads to {LEO}" in reasons(refused)


def test_a_route_of_a_domain_that_is_removed_itself_holds_no_other_one_back(small: House) -> None:
    """And is not brought back to lead where the other one was."""
    do("domains.add", small.oskar, client="acme", name=OTHER)
    do("domains.prove", SYSTEM, domain=OTHER, proof="t")
    do("aliases.create", small.olive, address=f"info@{OTHER}", targets=[LEO])
    assert removed(small).stage == "refused"
    agreed(small, do("domains.remove", small.olive, domain=OTHER, accept_loss=True))
    agreed(small, removed(small))
    refused = do("domains.restore", small.olive, domain=OTHER)
    assert refused.stage == "refused" and f"info@{OTHER} leads to {LEO}" in reasons(refused), reasons(refused)
    agreed(small, do("domains.restore", small.olive, domain=SMALL))
    assert agreed(small, do("domains.restore", small.olive, domain=OTHER)).version


def test_a_role_account_of_another_client_that_leads_there_is_seen_and_not_named(small: House) -> None:
    """It was set by hand to what was the organization's postmaster then."""
    do("organization.change", small.oskar, postmaster=LEO)
    agreed(small, do("aliases.change", small.oskar, alias="abuse@globex.example", targets=[LEO, "mia@globex.example"]))
    do("organization.change", small.oskar, postmaster=POSTMASTER)
    do("people.invite", small.oskar, name="Dora", email="dora@northlight.example")
    agreed(small, do("grants.give", small.oskar, person="dora@northlight.example", role="operator", client="acme"))
    doras = do("domains.remove", person("dora@northlight.example", small.oskar), domain=SMALL, accept_loss=True)
    assert doras.stage == "refused" and f"{NOT_SEEN} leads to {LEO}" in reasons(doras), (doras.stage, reasons(doras))
    assert "globex" not in str(doras.verdicts)
    assert f"abuse@globex.example leads to {LEO}" in reasons(removed(small))
    allow(small, "globex", SMALL)
    assert f"leads to {LEO}" not in reasons(removed(small)), "theirs may leave to there"
