"""The organization's postmaster is another one: what led to it goes along, or stays and is named."""

from __future__ import annotations

from typing import Any

import pytest

from cast import MIA, POSTMASTER, SYSTEM, House, agreed, do, kind, reasons, the
from postroom.access.acting import Actor, acting_as
from postroom.changes import carry
from postroom.changes.approvals import undo
from postroom.changes.pipeline import dry_run
from postroom.models import Alias, Change
from postroom.queries.leaving import Asked, every
from postroom.queries.tracing import landings

NEW, ABUSE = "mail@elsewhere.test", "abuse@acme.example"
THEIRS = {f"{local}@{name}.example" for local in ("postmaster", "abuse") for name in ("acme", "globex")}


def moved(house: House, to: str = NEW) -> Change:
    change = agreed(house, do("organization.change", house.oskar, postmaster=to))
    carry.carry_out(str(change.pk))
    return change


def led() -> dict[str, list[str]]:
    with acting_as(SYSTEM):
        return dict(Alias.objects.filter(removed_at=None).values_list("address__address", "targets"))


def planned(actor: Actor, to: str) -> Any:
    return dry_run(kind("organization.change", postmaster=to), actor=actor, why="a test")


def test_role_accounts_follow_by_one_change_of_each_client(house: House) -> None:
    assert led() == {one: [POSTMASTER] for one in THEIRS}
    change = moved(house)
    assert led() == {one: [NEW] for one in THEIRS}
    with acting_as(SYSTEM):
        after = list(change.follow_ups.order_by("client__slug"))
        assert [(one.client.slug, one.actor, bool(one.version)) for one in after] == [
            ("acme", "system", True), ("globex", "system", True)]  # fmt: skip
    with acting_as(house.olive):
        assert list(every(house.olive, Asked())) == [], "where they lead to is inside for them still"
    carry.carry_out(str(change.pk))
    with acting_as(SYSTEM):
        assert change.follow_ups.count() == 2, "once"


def test_an_undo_leads_them_back(house: House) -> None:
    change = moved(house)
    back = undo(change.pk, actor=house.oskar, why="a test")
    assert back.version, reasons(back)
    carry.carry_out(str(back.pk))
    assert led() == {one: [POSTMASTER] for one in THEIRS}


def test_the_plan_shows_where_their_mail_would_land(house: House) -> None:
    proposed = planned(house.oskar, NEW)
    with acting_as(house.oskar):
        shown = landings(house.oskar, proposed.plan.edits)["landing"]
    assert {one["address"] for one in shown} == THEIRS
    for one in shown:
        assert [there["address"] for there in one["before"]] == [POSTMASTER]
        assert [there["address"] for there in one["after"]] == [NEW] and one["moved"]


def test_what_was_set_by_hand_stays_and_is_named(house: House) -> None:
    agreed(house, do("aliases.change", house.oskar, alias=ABUSE, targets=[POSTMASTER, MIA]))
    agreed(house, do("aliases.change", house.oskar, alias="abuse@globex.example", targets=["mia@globex.example"]))
    (left,) = planned(house.oskar, NEW).plan.left_out
    assert (left.id, left.because) == (
        str(the(Alias, address__address=ABUSE).pk),
        f"{ABUSE}: it leads to {POSTMASTER} and was set by hand, so it stays: point it elsewhere yourself",
    )
    moved(house)
    assert led() == {
        ABUSE: [POSTMASTER, MIA], "abuse@globex.example": ["mia@globex.example"],
        "postmaster@acme.example": [NEW], "postmaster@globex.example": [NEW],
    }  # fmt: skip
    with acting_as(house.olive):
        (one,) = every(house.olive, Asked())
    assert (one.address, one.target) == (ABUSE, POSTMASTER), "and it leaves by no right of its own now"


def test_one_that_would_lead_to_itself_stays_and_is_named(house: House) -> None:
    (left,) = planned(house.oskar, ABUSE).plan.left_out
    assert left.because.startswith(f"{ABUSE}: it would lead to itself")
    moved(house, ABUSE)
    assert led() == {ABUSE: [POSTMASTER], **{one: [ABUSE] for one in THEIRS - {ABUSE}}}


def test_where_their_mail_would_land_nowhere_somebody_else_looks_at_it(house: House) -> None:
    do("mailboxes.create", house.olive, address="post@acme.example")
    moved(house, "post@acme.example")
    held = do("organization.change", house.oskar, postmaster="nobody@acme.example")
    assert held.stage == "held" and "would land nowhere" in reasons(held), (held.stage, held.verdicts)


@pytest.mark.parametrize("asked", [{"name": "Northern Light"}, {"terms_url": "https://northlight.example/terms"}])
def test_anything_else_of_the_organization_is_followed_by_nothing(house: House, asked: dict[str, str]) -> None:
    change = do("organization.change", house.oskar, **asked)
    assert change.stage == "verified"


def test_a_postmaster_whose_mail_leads_back_to_a_role_account_is_refused(house: House) -> None:
    """What follows would be refused again and again: so it is said of the change itself."""
    agreed(house, do("aliases.create", house.olive, address="office@acme.example", targets=["abuse@acme.example"]))
    refused = do("organization.change", house.oskar, postmaster="office@acme.example")
    assert refused.stage == "refused" and "office@acme.example" in reasons(refused), (refused.stage, reasons(refused))
