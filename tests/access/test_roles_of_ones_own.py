"""Roles made of permissions, elevation for some hours, and no grant beyond its giver."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from cast import MIA, House, do, person, reasons, the, with_consent
from postroom.access.acting import acting_as
from postroom.access.actor import Actor, Held
from postroom.access.roles import APPROVE, EXPORT, ROLES, SHEET, operates, rank_of
from postroom.api.urls import api
from postroom.changes.approvals import approve
from postroom.changes.cover import permissions
from postroom.changes.errors import NotAllowed, Problems
from postroom.models import Change, Grant

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
    for ours in ("owner", "break-glass", "closed"):
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
    assert refused.stage == "refused" and "changes.approve, resets.approve, and you may not" in reasons(refused)
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


def joined(house: House, name: str, *roles: str, **at: str) -> Actor:
    """Somebody new with these roles, a second person agreeing where that is asked for."""
    email = f"{name.lower()}@northlight.example"
    do("people.invite", house.oskar, name=name, email=email)
    for role in roles:
        given = do("grants.give", house.oskar, person=email, role=role, **at)
        if given.stage == "held":
            with_consent(house, given)
    return person(email, house.oskar)


def test_a_role_of_ones_own_that_ranks_high_is_given_like_a_high_one(house: House) -> None:
    """Else an owner alone would make themselves a second person."""
    do("roles.create", house.oskar, name="second look", permissions=["changes.view", "changes.approve"])
    do("people.invite", house.oskar, name="Alt", email="alt@northlight.example")
    given = do("grants.give", house.oskar, person="alt@northlight.example", role="second look")
    assert given.stage == "held" and "gives the role second look" in reasons(given)
    do("roles.create", house.oskar, name="reader", permissions=["changes.view"])
    assert do("grants.give", house.oskar, person="alt@northlight.example", role="reader").version


def test_a_role_does_not_become_a_high_one_by_itself(house: House) -> None:
    do("roles.create", house.oskar, name="reader", permissions=["changes.view"])
    joined(house, "Alt", "reader")
    more = do("roles.change", house.oskar, role="reader", permissions=["changes.approve", "changes.view"])
    assert more.stage == "held" and "lets whoever holds the role reader also changes.approve" in reasons(more)
    assert do("roles.change", house.oskar, role="reader", permissions=["changes.view", "domains.view"]).version
    assert do("roles.change", house.oskar, role="reader", permissions=["domains.view"]).version, "less asks nobody"


def test_what_a_role_of_ones_own_opens_is_held_everywhere(house: House) -> None:
    """It may be held anywhere: who operates one client makes nobody operate another."""
    do("roles.create", house.oskar, name="role keeper", permissions=["roles.change", "roles.view"])
    do("roles.create", house.oskar, name="reader", permissions=["domains.view"])
    rob = joined(house, "Rob", "role keeper", "reader")
    held = do("grants.give", house.oskar, person="rob@northlight.example", role="operator", client="acme")
    with_consent(house, held)
    refused = do("roles.change", rob, role="reader", permissions=["domains.view", "mailboxes.suspend"])
    assert refused.stage == "refused" and "you may not mailboxes.suspend yourself everywhere" in reasons(refused)


def test_what_was_lent_for_hours_is_not_passed_on_for_longer(house: House) -> None:
    asked = do("grants.elevate", house.henry, role="operator", client="acme", hours=2)
    approve(asked.pk, actor=house.oskar, plan_hash=asked.plan_hash)
    joined(house, "Pal")

    def given(role: str, **more: str) -> Change:
        return do("grants.give", house.henry, person="pal@northlight.example", role=role, client="acme", **more)

    for until in ({}, {"until": (asked.now + timedelta(hours=3)).isoformat()}):
        refused = given("auditor", **until)
        assert refused.stage == "refused" and "would last longer than what you hold here" in reasons(refused)
    assert given("auditor", until=(asked.now + timedelta(hours=1)).isoformat()).version
    assert given("helpdesk").version, "this much Henry holds for good"


def test_no_grant_reads_or_takes_away_more_than_its_giver(house: House) -> None:
    """Looking and taking the record out are permissions like any other."""
    do(
        "roles.create",
        house.oskar,
        name="lender",
        permissions=["grants.give", "clients.view", "people.view", "roles.view"],
    )
    joined(house, "Len", "lender")
    joined(house, "Pal")
    len_ = person("len@northlight.example", house.oskar)
    do("roles.create", house.oskar, name="taker", permissions=["entries.export"])
    for role in ("client viewer", "taker"):
        refused = do("grants.give", len_, person="pal@northlight.example", role=role, client="acme")
        assert refused.stage == "refused" and "and you may not" in reasons(refused), role


def test_whatever_an_address_or_operation_asks_for_can_be_granted() -> None:
    nobodys = {"public", "own sign-in", "own", "sign-in", "mailbox owner", "mailbox", "owner"}
    asked = {name for view in views() for name in view.permission.split()} - nobodys
    assert asked - {APPROVE, EXPORT, SHEET} and asked <= set(permissions())


def views() -> Iterator[Any]:
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.callback
    for _, router in api._routers:
        for path in router.path_operations.values():
            yield from (one.view_func for one in path.operations)
