"""Findings: one open item a cause, opened and closed by reads alone, whatever order they come in."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cast import House, the, together
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.scope import visible
from postroom.models import Client, Finding, Look
from postroom.posture import run as runner
from postroom.posture.findings import Found, Scope, alarm, fingerprint, not_read, observed, raised
from postroom.posture.run import Check, Seen, Turns, run

START = datetime(2026, 1, 1, tzinfo=UTC)
OBJECTS = [UUID(int=n + 1) for n in range(3)]


def found(n: int = 0, cause: str = "x", severity: str = "high", **more: Any) -> Found:
    return Found(severity, "domains", OBJECTS[n], f"object {n}", f"{cause} at {n}", cause, **more)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def rows(**where: Any) -> list[Finding]:
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(**where).order_by("since", "label"))


def test_the_life_of_a_finding(database: str) -> None:
    observed("t.life", [found(), found(1)], at=at(0))
    observed("t.life", [found(severity="low", evidence={"before": 1}), found(1)], at=at(1))
    first, other = rows()
    assert (first.since, first.at, first.severity, first.evidence) == (at(0), at(1), "low", {"before": 1})
    observed("t.life", [], unread=[OBJECTS[0]], why="ns1 did not answer", at=at(2))
    first, other = rows()
    assert (first.unknown_since, first.unknown_why, first.closed_at) == (at(2), "ns1 did not answer", None)
    assert other.closed_at == at(2) and other.unknown_since is None
    observed("t.life", [], unread=[OBJECTS[0]], at=at(3))
    assert rows()[0].unknown_since == at(2), "since when, not since the last try"
    observed("t.life", [found(), found()], at=at(4))
    first, _ = rows()
    assert (first.unknown_since, first.unknown_why, first.since, first.at) == (None, "", at(0), at(4))
    observed("t.life", [], at=at(5))
    observed("t.life", [found()], at=at(6))
    first, other, again = rows()
    assert (first.closed_at, again.since, again.fingerprint) == (at(5), at(6), first.fingerprint)
    assert (again.closed_at, again.pk != first.pk) == (None, True)


def test_nothing_outside_of_what_was_read_is_closed(house: House) -> None:
    acme, globex = the(Client, slug="acme").pk, the(Client, slug="globex").pk
    observed("t.scope", [found(client=acme), found(1, client=globex), found(2)], at=at(0))
    observed("t.scope", [], scope=Scope(client=acme), at=at(1))
    observed("t.other", [], at=at(2))
    observed("t.scope", [], scope=Scope(objects=frozenset()), at=at(2))
    assert [one.closed_at for one in rows()] == [at(1), None, None]
    observed("t.scope", [], scope=Scope(objects=frozenset([OBJECTS[2]])), at=at(3))
    assert [one.closed_at for one in rows()] == [at(1), None, at(3)]
    not_read("t.scope", "down", at=at(4))
    assert [one.unknown_since for one in rows()] == [None, at(4), None]
    with acting_as(SYSTEM):
        looks = {one.check_name: one for one in Look.objects.all()}
    assert (looks["t.scope"].at, looks["t.scope"].tried, looks["t.scope"].failed) == (at(0), at(4), "down")
    assert (looks["t.other"].at, looks["t.other"].failed) == (at(2), "")


def test_an_older_read_overrides_no_newer_one(database: str) -> None:
    observed("t.late", [found()], at=at(5))
    observed("t.late", [], at=at(3))
    observed("t.late", [found(severity="low")], at=at(4))
    not_read("t.late", "down", at=at(4))
    (one,) = rows()
    assert (one.closed_at, one.at, one.severity, one.unknown_since) == (None, at(5), "high", None)
    observed("t.late", [], at=at(7))
    observed("t.late", [found()], at=at(6))
    assert [row.closed_at for row in rows()] == [at(7)]
    with acting_as(SYSTEM):
        assert Look.objects.get().tried == at(7)


def test_a_fingerprint_is_of_the_cause_and_not_of_what_is_said(house: House) -> None:
    base, acme = fingerprint("a", found()), the(Client, slug="acme").pk
    assert base == fingerprint("a", found(severity="low", evidence={"a": 1}, kind="x.y", domain=OBJECTS[2]))
    others = [fingerprint("b", found()), fingerprint("a", found(1)), fingerprint("a", found(cause="y")),
              fingerprint("a", found(client=acme)), fingerprint('a", "', found())]  # fmt: skip
    assert len({base, *others}) == 6


def test_many_at_once_and_a_severity_nobody_knows(database: str) -> None:
    many = [Found("low", "domains", UUID(int=n), f"d{n}", "t") for n in range(2_500)]
    observed("t.many", many, at=at(0))
    observed("t.many", many[:1_200], at=at(1))
    assert (len(rows(closed_at=None)), len(rows(closed_at=at(1)))) == (1_200, 1_300)
    with pytest.raises(IntegrityError):
        observed("t.many", [found(severity="urgent")])


def test_the_list_goes_worst_first_and_longest_open_first_of_these(database: str) -> None:
    for n, severity in enumerate(("low", "critical", "high", "critical", "medium")):
        observed(f"t.order{n}", [Found(severity, "domains", UUID(int=n), str(n), "t")])
    with acting_as(SYSTEM):
        places = list(Finding.objects.order_by("place").values_list("label", "rank"))
    assert places == [("1", 0), ("3", 0), ("2", 1), ("4", 2), ("0", 3)]


def test_two_reads_at_once_make_one_finding(house: House) -> None:
    done = together(*[lambda: observed("t.race", [found(), found(1)]) for _ in range(6)])
    assert done == [None] * 6, done
    assert len(rows(closed_at=None)) == 2 == len(rows())


def test_an_alarm_is_critical_and_stands_with_the_transaction_it_is_raised_in(database: str) -> None:
    alarm("t.alarm", found(severity="low"))
    assert [(one.severity, one.told) for one in rows()] == [("critical", None)]
    with pytest.raises(ZeroDivisionError), acting_as(SYSTEM):
        raised("t.alarm", found(1))
        _ = 1 / 0
    assert len(rows()) == 1


def test_findings_of_others_are_behind_the_wall(house: House) -> None:
    acme, globex = the(Client, slug="acme").pk, the(Client, slug="globex").pk
    observed("t.wall", [found(client=acme), found(1, client=globex), found(2)])
    for who, labels in ((house.carl, ["object 0"]), (house.audrey, ["object 0", "object 1", "object 2"])):
        with acting_as(who):
            assert sorted(Finding.objects.values_list("label", flat=True)) == labels
            assert sorted(visible(who, Finding).values_list("label", flat=True)) == labels
    with pytest.raises(DatabaseError), acting_as(house.carl):
        Finding.objects.filter(client=acme).update(client=globex)


# A model of it: what is open by cause, and since when.

CAUSES = [(n, cause) for n in range(3) for cause in "xy"]
READS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(CAUSES)), st.sets(st.integers(0, 2)), st.none() | st.sets(st.integers(0, 2)),
        st.booleans(),
    ),
    min_size=1, max_size=7,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reads=READS)
def test_findings_are_what_the_reads_say(database: str, reads: list[Any]) -> None:
    check = f"t.model{next(numbers)}"
    standing: dict[tuple[int, str], tuple[datetime, datetime | None]] = {}  # cause → since, unknown since
    closed = 0
    for minute, (seen, unread, objects, down) in enumerate(reads):
        covered = {0, 1, 2} if objects is None else objects
        scope = Scope() if objects is None else Scope(objects=frozenset(OBJECTS[n] for n in objects))
        shown = {one for one in seen if one[0] in covered}
        if down:
            not_read(check, "down", scope=scope, at=at(minute))
            shown, unread = set(), covered
        else:
            observed(check, [found(*one) for one in shown], scope=scope, unread=[OBJECTS[n] for n in unread & covered],
                     at=at(minute))  # fmt: skip
        for one in CAUSES:
            since, unknown = standing.get(one, (None, None))
            if one in shown:
                standing[one] = (since or at(minute), None)
            elif since and one[0] in unread & covered:
                standing[one] = (since, unknown or at(minute))
            elif since and one[0] in covered:
                del standing[one]
                closed += 1
        kept = rows(check_name=check)
        opened = [one for one in kept if one.closed_at is None]
        expected = {fingerprint(check, found(*one)): stood for one, stood in standing.items()}
        assert {one.fingerprint: (one.since, one.unknown_since) for one in opened} == expected
        assert len(opened) == len(expected), "one open item a cause"
        assert len(kept) - len(opened) == closed, "what is closed stays, and what comes back is a new one"


def _count() -> Any:
    yield from range(10**6)


numbers = _count()


# Running checks.


def test_a_check_that_breaks_has_read_nothing(database: str) -> None:
    seen = Seen((found(),))
    check = Check("t.breaks", "?", "a test", 60, lambda now: seen)
    run(check)

    def broken(now: datetime) -> Seen:
        raise ConnectionError("password=hunter2")

    with pytest.raises(ConnectionError):
        run(Check("t.breaks", "?", "a test", 60, broken))
    (one,) = rows()
    assert one.closed_at is None and one.unknown_since and one.unknown_why == "the check failed: ConnectionError"
    run(check)
    assert rows()[0].unknown_since is None


def test_each_check_has_its_turn(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    checks = [Check(f"t.{n}", "?", "a test", every, lambda now, n=n: ran.append(str(n)) or Seen(()))  # type: ignore
              for n, every in enumerate((0, 3600))]  # fmt: skip
    monkeypatch.setattr(runner, "CHECKS", checks)
    turns = Turns()
    for _ in range(3):
        for work in turns.due():
            work()
    assert ran == ["0", "1", "0", "0"]
