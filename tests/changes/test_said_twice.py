"""What is said twice is so once: exceptions for one way out, a catch-all that is set again, a forward to oneself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, SYSTEM, House, agreed, at, do, do_all, owner_of, reasons, the, together
from postroom.access.acting import acting_as
from postroom.changes.approvals import approve, replan, withdraw
from postroom.changes.errors import NotSeen, Problems
from postroom.models import CatchAll, Change, Forward, RouteException
from postroom.queries.made import makers
from routed import later

HOME, MIRROR = "mia@gmail.com", "mia@acme.test"
WORDS = f"mail of {MIA} may go to {HOME} as long already"


def asked(house: House, **more: Any) -> Change:
    held = do("exceptions.create", house.olive, address=MIA, target=HOME, owner="Mia", **{"until": later(), **more})
    assert held.stage == "held", reasons(held)
    return held


def standing() -> int:
    with acting_as(SYSTEM):
        return RouteException.objects.filter(ended_at=None).count()


def approved(house: House, change: Change) -> Change:
    return approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)


def test_of_two_exceptions_that_wait_for_one_way_out_the_second_is_refused(house: House) -> None:
    first, second = asked(house), asked(house, until=later(20))
    assert approved(house, first).version
    late = approved(house, second)
    assert late.stage == "held" and WORDS in reasons(late) and standing() == 1
    with pytest.raises(NotSeen, match="a refusal stands"):
        approved(house, late)


def test_also_where_both_are_approved_at_once(house: House) -> None:
    until = later()
    both = [asked(house, until=until), asked(house, until=until)]
    together(*(lambda one=one: approved(house, one) for one in both))
    assert standing() == 1


def test_one_that_lasts_longer_is_another_and_one_for_a_forward_counts(house: House) -> None:
    first, longer = asked(house), asked(house, until=later(60))
    forward = do("forwards.create", house.olive, address=MIA, to=HOME, until=later(10), owner="Mia")
    assert approved(house, first).version and approved(house, longer).version and standing() == 2
    late = approved(house, forward)
    assert late.stage == "held" and WORDS in reasons(late)
    withdraw(forward.pk, actor=house.olive, why="a test")
    assert replan(forward.pk, actor=house.olive, why="a test").version, "it rests on what stands by now"


def test_two_in_one_change_are_one_too_many(house: House) -> None:
    part = {"address": MIA, "target": HOME, "owner": "Mia", "until": later()}
    twice = do_all("exceptions.create", house.olive, [part, part])
    assert twice.stage == "refused" and WORDS in reasons(twice)


def test_an_owner_asks_anew_for_all_of_a_forward_that_was_ended(house: House) -> None:
    """Its exception may stand yet; whoever ended the forward did not agree to another."""
    asked = {"address": MIA, "to": HOME, "until": later(), "keep_copy": True}
    assert agreed(house, do("forwards.create", owner_of(MIA), **asked)).version
    assert do("forwards.end", house.olive, forward=str(the(Forward).pk)).version
    anew = do("forwards.create", owner_of(MIA), **asked)
    assert anew.stage == "held" and WORDS not in reasons(anew)
    assert approved(house, anew).version


@pytest.mark.parametrize("by_clock", [False, True])
def test_a_catch_all_that_had_ended_is_made_anew(house: House, by_clock: bool) -> None:
    caught = {"domain": "acme.example", "target": MIA}
    do("catch_alls.set", house.olive, **caught, until=later(5))
    before = the(CatchAll).made
    if not by_clock:
        do("catch_alls.end", house.olive, catch_all="acme.example")
    now = timezone.now() + timedelta(days=10 if by_clock else 1)
    with at(now):
        assert do("catch_alls.set", house.carl, **caught, until=later(20)).version
        made = the(CatchAll).made
        with acting_as(SYSTEM):
            assert [one.by for one in makers([the_id()]).values()] == ["Carl"]
        assert made > before and abs(made - now) < timedelta(minutes=1)
        assert do("catch_alls.set", house.olive, **caught, until=later(30)).version
        assert the(CatchAll).made == made, "it stood"


def the_id() -> Any:
    return CatchAll.objects.get().pk


def test_nobody_passes_mail_on_to_the_same_address_by_its_other_name(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="acme.test")
    do("domains.set_alias", house.olive, domain="acme.test", of="acme.example")
    words = f"{MIRROR} is {MIA} by another name: mail would come back to it"
    more = {"until": later(), "owner": "Mia"}
    for proven in (False, True):
        if proven:
            do("domains.prove", SYSTEM, domain="acme.test", proof="a test")
        for to in (MIRROR, "mia+box@acme.test"):
            with pytest.raises(Problems, match=words.replace(MIRROR, to).replace("+", r"\+")):
                do("forwards.create", house.olive, address=MIA, to=to, **more)
    do("aliases.create", house.olive, address="info@acme.example", targets=[MIA])
    with pytest.raises(Problems, match=r"info@acme\.test is info@acme\.example by another name"):
        do("aliases.change", house.olive, alias="info@acme.example", targets=[MIA, "info@acme.test"])
    agreed(house, do("aliases.change", house.olive, alias="info@acme.example", targets=[MIRROR]))
    assert do("aliases.change", house.olive, alias="abuse@acme.example", targets=["abuse@acme.test"]).version, "its own"
