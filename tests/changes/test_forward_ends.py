"""What ends with a forward, what stays open and is said, and who is asked when its exception ends with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, agreed, at, do, left_out, owner_of, reasons, the, tick, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import due
from postroom.changes.approvals import undo
from postroom.changes.errors import Problems
from postroom.models import Change, Finding, Forward, RouteException
from postroom.posture import run
from postroom.posture.checks import overdue
from routed import allow, later, looked, script

LEO, HOME = "leo@acme.example", "mia@gmail.com"


def out(house: House, **more: Any) -> str:
    asked = {"address": MIA, "to": HOME, "until": later(), "owner": "Mia Moss", **more}
    agreed(house, do("forwards.create", house.olive, **asked))
    return str(the(Forward, to=asked["to"]).pk)


def filtered(to: str = HOME) -> None:
    """A filter of the same address passes mail on to the same place."""
    script(MIA, {"to": to, "copy": True})
    looked()


def open_exceptions() -> int:
    with acting_as(SYSTEM):
        return RouteException.objects.filter(ended_at=None).count()


def because(change: Change) -> list[str]:
    return [why for _, why in left_out(change)]


@pytest.mark.parametrize("owner", [False, True])
def test_the_exception_that_was_planned_with_a_forward_ends_with_it(house: House, *, owner: bool) -> None:
    forward = out(house)
    filtered()
    ended = do("forwards.end", owner_of(MIA) if owner else house.olive, forward=forward)
    assert ended.version, reasons(ended)
    assert open_exceptions() == 0 and because(ended) == []


def test_an_undo_of_the_end_opens_no_way_out(house: House) -> None:
    forward = out(house)
    back = undo(do("forwards.end", house.olive, forward=forward).pk, actor=house.olive, why="too early")
    assert back.stage == "refused" and "no exception lets mail go" in reasons(back)


def test_it_is_kept_for_a_filter_where_somebody_says_so_and_the_plan_says_what_goes_on(house: House) -> None:
    forward = out(house)
    with pytest.raises(Problems, match="nothing would rest on its exception"):
        do("forwards.end", house.olive, forward=forward, keep_exception=True)
    filtered()
    until = f"{the(RouteException).until:%d %b %Y}"
    ended = do("forwards.end", house.olive, forward=forward, keep_exception=True)
    assert ended.version and open_exceptions() == 1
    (said,) = because(ended)
    assert f"mail of {MIA} goes on leaving to {HOME} by its exception until {until}" in said


def test_an_exception_that_was_made_by_itself_stands_and_is_named(house: House) -> None:
    with at(timezone.now() - timedelta(minutes=1)):
        with_consent(
            house, do("exceptions.create", house.olive, address=MIA, target=HOME, owner="Mia", until=later(60))
        )
    ended = do("forwards.end", house.olive, forward=out(house))
    assert ended.version and open_exceptions() == 1
    assert [table for table, _ in left_out(ended)] == ["exceptions"]
    assert f"mail of {MIA} may go to {HOME} until" in because(ended)[0]


def test_who_disables_a_forward_reads_that_a_filter_goes_on(house: House) -> None:
    forward = out(house)
    assert because(do("forwards.disable", house.olive, forward=forward)) == []
    do("forwards.enable", house.olive, forward=forward)
    filtered()
    disabled = do("forwards.disable", house.olive, forward=forward)
    assert open_exceptions() == 1, "it may be enabled again"
    (said,) = because(disabled)
    assert f"mail of {MIA} goes on leaving to {HOME} by its exception" in said


@pytest.mark.parametrize("stop", [("redirects.stop", "olive", {"mailbox": MIA, "target": HOME}),
                                  ("organization.change", "oskar", {"forward_forbidden": ["gmail.com"]})])  # fmt: skip
def test_nothing_is_said_of_a_filter_that_is_stopped(house: House, stop: tuple[str, str, dict[str, Any]]) -> None:
    forward = out(house)
    filtered()
    permission, who, params = stop
    agreed(house, do(permission, getattr(house, who), **params))
    assert because(do("forwards.disable", house.olive, forward=forward)) == []


def test_a_filter_that_goes_on_by_a_pattern_or_inside_is_named_too(house: House) -> None:
    allow(house, "acme", "partner.test")
    do("mailboxes.create", house.olive, address=LEO)
    script(MIA, {"to": "joe@partner.test", "copy": True}, {"to": LEO, "copy": True})
    looked()
    for to, words in (("joe@partner.test", "leaving to joe@partner.test by the pattern partner.test"),
                      (LEO, f"goes on to {LEO} by a filter of its own")):  # fmt: skip
        (said,) = because(do("forwards.end", house.olive, forward=out(house, to=to)))
        assert words in said


def due_findings() -> list[str]:
    run.run(overdue.OVERDUE)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="routes.overdue", closed_at=None).values_list("title", flat=True))


@pytest.mark.parametrize("first", ["exceptions.end", "forwards.end"])
def test_in_one_tick_it_asks_whichever_line_comes_first(
    house: House, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out(house)
    in_order(monkeypatch, first)
    until = the(Forward).until
    with at(until):
        tick(until)
        one = the(Forward)
        assert one.removed_at is None and one.disabled_at == the(RouteException).ended_at
        assert [title for title in due_findings() if "renew it, or end this" in title]


@pytest.mark.parametrize("first", ["exceptions.end", "forwards.end"])
@pytest.mark.parametrize("why", ["another exception", "a pattern", "disabled before"])
def test_one_that_nobody_is_asked_of_is_removed_by_its_time(
    house: House, why: str, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exception asks; but mail may leave all the same, or the forward was disabled before by hand."""
    forward = out(house)
    if why == "another exception":
        longer = {"address": MIA, "target": HOME, "owner": "Mia", "until": later(60)}
        with_consent(house, do("exceptions.create", house.olive, **longer))
    elif why == "a pattern":
        allow(house, "acme", "gmail.com")
    else:
        do("forwards.disable", house.olive, forward=forward)
    in_order(monkeypatch, first)
    until = the(Forward).until
    with at(until):
        tick(until)
        assert the(Forward).removed_at is not None
        assert not [title for title in due_findings() if title.startswith("A forward")]


def in_order(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """The lines of one time come in any order: this one here."""
    waiting = due.waiting
    monkeypatch.setattr(due, "waiting", lambda now: sorted(waiting(now), key=lambda line: line.kind != first))
