"""What a plan does to where mail lands, and which of it a second person looks at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cast import MIA, House, do, kind, reasons, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.landing import Diff, diff
from postroom.changes.pipeline import dry_run
from postroom.changes.policies.landing import landing
from postroom.models import Change, Forward

LEO, TEAM, INFO = "leo@acme.example", "team@acme.example", "info@acme.example"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


@pytest.fixture
def routed(house: House) -> House:
    """info → team → Leo; Mia has a mailbox and nothing leads to it."""
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=TEAM, targets=[LEO])
    do("aliases.create", house.olive, address=INFO, targets=[TEAM])
    return house


def planned(house: House, permission: str, /, **params: Any) -> Diff:
    proposed = dry_run(kind(permission, **params), actor=house.olive, why="a test")
    with acting_as(house.olive):
        return diff(proposed.plan.edits, proposed.state.now, most=50)


def moved(found: Diff) -> dict[str, tuple[set[str], set[str]]]:
    """Address → where it lands before and after; what nobody has read of filters left out."""
    return {
        one.address: tuple({landed.address for landed in there.landings if landed.sort != "unknown"}
                              if not there.nowhere else set() for there in (one.before, one.after))
        for one in found.moved
    }  # fmt: skip


def test_another_target_is_seen_by_all_that_lead_there(routed: House) -> None:
    found = moved(planned(routed, "aliases.change", alias=TEAM, targets=[MIA]))
    assert found == {TEAM: ({LEO}, {MIA}), INFO: ({LEO}, {MIA})}


def test_a_new_address_lands_where_none_did(routed: House) -> None:
    assert moved(planned(routed, "aliases.create", address="new@acme.example", targets=[TEAM])) == {
        "new@acme.example": (set(), {LEO})
    }
    assert moved(planned(routed, "mailboxes.create", address="box@acme.example")) == {
        "box@acme.example": (set(), {"box@acme.example"})
    }


def test_a_forward_with_and_without_a_copy(routed: House) -> None:
    for keep, lands in ((True, {MIA, LEO}), (False, {LEO})):
        found = planned(routed, "forwards.create", address=MIA, to=LEO, until=later(), keep_copy=keep)
        assert moved(found) == {MIA: ({MIA}, lands)}


def test_a_catch_all_and_a_domain_that_is_an_alias(routed: House) -> None:
    found = planned(routed, "catch_alls.set", domain="acme.example", target=TEAM, until=later())
    assert moved(found) == {"*@acme.example": (set(), {LEO})}
    do("domains.add", routed.olive, client="acme", name="acme.test")
    found = planned(routed, "domains.set_alias", domain="acme.test", of="acme.example")
    assert next(iter(moved(found))) == "*@acme.test"


def test_a_removed_mailbox_leaves_what_led_there_without_one(routed: House) -> None:
    assert moved(planned(routed, "mailboxes.remove", mailbox=LEO)) == dict.fromkeys((LEO, TEAM, INFO), ({LEO}, set()))
    held = do("mailboxes.remove", routed.olive, mailbox=LEO)
    assert held.stage == "held"
    assert f"mail to {INFO}, {TEAM} would land nowhere" in said(held)


def said(change: Change) -> str:
    return "; ".join(v["reason"] for v in change.verdicts if v["policy"] == landing.__name__)


def test_an_alias_that_others_lead_to_is_not_taken_from_under_them(routed: House) -> None:
    held = do("aliases.remove", routed.olive, alias=TEAM)
    assert held.stage == "held" and said(held) == f"mail to {INFO} would land nowhere"
    with_consent(routed, held)


def test_what_is_ended_on_purpose_is_not_held(routed: House) -> None:
    assert do("aliases.remove", routed.olive, alias=INFO).version


def test_a_plan_that_moves_nothing_asks_nothing(routed: House) -> None:
    proposed = dry_run(kind("mailboxes.change", mailbox=LEO, name="Leo"), actor=routed.olive, why="a test")
    with acting_as(routed.olive), CaptureQueriesContext(connection) as asked:
        assert diff(proposed.plan.edits, proposed.state.now, most=50) == Diff()
    assert len(asked) == 0


def test_to_stop_mail_that_leaves_is_never_held_up(routed: House) -> None:
    assert do("mailboxes.change", routed.olive, mailbox=LEO, vip=True).version
    for keep in (True, False):
        asked = {"address": LEO, "to": "x@gmail.com", "until": later(), "owner": "Leo", "keep_copy": keep}
        with_consent(routed, do("forwards.create", routed.olive, **asked))
        forward = str(the(Forward, removed_at=None).pk)
        ended = do("forwards.end", routed.olive, forward=forward)
        assert ended.version, reasons(ended)


def test_mail_of_a_vip_is_held_by_name(routed: House) -> None:
    assert do("mailboxes.change", routed.olive, mailbox=LEO, vip=True).version
    for permission, params in (
        ("forwards.create", {"address": LEO, "to": MIA, "until": later()}),
        ("aliases.change", {"alias": TEAM, "targets": [MIA]}),
    ):
        held = do(permission, routed.olive, **params)
        assert held.stage == "held" and "moves mail of a VIP: " in said(held), reasons(held)
    assert do("aliases.create", routed.olive, address="more@acme.example", targets=[LEO]).version


def test_the_proof_of_a_domain_waits_for_nobody_though_a_vips_mail_lands_by_it(house: House) -> None:
    """It follows from what was agreed to; held, the domain would deliver for nobody."""
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("mailboxes.create", house.olive, address="vip@acme.test", vip=True)
    do("aliases.create", house.olive, address="boss@acme.test", targets=["vip@acme.test"])
    proven = do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
    assert proven.version, reasons(proven)


def test_a_twin_at_a_domain_that_stands_for_another_has_a_name_and_waits_for_nobody(routed: House) -> None:
    do("domains.add", routed.olive, client="acme", name="acme-parts.example")
    do("domains.prove", SYSTEM, domain="acme-parts.example", proof="a test")
    assert do("domains.set_alias", routed.olive, domain="acme-parts.example", of="acme.example").version
    for who in (routed.olive, routed.carl):
        held = do("aliases.remove", who, alias=TEAM)
        assert said(held) == f"mail to info@acme-parts.example, {INFO} would land nowhere"
    ended = do("aliases.remove", routed.olive, alias=INFO)
    assert ended.version, reasons(ended)
