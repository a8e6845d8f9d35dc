"""Forwards, catch-alls, exceptions and domains that are aliases: what is planned, held and refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, at, do, reasons, the
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.api.problems import TITLES
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingGoesBack, NothingToDo, Problems
from postroom.models import Address, CatchAll, Change, Domain, Forward, RouteException

LEO, HOME = "leo@acme.example", "mia@gmail.com"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def forwarded(house: House, to: str, *, by: str = "olive", address: str = MIA, **more: Any) -> Change:
    return do("forwards.create", getattr(house, by), **{"address": address, "to": to, "until": later(), **more})


def approved(house: House, change: Change) -> Change:
    return approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)


def out(house: House, **more: Any) -> Forward:
    """One that leaves, with its exception."""
    done = approved(house, forwarded(house, HOME, owner="Mia Moss", **more))
    assert done.version, reasons(done)
    return the(Forward, to=HOME)


def test_inside_it_goes_through_and_outside_it_is_held_with_an_exception(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    assert forwarded(house, LEO).version
    held = forwarded(house, HOME, owner="Mia Moss")
    assert held.stage == "held" and f"lets mail leave to {HOME}, a private mailbox" in reasons(held)
    with acting_as(SYSTEM):
        assert not RouteException.objects.exists()
    assert approved(house, held).version
    one = the(RouteException)
    assert (one.target, one.owner, one.on_end, one.reason) == (HOME, "Mia Moss", "ask", held.why)
    assert the(Forward, to=HOME).until == one.until


def test_another_forward_by_the_same_exception_waits_for_nobody(house: House) -> None:
    with at(timezone.now() - timedelta(minutes=1)):
        approved(house, do("exceptions.create", house.olive, address=MIA, target=HOME, owner="Mia", until=later(40)))
    assert forwarded(house, HOME).version
    gone = the(Forward, to=HOME)
    assert do("forwards.end", house.olive, forward=str(gone.pk)).version
    again = forwarded(house, HOME, until=later(20))
    assert again.version, reasons(again)
    assert the(Forward, to=HOME).pk == gone.pk and the(RouteException).ended_at is None


def test_what_is_forbidden_is_refused_and_what_is_allowed_needs_no_exception(house: House) -> None:
    approved(house, do("clients.change", house.olive, client="acme", forward_allowed=["*.partner.test"]))
    assert forwarded(house, "joe@mail.partner.test").version
    do("organization.change", house.oskar, forward_forbidden=["Private Providers"])
    for refused in (forwarded(house, HOME, owner="Mia"), forwarded(house, HOME, address="new@acme.example", owner="x")):
        assert refused.stage == "refused" and "forbidden by private providers" in reasons(refused)
    with acting_as(SYSTEM):
        assert not RouteException.objects.exists()


def test_bad_ones_are_told_with_where_and_why(house: House) -> None:
    for to, words in ((MIA, "pass mail to itself"), ("nobody@acme.example", "does not exist yet")):
        with pytest.raises(Problems, match=words):
            forwarded(house, to)
    with pytest.raises(Problems, match="has passed"):
        forwarded(house, HOME, owner="x", until=later(-1))
    with pytest.raises(Problems, match="a year from now"):
        forwarded(house, HOME, owner="x", until=later(500))
    with pytest.raises(Problems, match="who answers"):
        forwarded(house, HOME, address="new@acme.example")


def test_a_loop_over_an_alias_and_a_forward_is_refused_from_every_side(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[LEO])
    assert forwarded(house, "team@acme.example", keep_copy=False).version
    for refused in (
        forwarded(house, MIA, address=LEO, keep_copy=False),
        do("aliases.change", house.olive, alias="team@acme.example", targets=[MIA]),
    ):
        assert refused.stage == "refused" and "would come back to it by way of" in reasons(refused)


def test_disabled_it_stays_and_is_enabled_only_while_its_exception_stands(house: House) -> None:
    one = str(out(house).pk)
    assert do("forwards.disable", house.olive, forward=one).version
    assert do("forwards.enable", house.olive, forward=one).version
    do("forwards.disable", house.olive, forward=one)
    assert do("exceptions.end", house.olive, exception=str(the(RouteException).pk)).version
    refused = do("forwards.enable", house.olive, forward=one)
    assert refused.stage == "refused" and "no exception lets mail go" in reasons(refused)
    longer = do("forwards.change", house.olive, forward=str(one), until=later(60))
    assert longer.version, "it is disabled: nothing opens"


def test_a_forward_does_not_outlive_its_exception(house: House) -> None:
    one = out(house)
    refused = do("forwards.change", house.olive, forward=str(one.pk), until=later(60))
    assert refused.stage == "refused" and "no exception lets mail go" in reasons(refused)
    assert the(Forward).until == one.until


@pytest.mark.parametrize(("on_end", "column"), [("ask", "disabled_at"), ("remove", "removed_at")])
def test_the_end_of_an_exception_takes_its_forward_along(house: House, on_end: str, column: str) -> None:
    out(house, on_end=on_end)
    one = the(RouteException)
    with at(one.until):
        assert do("exceptions.end", CLOCK, exception=str(one.pk)).version
    assert getattr(the(Forward), column) is not None and the(RouteException).ended_at is not None


def test_the_clock_ends_nothing_early(house: House) -> None:
    one = out(house)
    for kind, param, row in (("exceptions.end", "exception", the(RouteException)), ("forwards.end", "forward", one)):
        with pytest.raises(NothingToDo):
            do(kind, CLOCK, **{param: str(row.pk)})


def test_an_undo_brings_no_exception_back_and_so_no_way_out(house: House) -> None:
    one = out(house)
    ended = do("exceptions.end", house.olive, exception=str(the(RouteException).pk))
    back = undo(ended.pk, actor=house.olive, why="too early")
    assert not back.version and the(Forward, pk=one.pk).disabled_at is not None


def test_an_undo_of_an_exceptions_end_alone_says_why_it_stays_ended(house: House) -> None:
    gone = out(house)
    do("forwards.disable", house.olive, forward=str(gone.pk))
    ended = do("exceptions.end", house.olive, exception=str(the(RouteException).pk))
    with pytest.raises(NothingGoesBack, match="exceptions: access is given again, never rolled back to"):
        undo(ended.pk, actor=house.olive, why="too early")
    assert TITLES[NothingGoesBack][2] == "Nothing of it goes back"


def test_an_owner_is_told_once_a_day_and_it_is_said_when_they_were(house: House) -> None:
    out(house)
    tell = {"mailbox": MIA, "target": HOME}
    assert do("forwards.tell_owner", house.olive, **tell).version
    with pytest.raises(Problems, match=r"its owner was told of that .* UTC already"):
        do("forwards.tell_owner", house.olive, **tell)
    with at(timezone.now() + timedelta(days=1, minutes=1)):
        assert do("forwards.tell_owner", house.olive, **tell).version


def test_a_catch_all_stays_inside_has_an_end_and_can_be_set_again(house: House) -> None:
    assert do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()).version
    with pytest.raises(Problems, match="is outside this client"):
        do("catch_alls.set", house.olive, domain="acme.example", target=HOME, until=later())
    with pytest.raises(Problems, match="three months"):
        do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later(100))
    assert do("catch_alls.end", house.olive, catch_all="acme.example").version
    assert do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later(3)).version
    assert the(CatchAll).removed_at is None


def test_a_domain_that_is_an_alias_has_no_addresses_of_its_own(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="acme.test")
    assert do("domains.set_alias", house.olive, domain="acme.test", of="acme.example").version
    assert the(Domain, name="acme.test").alias_of_id == the(Domain, name="acme.example").pk
    for kind, more in (
        ("aliases.create", {"targets": [MIA]}),
        ("forwards.create", {"to": MIA, "until": later()}),
        ("mailboxes.create", {}),
    ):
        refused = do(kind, house.olive, address="x@acme.test", **more)
        assert refused.stage == "refused" and "x@acme.test: the domain is an alias" in reasons(refused)
    refused = do("catch_alls.set", house.olive, domain="acme.test", target=MIA, until=later())
    assert refused.stage == "refused" and "acme.test: the domain is an alias" in reasons(refused)
    assert do("domains.set_alias", house.olive, domain="acme.test").version
    assert do("aliases.create", house.olive, address="x@acme.test", targets=[MIA]).version
    with pytest.raises(Problems, match=r"x@acme\.test"):
        do("domains.set_alias", house.olive, domain="acme.test", of="acme.example")


def test_a_forward_alone_makes_its_address(house: House) -> None:
    assert forwarded(house, MIA, address="gone@acme.example").version
    assert the(Address, address="gone@acme.example").keep_copy


def test_an_exception_alone_is_held_is_of_what_is_outside_and_said_once(house: House) -> None:
    asked = {"address": MIA, "target": HOME, "owner": "Mia Moss", "until": later()}
    held = do("exceptions.create", house.olive, **asked)
    assert held.stage == "held" and approved(house, held).version
    assert the(RouteException).review_on < the(RouteException).until.date()
    with pytest.raises(Problems, match="as long already"):
        do("exceptions.create", house.olive, **asked)
    with pytest.raises(Problems, match="is inside"):
        do("exceptions.create", house.olive, **asked | {"target": "leo@acme.example"})
    assert forwarded(house, HOME, until=later(20)).version, "it rests on what stands"


def test_an_address_made_for_a_forward_may_be_an_alias_too_and_one_with_a_mailbox_may_not(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    forwarded(house, LEO, address="gone@acme.example")
    assert do("aliases.create", house.olive, address="gone@acme.example", targets=[MIA]).version
    with pytest.raises(Problems, match="taken"):
        do("aliases.create", house.olive, address=LEO, targets=[MIA])


def test_who_gets_a_mailbox_gets_none_of_its_ways_out(house: House) -> None:
    """The one before may have forwarded their mail home: it is another's mail from now on."""
    one = out(house)
    held = do("mailboxes.transfer", house.olive, mailbox=MIA, contact="new@home.test")
    assert approved(house, held).version, reasons(held)
    assert the(RouteException).ended_at is not None and the(Forward, pk=one.pk).disabled_at is not None


