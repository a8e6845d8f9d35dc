"""Roles made of permissions, elevation for some hours, and no grant beyond its giver."""

from datetime import timedelta

import pytest

from cast import MIA, House, do, person, reasons, the
from postroom.access.acting import acting_as
from postroom.access.actor import Held
from postroom.access.roles import ROLES, operates, rank_of
from postroom.changes.approvals import approve
from postroom.changes.errors import NotAllowed, Problems
from postroom.models import Grant

DESK = ["mailboxes.view", "mailboxes.suspend", "mailboxes.resume"]


def test_a_role_of_ones_own_allows_what_it_names_from_then_on(house: House) -> None:
    do("roles.create", house.oskar, name="Mail desk", permissions=DESK)
    assert do("grants.give", house.oskar, person="henry@northlight.example", role="mail desk", client="acme").version
    assert do("mailboxes.suspend", house.henry, mailbox=MIA).version
    assert do("mailboxes.suspend", house.henry, mailbox="mia@globex.example").stage == "refused"
    do("roles.change", house.oskar, role="mail desk", permissions=["mailboxes.view"])
    assert do("mailboxes.resume", house.henry, mailbox=MIA).stage == "refused"
    with pytest.raises(Problems, match="somebody holds"):
        do("roles.end", house.oskar, role="mail desk")
    do("grants.end", house.oskar, grant=str(the(Grant, role="mail desk").pk))
    assert do("roles.end", house.oskar, role="mail desk").version
    with pytest.raises(Problems, match="is no role"):
        do("grants.give", house.oskar, person="henry@northlight.example", role="mail desk", client="acme")


def test_what_is_wrong_with_a_role_is_said_all_at_once(house: House) -> None:
    with pytest.raises(Problems) as wrong:
        do("roles.create", house.oskar, name="x", permissions=["mailboxes.fly", "domains.view", "*"])
    assert [one.where for one in wrong.value.problems] == ["permissions.0", "permissions.2"]
    for ours in ("owner", "break-glass"):
        with pytest.raises(Problems, match="own roles"):
            do("roles.create", house.oskar, name=ours, permissions=["domains.view"])
    with pytest.raises(Problems, match="is no role"):
        do("grants.give", house.oskar, person="henry@northlight.example", role="break-glass")
    assert do("roles.create", house.olive, name="x", permissions=["domains.view"]).stage == "refused"


def test_its_rank_is_that_of_the_lowest_of_ours_that_may_all_of_it() -> None:
    assert rank_of(["domains.view"]) == 0 and rank_of(["mailboxes.suspend"]) == rank_of(["invites.issue"])
    assert Held("x", permissions=("domains.add",)).rank == Held("operator").rank
    assert Held("x", permissions=("nodes.add",)).rank == Held("owner").rank
    assert operates(["mail desk"]) and not operates(["client admin", "client viewer"]) and not operates([])
    assert {Held(role).rank for role in ROLES} == set(range(len(ROLES)))


def test_no_grant_is_beyond_its_giver(house: House) -> None:
    """An operator ranks above an approver, and may not let somebody approve: they may not themselves."""
    refused = do("grants.give", house.olive, person="henry@northlight.example", role="approver", client="acme")
    assert refused.stage == "refused" and "may changes.approve, and you may not" in reasons(refused)
    assert do("grants.give", house.olive, person="henry@northlight.example", role="auditor", client="acme").version
    do("roles.create", house.oskar, name="node keeper", permissions=["nodes.add"])
    refused = do("grants.give", house.olive, person="henry@northlight.example", role="node keeper")
    assert refused.stage == "refused" and "stands above what you hold here" in reasons(refused)


def test_elevation_is_let_through_by_somebody_who_holds_as_much_and_ends(house: House) -> None:
    asked = do("grants.elevate", house.henry, role="operator", client="acme", hours=2)
    assert asked.stage == "held" and "asks for the role operator until" in reasons(asked)
    with pytest.raises(NotAllowed, match="holds as much"):
        approve(asked.pk, actor=house.ada, plan_hash=asked.plan_hash)
    done = approve(asked.pk, actor=house.oskar, plan_hash=asked.plan_hash)
    assert done.version, reasons(done)
    grant = the(Grant, person=house.henry.person, role="operator")
    assert grant.until == asked.now + timedelta(hours=2) and grant.reason == "a test"
    assert do("mailboxes.suspend", house.henry, mailbox=MIA).version
    assert do("mailboxes.suspend", house.henry, mailbox="mia@globex.example").stage == "refused"
    assert do("grants.elevate", house.carl, role="operator", client="acme", hours=1).stage == "refused"


def test_a_client_viewer_sees_all_of_its_client_and_changes_nothing(house: House) -> None:
    do("people.invite", house.oskar, name="Vera", email="vera@acme.example", client="acme")
    with pytest.raises(Problems, match="one of some client"):
        do("grants.give", house.oskar, person="carl@northlight.example", role="client viewer")
    do("grants.give", house.oskar, person="vera@acme.example", role="client viewer", client="acme")
    vera = person("vera@acme.example", house.oskar)
    assert do("mailboxes.suspend", vera, mailbox=MIA).stage == "refused"
    with acting_as(vera) as access:
        assert access.can_somewhere("changes.view") and not access.can_somewhere("tokens.create")
