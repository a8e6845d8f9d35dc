"""Mail that would leave by way of an address with an exception of its own is held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, agreed, do, do_all, reasons, the, with_consent
from postroom.access.acting import SYSTEM
from postroom.changes.approvals import approve, undo
from postroom.models import Change, Forward

LEO, NEW, HOME = "leo@acme.example", "new@acme.example", "mia@gmail.com"
HERS = "mia@globex.example"
WORDS = "mail to {} would leave by way of another address"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def out(house: House, **more: Any) -> Change:
    asked = {"address": MIA, "to": HOME, "until": later(), "owner": "Mia Moss", **more}
    held = do("forwards.create", house.olive, **asked)
    assert held.stage == "held" and "lets mail leave" in reasons(held)
    return held


@pytest.fixture
def leaves(house: House) -> House:
    """Mia's mail does, and another has a mailbox."""
    do("mailboxes.create", house.olive, address=LEO)
    held = out(house)
    assert [one["policy"] for one in held.verdicts] == ["forwarding"]
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    return house


ASKED = {
    "a new alias": (NEW, "aliases.create", {"address": NEW, "targets": [MIA]}),
    "a forward": (LEO, "forwards.create", {"address": LEO, "to": MIA, "until": later(10)}),
    "a new forward, instead": (NEW, "forwards.create",
                               {"address": NEW, "to": MIA, "until": later(10), "keep_copy": False}),
    "a catch-all": ("any other address at acme.example", "catch_alls.set",
                    {"domain": "acme.example", "target": MIA, "until": later(10)}),
}  # fmt: skip


@pytest.mark.parametrize("row", ASKED)
def test_what_leads_to_a_way_out_is_held(leaves: House, row: str) -> None:
    address, kind, asked = ASKED[row]
    held = do(kind, leaves.olive, **asked)
    assert held.stage == "held", (held.stage, held.verdicts)
    assert [one["policy"] for one in held.verdicts] == ["led_out"]
    assert WORDS.format(address) in reasons(held)
    assert approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash).version


def test_it_is_seen_over_two_hops_and_not_where_nothing_new_leaves(leaves: House) -> None:
    first = do("aliases.create", leaves.olive, address=NEW, targets=[MIA])
    approve(first.pk, actor=leaves.ada, plan_hash=first.plan_hash)
    second = do("aliases.create", leaves.olive, address="far@acme.example", targets=[NEW])
    assert second.stage == "held" and WORDS.format("far@acme.example") in reasons(second)
    assert do("aliases.create", leaves.olive, address="near@acme.example", targets=[LEO]).version
    assert do("aliases.change", leaves.olive, alias=NEW, targets=[MIA, LEO]).version, "to Mia it went before"


def test_a_way_out_names_who_leads_to_it(house: House) -> None:
    assert do("aliases.create", house.olive, address=NEW, targets=[MIA]).version
    held = out(house)
    assert WORDS.format(NEW) in reasons(held)


def test_a_pattern_that_is_allowed_needs_nobody(house: House) -> None:
    held = do("clients.change", house.olive, client="acme", forward_allowed=["*.partner.test"])
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    assert do("forwards.create", house.olive, address=MIA, to="m@mail.partner.test", until=later()).version
    assert do("aliases.create", house.olive, address=NEW, targets=[MIA]).version


@pytest.mark.parametrize("proven", [False, True])
def test_a_domain_that_comes_to_stand_for_one_with_a_way_out(leaves: House, proven: bool) -> None:
    """Its proof comes by itself and is asked of nobody: so it is held before."""
    do("domains.add", leaves.olive, client="acme", name="acme.test")
    if proven:
        do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    held = do("domains.set_alias", leaves.olive, domain="acme.test", of="acme.example")
    assert held.stage == "held" and WORDS.format("mia@acme.test") in reasons(held)


def test_an_alias_of_a_domain_that_is_only_claimed_is_held_before_it_is_proven(leaves: House) -> None:
    do("domains.add", leaves.olive, client="acme", name="acme.test")
    held = do("aliases.create", leaves.olive, address="info@acme.test", targets=[MIA])
    assert held.stage == "held" and WORDS.format("info@acme.test") in reasons(held)


def test_an_undo_of_ones_own_waits_too_where_mail_leaves_by_it(house: House) -> None:
    """The exception was agreed to while nothing led there."""
    do("aliases.create", house.olive, address=NEW, targets=[MIA])
    gone = do("aliases.remove", house.olive, alias=NEW)
    held = out(house)
    assert NEW not in reasons(held)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    back = undo(gone.pk, actor=house.olive, why="too soon")
    assert back.stage == "held" and WORDS.format(NEW) in reasons(back)


def test_what_ends_where_all_is_caught_may_lead_out_too(leaves: House) -> None:
    do("aliases.create", leaves.olive, address=NEW, targets=[LEO])
    caught = {"domain": "acme.example", "target": MIA, "until": later(10)}
    held = do("catch_alls.set", leaves.olive, **caught)
    assert approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash).version
    ends = do("aliases.remove", leaves.olive, alias=NEW)
    assert ends.stage == "held" and WORDS.format(NEW) in reasons(ends)


def test_an_end_of_what_leaves_waits_for_nobody(leaves: House) -> None:
    """Also where it is caught then, and leaves by another way: the one that was stopped is stopped at once."""
    caught = {"domain": "acme.example", "target": MIA, "until": later(10)}
    held = do("catch_alls.set", leaves.olive, **caught)
    assert approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash).version
    asked = {"address": NEW, "to": "else@far.test", "until": later(), "owner": "Leo"}
    held = do("forwards.create", leaves.olive, **asked)
    assert approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash).version
    assert do("forwards.disable", leaves.olive, forward=str(the(Forward, to="else@far.test").pk)).version


def round_by_another(house: House) -> None:
    """Mail to Mia at Globex comes back to Mia at Acme, and so leaves."""
    asked = {"address": HERS, "to": MIA, "until": later(), "owner": "Mia Moss", "keep_copy": False}
    with_consent(house, do("forwards.create", house.olive, **asked))


def test_what_goes_through_another_client_and_back_is_agreed_to_once(leaves: House) -> None:
    """When it is applied nothing is seen of any client but its own: the words are the same."""
    round_by_another(leaves)
    parts = [{"address": one, "to": to, "until": later(10), "owner": "Leo"} for one, to in ((LEO, MIA), (NEW, HERS))]
    held = do_all("forwards.create", leaves.olive, parts)
    assert WORDS.format(f"{LEO}, {NEW}") in reasons(held)
    done = approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash)
    assert done.version, (done.stage, reasons(done))


def test_who_sees_one_client_alone_hears_that_it_leaves_and_no_name_of_another(leaves: House) -> None:
    round_by_another(leaves)
    held = do("forwards.create", leaves.carl, address=LEO, to=HERS, until=later(10), owner="Leo")
    said = [one["reason"] for one in held.verdicts if one["policy"] == "led_out"]
    assert said == [f"{WORDS.format(LEO)}, which has a way out of its own"]
    assert approve(held.pk, actor=leaves.ada, plan_hash=held.plan_hash).version


def test_the_twin_of_an_address_that_is_only_made_has_its_name(leaves: House) -> None:
    do("domains.add", leaves.olive, client="acme", name="acme.test")
    do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    agreed(leaves, do("domains.set_alias", leaves.olive, domain="acme.test", of="acme.example"))
    held = do("aliases.create", leaves.carl, address=NEW, targets=[MIA])
    assert WORDS.format(f"{NEW}, new@acme.test") in reasons(held)