def test_a_domain_that_is_only_claimed_or_removed_is_outside(house: House) -> None:
    """Mail to it goes by whatever MX it has: only what is served is inside."""
    do("domains.add", house.olive, client="acme", name="claimed.test")
    there = "abuse@claimed.test"
    held = forwarded(house, there, owner="Mia Moss")
    assert held.stage == "held" and f"lets mail leave to {there}" in reasons(held)
    for kind, more in (("aliases.create", {"address": "x@acme.example", "targets": [there]}),
                       ("catch_alls.set", {"domain": "acme.example", "target": there, "until": later()})):  # fmt: skip
        with pytest.raises(Problems, match="is outside this client"):
            do(kind, house.olive, **more)
    itself = do("aliases.create", house.olive, address="info@claimed.test", targets=[there])
    assert itself.stage == "held" and f"by way of {there}" in reasons(itself), "at itself it is inside, till it goes on"
    do("domains.prove", SYSTEM, domain="claimed.test", proof="a test")
    assert do("aliases.create", house.olive, address="x@acme.example", targets=[there]).stage == "held", "as at itself"


def test_an_alias_that_led_elsewhere_is_not_led_back_outside(house: House, sql: Any) -> None:
    do("domains.add", house.olive, client="acme", name="old.test")
    do("domains.prove", SYSTEM, domain="old.test", proof="a test")
    do("mailboxes.create", house.olive, address="jo@old.test")
    do("aliases.create", house.olive, address="sales@acme.example", targets=["jo@old.test"])
    moved = do("aliases.change", house.olive, alias="sales@acme.example", targets=[MIA])
    sql("SET session_replication_role = replica", "UPDATE domains SET removed_at = now() WHERE name = 'old.test'",
        "RESET session_replication_role")  # fmt: skip
    back = undo(moved.pk, actor=house.olive, why="as it was")
    assert not back.version and "an alias stays inside" in reasons(back)


