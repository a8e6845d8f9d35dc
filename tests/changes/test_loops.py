"""Mail that would go round: refused by whatever door, over clients too, and when two come at once."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, again, agreed, do, kind, owner_of, reasons, the, together, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import apply as writer
from postroom.changes.approvals import approve, replan, undo
from postroom.changes.batch import approve_batch, submit_batch
from postroom.changes.pipeline import dry_run, submit
from postroom.models import Address, Alias, Change, Destination, Forward
from routed import looked, script

HERS = "mia@globex.example"
C, D = "c@acme.example", "d@acme.example"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def passed(house: House, address: str, to: str, *, keep: bool = False, by: Any = None) -> Change:
    more = {} if address.rpartition("@")[2] == to.rpartition("@")[2] else {"owner": "Mia"}
    return do("forwards.create", by or house.olive, address=address, to=to, until=later(), keep_copy=keep, **more)


def forward(address: str) -> str:
    return str(the(Forward, address__address=address).pk)


def refused(change: Change, words: str) -> None:
    assert change.version is None, (change.stage, reasons(change))
    said = [v["reason"] for v in change.verdicts if v["policy"] == "loops" and v["says"] == "refuse"]
    assert said and words in said[0], (change.stage, reasons(change))


@pytest.fixture
def two(house: House) -> House:
    """Two mailboxes of a client; by C mail goes to D."""
    for one in (C, D):
        do("mailboxes.create", house.olive, address=one)
    assert agreed(house, passed(house, C, D)).version
    return house


def test_a_new_route_that_would_come_back_is_refused(two: House) -> None:
    words = f"mail to {D} would come back to it by way of {C}"
    refused(passed(two, D, C), words)
    shown = dry_run(kind("forwards.create", address=D, to=C, until=later(), keep_copy=False), actor=two.olive)
    assert words in reasons(shown.change)
    do("aliases.create", two.olive, address="team@acme.example", targets=[MIA])
    assert agreed(two, passed(two, D, "team@acme.example")).version
    refused(do("aliases.change", two.olive, alias="team@acme.example", targets=[C]), f"by way of {C}, {D}")


def test_an_undo_opens_no_ring_though_it_is_ones_own_and_of_just_now(two: House) -> None:
    ended = do("forwards.end", two.olive, forward=forward(C))
    assert agreed(two, passed(two, D, C)).version
    back = undo(ended.pk, actor=two.olive, why="a test")
    refused(back, f"mail to {C} would come back to it by way of {D}")
    assert the(Forward, address__address=C).removed_at is not None


def test_nor_does_one_that_is_enabled_or_goes_on_for_longer(two: House) -> None:
    assert do("forwards.disable", two.olive, forward=forward(C)).version
    assert agreed(two, passed(two, D, C)).version
    refused(do("forwards.enable", two.olive, forward=forward(C)), f"by way of {D}")


def test_a_copy_that_stays_ends_a_ring_until_it_is_taken_away(two: House) -> None:
    assert agreed(two, passed(two, D, C, keep=True)).version, "as Postfix has it: mail lands with D"
    made = do("forwards.end", two.olive, forward=forward(D))
    assert agreed(two, made).version
    refused(passed(two, D, C), f"by way of {C}")
    assert the(Address, address=D).keep_copy


def test_a_destination_and_a_catch_all_close_none(two: House) -> None:
    do("destinations.create", two.olive, client="acme", name="invoices", targets=[MIA])
    do("aliases.create", two.olive, address="pay@acme.example", destination=_destination())
    assert agreed(two, passed(two, MIA, "pay@acme.example", keep=True)).version
    assert agreed(two, passed(two, D, "pay@acme.example")).version
    changed = do("destinations.change", two.olive, destination=_destination(), targets=[C])
    refused(changed, "would come back to it by way of")
    do("aliases.create", two.olive, address="gone@acme.example", targets=["pay@acme.example"])
    do("aliases.remove", two.olive, alias="gone@acme.example")
    do("aliases.create", two.olive, address="on@acme.example", targets=[MIA])
    assert agreed(two, do("aliases.change", two.olive, alias="on@acme.example", targets=["gone@acme.example"])).version
    caught = do("catch_alls.set", two.olive, domain="acme.example", target="on@acme.example", until=later())
    refused(caught, "mail to *@acme.example would go round and never land, by way of ")


def _destination() -> str:
    return str(the(Destination).pk)


def test_a_domain_that_stands_for_another_closes_none(two: House) -> None:
    do("domains.add", two.olive, client="acme", name="acme-also.example")
    do("domains.prove", SYSTEM, domain="acme-also.example", proof="a test")
    do("aliases.create", two.olive, address="x@acme-also.example", targets=[MIA])
    assert agreed(two, passed(two, D, "x@acme-also.example")).version
    assert agreed(two, do("aliases.remove", two.olive, alias="x@acme-also.example")).version
    do("aliases.create", two.olive, address="x@acme.example", targets=[D])
    aliased = do("domains.set_alias", two.olive, domain="acme-also.example", of="acme.example")
    refused(aliased, "by way of ")


def test_what_a_script_passes_on_counts(two: House) -> None:
    script(MIA, {"to": "team@acme.example"})
    looked()
    do("aliases.create", two.olive, address="team@acme.example", targets=[D])
    refused(do("aliases.change", two.olive, alias="team@acme.example", targets=[MIA]), "team@acme.example")


def test_over_two_clients_and_no_more_is_told_than_that(two: House) -> None:
    assert with_consent(two, passed(two, HERS, D, by=two.olive)).version
    refused(passed(two, D, HERS), f"mail to {D} would come back to it by way of {HERS}")
    carls = passed(two, D, HERS, by=two.carl)
    refused(carls, f"mail to {D} would come back to it by way of an address of another client")
    assert not any(HERS in v["reason"] for v in carls.verdicts if v["policy"] == "loops")
    with acting_as(two.carl):
        assert not Address.objects.filter(address=HERS).exists(), "and sees no more than before"


def held_both_ways(house: House) -> tuple[Change, Change]:
    one, other = passed(house, D, HERS), passed(house, HERS, D)
    assert one.stage == other.stage == "held", (reasons(one), reasons(other))
    return one, other


def test_of_two_that_wait_the_second_is_judged_anew_when_it_is_approved(two: House) -> None:
    one, other = held_both_ways(two)
    with_consent(two, one)
    late = approve(other.pk, actor=two.ada, plan_hash=other.plan_hash)
    assert late.stage == "held"
    refused(late, f"mail to {HERS} would come back to it by way of")
    assert approve_again(two, late) == "a refusal stands; what is refused is not approved"


def approve_again(house: House, change: Change) -> str:
    try:
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    except Exception as error:
        return str(error)
    return ""


def test_two_that_are_approved_at_the_same_moment_do_not_both_get_through(
    two: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are judged, each under the lock of its own client, before either is written."""
    one, other = held_both_ways(two)
    meet, real = threading.Barrier(2), writer._judge_again

    def judged(proposed: Any) -> None:
        meet.wait(10)
        real(proposed)
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(2)  # the first to be through waits for the other, unless that one is made to wait itself

    monkeypatch.setattr(writer, "_judge_again", judged)
    results = together(*(lambda c=c: approve(c.pk, actor=two.ada, plan_hash=c.plan_hash) for c in (one, other)))
    assert sorted(again(c).stage for c in (one, other)) == ["applied", "held"], results
    refused(next(again(c) for c in (one, other) if again(c).stage == "held"), "would come back to it")


