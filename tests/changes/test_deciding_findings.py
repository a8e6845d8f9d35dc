"""What people decide about findings: who may, until when, and what it covers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cast import House, do, reasons, the, tick
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problems
from postroom.models import Acceptance, Client, Finding
from postroom.posture.findings import Found, observed
from postroom.queries import findings as queries
from postroom.queries.findings import Asked

DAY = timedelta(days=1)
LINE = "t.decided"


def found(severity: str = "high", slug: str | None = "acme") -> str:
    client = the(Client, slug=slug).pk if slug else None
    observed(LINE, [Found(severity, "clients", client, str(slug), "wrong", client=client)])
    with acting_as(SYSTEM):
        return str(Finding.objects.get(closed_at=None).pk)


def soon(days: int = 30) -> str:
    return (datetime.now(UTC) + days * DAY).isoformat(timespec="seconds")


def state(finding: str, by: Actor) -> str:
    with acting_as(by):
        return queries.state_of(queries.whole(by, UUID(finding)).finding)


def test_acknowledged_stays_open_and_goes_with_the_item_it_is_about(house: House) -> None:
    one = found()
    change = do("findings.acknowledge", house.carl, finding=one, reason="calling them")
    assert (change.stage, state(one, house.carl)) == ("verified", "acknowledged")
    row = the(Acceptance)
    assert (row.sort, row.reason, row.person_id, row.client_id) == (
        "acknowledged", "calling them", house.carl.person, change.client_id)  # fmt: skip
    with pytest.raises(NothingToDo):
        do("findings.acknowledge", house.olive, finding=one)
    observed(LINE, [])
    assert state(one, house.carl) == "closed"
    with pytest.raises(Problems, match="a read showed it gone"):
        do("findings.acknowledge", house.olive, finding=one)
    assert state(found(), house.olive) == "open", "it came back: nobody is at that one"
    assert state(one, house.olive) == "closed"


def test_accepted_lasts_through_closing_and_not_through_getting_worse(house: House) -> None:
    one = found("medium")
    do("findings.acknowledge", house.olive, finding=one)
    assert do("findings.accept", house.olive, finding=one, reason="planned", until=soon()).stage == "verified"
    assert state(one, house.olive) == "accepted"
    with pytest.raises(Problems, match=r"it is accepted until .*; reopen it first"):
        do("findings.acknowledge", house.olive, finding=one)
    observed(LINE, [])
    again = found("low")
    assert again != one and state(again, house.olive) == "accepted"
    found("high")
    assert state(again, house.olive) == "open"
    found("medium")
    do("findings.reopen", house.olive, finding=again)
    assert state(again, house.olive) == "open"
    with pytest.raises(NothingToDo):
        do("findings.reopen", house.olive, finding=again)


def test_what_is_accepted_ends_by_time_before_anybody_tidies_and_then_is_tidied(house: House, sql: Any) -> None:
    """`findings.lapse` is the clock's."""
    one = found()
    do("findings.accept", house.ada, finding=one, reason="until the move", until=soon())
    assert [change.kind for change in tick(datetime.now(UTC) + 29 * DAY)] == []
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE acceptances SET until = date_trunc('second', now()) - interval '1 second'")  # fmt: skip
    assert state(one, house.ada) == "open" and the(Acceptance).ended_at is None
    assert [(change.kind, change.stage) for change in tick(datetime.now(UTC) + 31 * DAY)] == [
        ("findings.lapse", "verified")
    ]
    assert the(Acceptance).ended_at is not None
    with pytest.raises(NothingToDo):
        do("findings.lapse", CLOCK, acceptance=str(the(Acceptance).pk))


@pytest.mark.parametrize("days, wrong", [(0, "has passed"), (-1, "has passed"), (367, "a year from now"), (365, "")])
def test_an_acceptance_has_an_end_within_a_year(house: House, days: int, wrong: str) -> None:
    one = found()
    if wrong:
        with pytest.raises(Problems, match=wrong):
            do("findings.accept", house.olive, finding=one, reason="x", until=soon(days))
    else:
        assert do("findings.accept", house.olive, finding=one, reason="x", until=soon(days)).version


def test_a_critical_one_is_accepted_by_two(house: House) -> None:
    one = found("critical")
    held = do("findings.accept", house.olive, finding=one, reason="known", until=soon())
    assert (held.stage, reasons(held)) == ("held", "accepts a critical finding: wrong")
    assert state(one, house.olive) == "open"
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    assert state(one, house.olive) == "accepted"
    assert do("findings.reopen", house.olive, finding=one).stage == "verified", "back needs nobody"
    assert do("findings.acknowledge", house.olive, finding=one).stage == "verified"


MAY = {
    "findings.acknowledge": {"oskar", "olive", "carl"},
    "findings.accept": {"oskar", "olive", "ada"},
    "findings.reopen": {"oskar", "olive"},
}