def test_an_exception_is_not_taken_from_under_a_forward(house: House) -> None:
    asked = {"address": MIA, "target": HOME, "owner": "Mia Moss", "until": later()}
    made = do("exceptions.create", house.olive, **asked)
    approved(house, made)
    assert forwarded(house, HOME, until=later(20)).version
    back = undo(made.pk, actor=house.olive, why="never mind")
    assert not back.version and "rests on this exception" in reasons(back)
    with acting_as(SYSTEM):
        assert RouteException.objects.get().ended_at is None


def test_a_shorter_exception_that_stands_keeps_no_forward_that_lasts_longer(house: House) -> None:
    approved(house, do("exceptions.create", house.olive, address=MIA, target=HOME, owner="Mia", until=later(10)))
    one = out(house)
    longest = the(RouteException, until=one.until)
    assert do("exceptions.end", house.olive, exception=str(longest.pk)).version
    assert the(Forward).disabled_at is not None


@pytest.mark.parametrize("touch", ["disable", "change"])
def test_an_undo_of_what_was_touched_since_ends_it(house: House, touch: str) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    made = forwarded(house, LEO)
    one = str(the(Forward).pk)
    do(f"forwards.{touch}", house.olive, forward=one, **({"until": later(9)} if touch == "change" else {}))
    back = undo(made.pk, actor=house.olive, why="never mind")
    assert back.version or approved(house, back).version, reasons(back)
    with acting_as(SYSTEM):
        assert not Forward.objects.filter(removed_at=None).exists()


def test_a_mailbox_that_is_removed_passes_nothing_on_to_outside(house: House) -> None:
    out(house)
    done = approved(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    assert done.version and the(Forward).disabled_at is not None and the(RouteException).ended_at is not None
