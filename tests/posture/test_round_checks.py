"""What access reviews and rosters leave to be done: each open by a read, and closed by one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cast import MIA, House, do, do_all, person, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import carry
from postroom.changes.carry import carry_out
from postroom.models import Finding, Grant, RoundLine
from postroom.posture import run
from postroom.posture.checks import left, review, unanswered
from postroom.posture.checks.expiring import EXPIRING
from postroom.protocols.quarters import began, quarter_of
from postroom.worker.rounds import end_right

ACME = UUID(int=1)
Q4, Q3 = began("2026-Q4"), began("2026-Q3")
DAY = timedelta(days=1)


def reviewed(quarter: str, left: int, due: datetime = Q4 + 14 * DAY) -> review.Reviewed:
    return review.Reviewed(UUID(int=int(quarter[-1])), quarter, due, left)


@pytest.mark.parametrize("made, reviews, at, wanted", [
    (Q3, [], 2 * DAY, "none"), (Q3, [], DAY, None), (Q4, [], 60 * DAY, None),
    (Q3, [("2026-Q3", 0)], 2 * DAY, "none"),
    (Q3, [("2026-Q4", 3)], 14 * DAY, None), (Q3, [("2026-Q4", 3)], 15 * DAY, "late"),
    (Q4, [("2026-Q4", 3)], 15 * DAY, "late"), (Q3, [("2026-Q4", 0)], 80 * DAY, None),
    (Q3, [("2026-Q4", 3), ("2026-Q3", 1)], 2 * DAY, "last quarter"),
    (Q3, [("2026-Q4", 0), ("2026-Q3", 1)], 2 * DAY, None), (Q3, [("2026-Q4", 3), ("2026-Q3", 0)], 2 * DAY, None),
    (Q3, [("2026-Q4", 3), ("2026-Q3", 1)], 15 * DAY, "late"),
])  # fmt: skip
def test_access_review(made: datetime, reviews: Any, at: timedelta, wanted: str | None) -> None:
    asked = review.Asked(ACME, "acme", made, [reviewed(*one) for one in reviews])
    found = list(review.evaluate([asked], Q4 + at))
    assert [one.cause for one in found] == ([wanted] if wanted else [])
    assert all((one.client, one.severity) == (ACME, "medium") for one in found)
    assert review.REVIEW.name == "access.review"


@pytest.mark.parametrize("left_open, unknown, late, wanted", [
    (0, 0, True, None), (3, 0, False, None), (3, 0, True, ("medium", "3 not answered")),
    (0, 2, True, ("low", "2 unknown")), (3, 2, True, ("medium", "3 not answered, 2 unknown")),
])  # fmt: skip
def test_roster_unanswered(left_open: int, unknown: int, late: bool, wanted: Any) -> None:
    asked = unanswered.Asked(UUID(int=2), ACME, "2026-Q4", Q4, left_open, unknown, ["mia@acme.example"])
    found = list(unanswered.evaluate([asked], Q4 + DAY if late else Q4))
    assert [(one.severity, one.title) for one in found] == (
        [(wanted[0], f"A roster is due: {wanted[1]}")] if wanted else []
    )
    assert unanswered.UNANSWERED.name == "roster.unanswered"


def standing(check: run.Check, at: datetime | None = None) -> list[str]:
    """Titles of what is open after the check has read, at a time of the test's own."""
    from postroom.posture.findings import observed

    moment = at or datetime.now(UTC)
    seen = check.look(moment)
    observed(check.name, seen.found, scope=seen.scope)
    with acting_as(SYSTEM):
        rows = Finding.objects.filter(check_name=check.name, closed_at=None).order_by("title")
        return list(rows.values_list("title", flat=True))


def line(name: str) -> str:
    return str(the(RoundLine, name=name, client__slug="acme").pk)


def test_who_left_is_found_until_a_read_shows_them_suspended(house: House) -> None:
    """`roster.left`: it suggests the suspension, and does nothing itself."""
    assert left.LEFT.name == "roster.left"
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    do("rosters.open", house.olive, client="acme")
    assert standing(left.LEFT) == []
    for name in (MIA, "amy@acme.example"):
        do("rosters.answer", house.carl, line=line(name), answer="left")
    assert standing(left.LEFT) == ["amy@acme.example has left, and is not suspended",
                                   f"{MIA} has left, and is not suspended"]  # fmt: skip
    with acting_as(SYSTEM):
        boxes, people = Finding.objects.filter(check_name="roster.left").order_by("noun")
    assert (boxes.kind, boxes.params) == ("mailboxes.suspend", {"mailbox": MIA})
    assert (people.kind, people.params) == ("people.suspend", {"person": "amy@acme.example"})
    do(boxes.kind, house.carl, **boxes.params)
    assert len(standing(left.LEFT)) == 1
    do("rosters.answer", house.carl, line=line("amy@acme.example"), answer="here")
    assert standing(left.LEFT) == [], "the client said otherwise"
    do("mailboxes.resume", house.carl, mailbox=MIA)
    assert len(standing(left.LEFT)) == 1, "let in again, and the client's word is that she left"


