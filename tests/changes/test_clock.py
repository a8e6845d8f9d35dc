"""By the clock: what ends by time has its line, written by apply; the clock tidies, once, whatever happened since."""

from datetime import UTC, datetime, timedelta

import pytest

from cast import MIA, House, do, the, tick, waits
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import clock
from postroom.models import ApiSession, Change, Due, Freeze, Grant

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
LATER = SOON + timedelta(minutes=1)


def lines() -> list[tuple[str, datetime]]:
    with acting_as(SYSTEM):
        return list(Due.objects.order_by("at").values_list("kind", "at"))


def test_apply_writes_a_line_for_what_ends_by_time(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="weekend", until=SOON.isoformat())
    do("grants.give", house.oskar, person="ada@northlight.example", role="auditor", until=SOON.isoformat())
    do("grants.give", house.oskar, person="ada@northlight.example", role="helpdesk")
    session = {"person": "ada@northlight.example", "mfa": "x", "until": SOON.isoformat()}
    do("sessions.open", SYSTEM, secrets={"session": "5" * 64}, **session)
    assert sorted(lines()) == [("freezes.end", SOON), ("grants.end", SOON), ("sessions.end", SOON)]

    done = tick(LATER)
    assert {(c.kind, c.actor, c.proposer_id, c.stage) for c in done} == {
        (kind, "clock", None, "verified") for kind in ("freezes.end", "grants.end", "sessions.end")
    }
    assert the(Freeze).ended_at and the(ApiSession).ended_at and the(Grant, role="auditor", until=SOON).ended_at
    assert lines() == [] and tick(LATER) == []


def test_what_ended_by_hand_before_is_left_alone(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="weekend", until=SOON.isoformat())
    ended = do("freezes.end", house.olive, freeze=str(the(Freeze).pk))
    assert tick(LATER) == [] and lines() == [] and the(Freeze).ended_at == ended.now


def test_what_is_not_due_waits(house: House) -> None:
    waits("mailboxes.suspend", house.olive, mailbox=MIA)
    assert tick(datetime.now(UTC)) == [] and len(lines()) == 1


def test_a_crash_between_change_and_line_only_does_it_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    do("freezes.start", house.olive, scope="acme", reason="weekend", until=SOON.isoformat())

    def crash(line: Due) -> None:
        raise SystemExit

    monkeypatch.setattr(clock.due, "done", crash)
    with pytest.raises(SystemExit):
        tick(LATER)
    monkeypatch.undo()
    assert len(lines()) == 1 and len(tick(LATER)) == 1
    with acting_as(SYSTEM):
        assert Change.objects.filter(kind="freezes.end").count() == 1


def test_one_line_that_cannot_be_done_does_not_stop_the_others(house: House) -> None:
    """The last owner's grant stays although its time is up; the freeze ends all the same."""
    with acting_as(SYSTEM):
        owner = Grant.objects.get(role="owner")
        Due.objects.create(at=SOON, kind="grants.end", params={"grant": str(owner.pk)})
    do("freezes.start", house.olive, scope="acme", reason="weekend", until=SOON.isoformat())
    assert sorted(c.stage for c in tick(LATER)) == ["refused", "verified"]
    assert the(Freeze).ended_at and the(Grant, role="owner").ended_at is None and lines() == []