def test_who_may_and_whose_it_is(house: House) -> None:
    ours = found()
    for permission, may in MAY.items():
        more = {"reason": "x", "until": soon()} if permission == "findings.accept" else {}
        for who in ("audrey", "henry", "ada", "carl", "olive", "oskar"):
            if permission == "findings.reopen":
                do("findings.accept", house.oskar, finding=ours, reason="x", until=soon())
            elif permission == "findings.acknowledge" and the_standing():
                do("findings.reopen", house.oskar, finding=ours)
            done = do(permission, getattr(house, who), finding=ours, **more)
            assert (done.stage == "verified") == (who in may), (permission, who, done.stage, reasons(done))
    observed(LINE, [])
    for slug in ("globex", None):
        theirs = found(slug=slug)
        with pytest.raises(Problems) as not_yours:
            do("findings.acknowledge", house.carl, finding=theirs)
        with pytest.raises(Problems) as not_there:
            do("findings.acknowledge", house.carl, finding=ours.replace("0", "1"))
        assert str(not_yours.value).replace(theirs, "?") == str(not_there.value).replace(ours.replace("0", "1"), "?")
        observed(LINE, [])
    with pytest.raises(Problems):
        do("findings.acknowledge", house.olive, finding="x")


def the_standing() -> bool:
    with acting_as(SYSTEM):
        return Acceptance.objects.filter(ended_at=None).exists()


def test_an_undo_takes_a_decision_back(house: House) -> None:
    one = found()
    accepted = do("findings.accept", house.olive, finding=one, reason="x", until=soon())
    assert undo(accepted.pk, actor=house.olive, why="no").version and state(one, house.olive) == "open"


def test_during_a_freeze_nothing_is_accepted_and_everything_reopened(house: House) -> None:
    one = found()
    do("findings.acknowledge", house.olive, finding=one)
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    assert do("findings.accept", house.olive, finding=one, reason="x", until=soon()).stage == "refused"
    assert do("findings.reopen", house.olive, finding=one).stage == "verified"
    assert do("findings.acknowledge", house.olive, finding=one).stage == "refused"


def test_lists_counts_and_pages_say_the_same(house: House) -> None:
    acme, globex = the(Client, slug="acme").pk, the(Client, slug="globex").pk
    many = [Found(severity, "clients", acme, f"Object {n}", f"{severity} thing", str(n), client=acme)
            for n, severity in enumerate(("low", "critical", "high", "high", "medium", "low", "low"))]  # fmt: skip
    observed("t.many", [*many, Found("high", "clients", globex, "globex", "their thing", client=globex)])
    with acting_as(SYSTEM):
        keys = {one.label: str(one.pk) for one in Finding.objects.all()}
        Finding.objects.filter(label="Object 4").update(unknown_since=datetime.now(UTC))
    do("findings.acknowledge", house.olive, finding=keys["Object 2"])
    do("findings.accept", house.olive, finding=keys["Object 5"], reason="x", until=soon())
    observed("t.gone", [Found("low", "clients", acme, "gone", "gone thing", client=acme)])
    observed("t.gone", [])

    def labels(by: Actor = house.carl, limit: int = 25, **asked: Any) -> list[str]:
        found, after = [], ""
        while True:
            with acting_as(by):
                some = queries.listed(by, Asked(after=after, **asked), limit=limit)
            found += [one.label.removeprefix("Object ") for one in some.items]
            if not (after := some.next or ""):
                return found

    worst = labels()
    assert worst[0] == "1" and set(worst[1:3]) == {"2", "3"} and worst[3] == "4" and set(worst[4:]) == {"0", "6"}
    assert labels(limit=2) == worst and len(labels(house.oskar)) == 7
    for asked, wanted in (
        ({"state": "open"}, {"1", "3", "0", "6"}), ({"state": "unknown"}, {"4"}), ({"state": "accepted"}, {"5"}),
        ({"state": "acknowledged"}, {"2"}), ({"state": "closed"}, {"gone"}), ({"state": "?"}, set()),
        ({"severity": "high"}, {"2", "3"}), ({"check": "t.many"}, set(worst)), ({"search": "HIGH th"}, {"2", "3"}),
        ({"search": "%"*3}, set()), ({"client": "globex"}, set()), ({"client": "organization"}, set()),
        ({"object": acme}, set(worst)), ({"domain": "acme.example"}, set()),
    ):  # fmt: skip
        assert set(labels(**asked)) == wanted, asked
    assert set(labels(state="any", limit=3)) == {*"0123456", "gone"} and len(labels(state="any", limit=3)) == 8
    with acting_as(house.carl):
        count = queries.counts(house.carl)
        assert dict(count.by) == {"critical": 1, "high": 2, "medium": 1, "low": 2}
        assert (count.unknown, count.acknowledged, count.accepted, count.total) == (1, 1, 1, 6)
        assert queries.pressing(house.carl, 100) == 2 and queries.pressing(house.carl, 1) == 1
    with acting_as(house.oskar):
        assert queries.counts(house.oskar).total == 7
        assert queries.counts(house.oskar, client=globex).total == 1