def test_a_roster_is_found_when_it_is_due_and_unknown_is_never_green(house: House) -> None:
    do("mailboxes.create", house.olive, address="nia@acme.example")
    do("rosters.open", house.olive, client="acme")
    late = datetime.now(UTC) + 15 * DAY
    assert standing(unanswered.UNANSWERED) == []
    assert standing(unanswered.UNANSWERED, late) == ["A roster is due: 2 not answered"]
    do("rosters.answer", house.carl, line=line(MIA), answer="unknown")
    assert standing(unanswered.UNANSWERED, late + DAY) == ["A roster is due: 1 not answered, 1 unknown"]
    do("rosters.answer", house.carl, line=line(MIA), answer="here")
    held = do("mailboxes.remove", house.oskar, mailbox="nia@acme.example")
    from postroom.changes.approvals import approve

    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    assert standing(unanswered.UNANSWERED, late + 2 * DAY) == [], "what was removed needs no answer"


def test_an_access_review_is_found_when_it_is_due_and_what_was_signed_is_not_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(carry.SENDERS, "end", end_right)
    soon = (datetime.now(UTC) + 5 * DAY).isoformat()
    do("grants.give", house.oskar, person="henry@northlight.example", role="auditor", client="acme", until=soon)
    assert standing(EXPIRING) == ["The role auditor of somebody at the organization ends"]
    do("access_reviews.open", house.ada, client="acme")
    late = datetime.now(UTC) + 15 * DAY
    assert standing(review.REVIEW) == []
    assert any("7 lines of an access review" in title for title in standing(review.REVIEW, late))
    signed = do("access_reviews.sign", house.ada, line=line("auditor of Henry"), answer="end")
    asked = do("access_reviews.sign", house.ada, line=line("helpdesk of Henry"), answer="change")
    refused = do("access_reviews.sign", house.ada, line=line("owner of Oskar"), answer="end")
    assert asked.stage == "verified"
    for one in (signed, refused):
        carry_out(str(one.pk), "end")
    assert the(Grant, role="auditor", client__slug="acme").ended_at and standing(EXPIRING) == [], "its end closes it"
    assert standing(review.REVIEW) == ["helpdesk of Henry was signed to be changed, and stands unchanged"]
    titles = standing(review.REVIEW, datetime.now(UTC) + 2 * DAY)
    assert "owner of Oskar was signed to end, and stands" in titles
    do("access_reviews.sign", house.ada, line=line("owner of Oskar"), answer="keep")
    do("access_reviews.sign", house.ada, line=line("helpdesk of Henry"), answer="keep")
    assert standing(review.REVIEW, datetime.now(UTC) + 3 * DAY) == []
    names = [row.name for row in _open()]
    for name in names:
        who = house.oskar if "Ada" in name else house.ada
        do("access_reviews.sign", who, line=line(name), answer="keep")
    assert standing(review.REVIEW, late + DAY) == []


def _open() -> list[RoundLine]:
    with acting_as(SYSTEM):
        return list(RoundLine.objects.filter(answer=""))


def test_the_last_word_counts_in_whichever_round_it_was_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A roster that was not answered yet takes nothing back; one that was, does."""
    from postroom.changes import pipeline

    do("rosters.open", house.olive, client="acme")
    do("rosters.answer", house.carl, line=line(MIA), answer="left")
    then = began(quarter_of(datetime.now(UTC) + 93 * DAY)) + DAY
    monkeypatch.setattr(pipeline.timezone, "now", lambda: then)
    do("rosters.open", SYSTEM, client="acme")
    assert standing(left.LEFT, then) == [f"{MIA} has left, and is not suspended"]
    newest = str(the(RoundLine, name=MIA, round__quarter=quarter_of(then)).pk)
    assert do("rosters.answer", house.carl, line=newest, answer="here").version
    monkeypatch.setattr(pipeline.timezone, "now", lambda: then + DAY)
    assert standing(left.LEFT, then + DAY) == []


def test_a_finding_names_nobody_whom_the_client_would_not_see(house: House) -> None:
    """What stands in an access review is by name; who of the organization it is, the client reads there too."""
    do("access_reviews.open", house.ada, client="acme")
    do("access_reviews.sign", house.ada, line=line("operator of Olive"), answer="change")
    assert standing(review.REVIEW)
    do("people.invite", house.oskar, name="Gil", email="gil@globex.example", client="globex")
    do("grants.give", house.oskar, person="gil@globex.example", role="client admin", client="globex")
    gil = person("gil@globex.example", house.oskar)
    for who, seen in ((house.carl, 1), (gil, 0)):
        with acting_as(who):
            rows = list(Finding.objects.filter(check_name="access.review"))
        assert len(rows) == seen and not any("@northlight" in f"{row.title} {row.evidence}" for row in rows)


def test_what_is_open_is_named_with_as_many_queries_for_two_rosters_as_for_one(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(unanswered, "NAMED", 2)
    late = datetime.now(UTC) + 15 * DAY

    def looked() -> tuple[int, dict[UUID | None, Any]]:
        with CaptureQueriesContext(connection) as asked:
            seen = unanswered.UNANSWERED.look(late)
        return len(asked), {one.client: one.evidence["some_of_them"] for one in seen.found}

    do_all("mailboxes.create", house.olive, [{"address": f"n{n}@acme.example"} for n in range(3)])
    do("rosters.open", house.olive, client="acme")
    once, named = looked()
    assert [len(names) for names in named.values()] == [2]
    do("rosters.open", house.olive, client="globex")
    twice, named = looked()
    assert twice == once and sorted(len(names) for names in named.values()) == [1, 2]
    assert {name.partition("@")[2] for names in named.values() for name in names} == {"acme.example", "globex.example"}