def test_a_batch_closes_none_between_its_parts(two: House) -> None:
    asked = [
        kind("forwards.create", address=a, to=to, until=later(), keep_copy=False, owner="Mia")
        for a, to in ((D, HERS), (HERS, D))
    ]
    batch = submit_batch(asked, actor=two.olive, why="a test")
    with acting_as(SYSTEM):
        batch.refresh_from_db()
    approve_batch(batch.pk, actor=two.ada, plan_hash=batch.plan_hash)
    with acting_as(SYSTEM):
        stages = {c.stage for c in Change.objects.filter(batch=batch)}
    assert stages == {"applied", "held"}


def test_one_that_is_planned_again_is_judged_anew(two: House) -> None:
    first = passed(two, D, C)
    assert first.stage == "refused"
    refused(replan(first.pk, actor=two.olive, why="a test"), f"by way of {C}")
    assert do("forwards.end", two.olive, forward=forward(C)).version
    assert agreed(two, replan(first.pk, actor=two.olive, why="a test")).version


def test_several_parts_close_none_between_them(two: House) -> None:
    asked = {"until": later(), "keep_copy": False}
    parts = [kind("forwards.create", address=a, to=to, **asked) for a, to in ((D, MIA), (MIA, C))]
    refused(submit(parts, actor=two.olive, why="a test"), "would come back to it by way of")


def test_an_owner_closes_none_and_hears_of_no_other_address(two: House) -> None:
    own = passed(two, D, C, by=owner_of(D))
    refused(own, f"mail to {D} would come back to it by way of an address you do not see")
    assert C not in reasons(own)


def test_an_end_waits_for_nobody_and_what_stood_before_is_no_reason(two: House) -> None:
    assert agreed(two, passed(two, D, MIA)).version
    do("aliases.create", two.olive, address="more@acme.example", targets=[D])
    assert agreed(two, do("forwards.end", two.olive, forward=forward(C))).version
    assert the(Alias, address__address="more@acme.example").targets == [D]
