"""What every role account leads to is not let go: its domain, its client, and what takes its mail."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, POSTMASTER, SYSTEM, House, agreed, do, reasons
from postroom.changes.approvals import undo
from postroom.models import Change
from routed import later

AGENCY = "northlight.example"
WORDS = f"postmaster@ and abuse@ of every domain lead to {POSTMASTER}: change the organization's postmaster first"


@pytest.fixture
def agency(house: House) -> House:
    """The agency is a client of its own, and Acme's domains lead to it."""
    do("clients.create", house.oskar, name="Northlight Mail")
    do("domains.add", house.oskar, client="northlight-mail", name=AGENCY)
    do("domains.prove", SYSTEM, domain=AGENCY, proof="a test")
    do("mailboxes.create", house.olive, address=POSTMASTER, kind="role")
    return house


GOING: list[tuple[str, dict[str, Any]]] = [
    ("domains.remove", {"domain": AGENCY, "accept_loss": True}),
    ("clients.remove", {"client": "northlight-mail"}),
    ("mailboxes.remove", {"mailbox": POSTMASTER}),
]


@pytest.mark.parametrize("kind, params", GOING, ids=[one[0] for one in GOING])
def test_it_is_not_let_go(agency: House, kind: str, params: dict[str, Any]) -> None:
    refused = do(kind, agency.oskar, **params)
    assert refused.stage == "refused" and WORDS in reasons(refused), (refused.stage, reasons(refused))
    assert "acme" not in str(refused.verdicts) and "globex" not in str(refused.verdicts)
    do("organization.change", agency.oskar, postmaster="mail@elsewhere.test")
    assert WORDS not in reasons(do(kind, agency.oskar, **params)), "it is another one's now"


def test_what_goes_on_to_be_taken_there_may_change(agency: House) -> None:
    do("mailboxes.create", agency.olive, address=f"nora@{AGENCY}")
    asked = {"address": POSTMASTER, "to": f"nora@{AGENCY}", "until": later()}
    forward = agreed(agency, do("forwards.create", agency.oskar, **asked))
    assert undo(forward.pk, actor=agency.oskar, why="a test").version, "its mailbox stands"
    others: list[Change] = [
        do("mailboxes.remove", agency.olive, mailbox=f"nora@{AGENCY}"),
        do("mailboxes.suspend", agency.olive, mailbox=POSTMASTER),
        do("mailboxes.remove", agency.olive, mailbox=MIA),
        do("domains.remove", agency.olive, domain="acme.example", accept_loss=True),
    ]
    assert not any("postmaster_kept" in str(one.verdicts) for one in others)


def test_an_alias_there_is_the_last_of_it_too_and_an_undo_no_way_round(house: House) -> None:
    made = do("aliases.create", house.olive, address="ours@acme.example", targets=[MIA])
    do("organization.change", house.oskar, postmaster="ours@acme.example")
    words = WORDS.replace(POSTMASTER, "ours@acme.example")
    assert words in reasons(do("aliases.remove", house.olive, alias="ours@acme.example"))
    assert words in reasons(undo(made.pk, actor=house.olive, why="a test"))
    twin = do("domains.remove", house.olive, domain="acme.example", accept_loss=True)
    assert words in reasons(twin)
