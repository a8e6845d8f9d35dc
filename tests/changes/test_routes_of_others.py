"""Whose mail it is that goes on: a VIP's, that of somebody who stands above, of postmaster@; and what leaves freely."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, at, do, kind, owner_of, reasons, redeemed, the, with_consent
from postroom.access.acting import CLOCK
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import CatchAll, Client, Forward, Organization

LEO, HOME = "leo@acme.example", "mia@home.test"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


@pytest.fixture
def vip(house: House) -> House:
    do("mailboxes.create", house.olive, address=LEO)
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    return house


def test_what_passes_the_mail_of_a_vip_on_is_held_and_to_shut_it_is_not(vip: House) -> None:
    held = do("forwards.create", vip.olive, address=MIA, to=LEO, until=later())
    assert held.stage == "held" and reasons(held) == f"moves mail of a VIP: {MIA}"
    with_consent(vip, held)
    one = str(the(Forward).pk)
    longer = do("forwards.change", vip.olive, forward=one, until=later(60))
    assert reasons(longer) == "passes on the mail of a VIP"
    assert do("forwards.change", vip.olive, forward=one, until=later(9)).version, "shorter is no risk"
    with_consent(vip, do("forwards.disable", vip.olive, forward=one))
    again = do("forwards.enable", vip.olive, forward=one)
    assert reasons(again) == f"moves mail of a VIP: {MIA}"
    asked = {"address": MIA, "target": HOME, "owner": "Mia", "until": later()}
    assert "passes on the mail of a VIP" in reasons(do("exceptions.create", vip.olive, **asked))


def test_what_brought_a_vip_mail_is_held_when_somebody_takes_it_and_the_clock_ends_it(vip: House) -> None:
    with_consent(vip, do("forwards.create", vip.olive, address=LEO, to=MIA, until=later()))
    caught = do("catch_alls.set", vip.olive, domain="acme.example", target=MIA, until=later())
    words = "moves mail of a VIP: any other address at acme.example"
    assert reasons(caught) == words
    with_consent(vip, caught)
    ended = do("forwards.end", vip.olive, forward=str(the(Forward).pk))
    moved = do("catch_alls.set", vip.olive, domain="acme.example", target=LEO, until=later())
    assert ended.stage == "held" and reasons(ended) == f"moves mail of a VIP: {LEO}"
    for change in (moved, do("catch_alls.end", vip.olive, catch_all="acme.example")):
        assert change.stage == "held" and "changes what reaches a VIP" in reasons(change)
    with at(the(CatchAll).until):
        assert do("catch_alls.end", CLOCK, catch_all="acme.example").version
        assert do("forwards.end", CLOCK, forward=str(the(Forward).pk)).version


def test_a_catch_all_that_comes_to_a_vip_over_an_alias_is_held_too(vip: House) -> None:
    do("aliases.create", vip.olive, address="boss@acme.example", targets=[MIA])
    held = do("catch_alls.set", vip.carl, domain="acme.example", target="boss@acme.example", until=later())
    assert held.stage == "held" and reasons(held) == "moves mail of a VIP: any other address at acme.example"


def test_more_that_leaves_freely_and_less_that_is_forbidden_is_held(house: House) -> None:
    for act, by, where, model in (
        ("clients.change", house.olive, {"client": "acme"}, Client),
        ("organization.change", house.oskar, {}, Organization),
    ):
        row = {"slug": "acme"} if model is Client else {}
        name = the(model, **row).name
        wider = do(act, by, **where, forward_allowed=["partner.test"])
        assert wider.stage == "held"
        assert reasons(wider) == f"lets mail of {name} leave to partner.test without an exception"
        with_consent(house, wider)
        assert do(act, by, **where, forward_allowed=[]).version
        assert do(act, by, **where, forward_forbidden=["bad.test", "worse.test"]).version
        narrower = do(act, by, **where, forward_forbidden=["worse.test"])
        assert reasons(narrower) == f"forbids mail of {name} no more to go to bad.test"


def test_many_forwards_at_once_are_counted(house: House) -> None:
    do("clients.change", house.olive, client="acme", held_over=2)
    parts = [kind("forwards.create", address=f"f{n}@acme.example", to=MIA, until=later()) for n in range(3)]
    assert reasons(submit(parts, actor=house.olive, why="a test")) == "3 forwards in one change"


def test_the_mail_of_somebody_above_is_not_led_away(house: House) -> None:
    do("mailboxes.create", house.oskar, address="boss@acme.example", owner="owner@northlight.example")
    asked = {"address": "boss@acme.example", "until": later()}
    for change in (
        do("forwards.create", house.olive, **asked, to=MIA),
        do("exceptions.create", house.carl, **asked, target="boss@x.test", owner="B"),
    ):
        assert change.stage == "refused" and "stands above you" in reasons(change)
    assert do("forwards.create", house.oskar, **asked, to=MIA).version


@pytest.mark.parametrize("local", ["postmaster", "abuse"])
def test_nobody_but_operators_gets_what_comes_for_a_role_account(house: House, local: str) -> None:
    asked: dict[str, Any] = {"address": f"{local}@acme.example", "until": later()}
    for change in (
        do("forwards.create", house.carl, **asked, to=MIA),
        do("forwards.create", house.carl, **asked, to="x@x.test", owner="x"),
        do("exceptions.create", house.carl, **asked, target="x@x.test", owner="x"),
    ):
        assert change.stage == "refused" and "by the agency's operators alone" in reasons(change)
    assert do("forwards.create", house.olive, **asked, to=MIA).version


def refused_as_it_lands_here(house: House, value: str) -> None:
    for by in (house.olive, owner_of(MIA)):
        with pytest.raises(Problems, match="lands in mia@acme"):
            do("recovery_channels.name", by, mailbox=MIA, value=value)


def test_what_lands_in_the_mailbox_itself_is_no_way_back_into_it(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact=HOME)
    redeemed(MIA)
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("mailboxes.create", house.olive, address=LEO)
    do("forwards.create", house.olive, address="going@acme.example", to=MIA, until=later())
    do("domains.set_alias", house.olive, domain="acme.test", of="acme.example")
    do("catch_alls.set", house.olive, domain="acme.example", target="going@acme.example", until=later())
    for value in ("going@acme.example", "mia@acme.test", "going@acme.test"):
        refused_as_it_lands_here(house, value)
    refused_as_it_lands_here(house, "nobody@acme.example")
    assert do("recovery_channels.name", house.olive, mailbox=MIA, value=LEO).version, "its mail is its own"
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    assert do("recovery_channels.name", house.olive, mailbox=MIA, value="going@acme.example").version
