"""Two at once: one order a client, one owner kept, the organization's changes before or after, never between."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from cast import MIA, House, again, do, kind, person, reasons, the, together, version_of, waits
from postroom.access.acting import CLOCK, acting_as
from postroom.changes import apply as writer
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import ChangeError
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.models import Change, Grant, Mailbox, Organization

OTTO = "otto@northlight.example"


def second_owner(house: House) -> Any:
    do("people.invite", house.oskar, name="Otto", email=OTTO)
    given = do("grants.give", house.oskar, person=OTTO, role="owner")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    return person(OTTO, house.oskar)


@contextmanager
def meeting_before_the_lock(monkeypatch: pytest.MonkeyPatch, people: int = 2):  # type: ignore[no-untyped-def]
    """Everybody has planned and been judged before anybody has the lock."""
    meet, real = threading.Barrier(people), writer.lock

    def lock(plan: Any, begun: str = "") -> tuple[int, bool]:
        meet.wait(10)
        return real(plan, begun)

    with monkeypatch.context() as patched:
        patched.setattr(writer, "lock", lock)
        yield


def test_two_changes_cannot_end_both_owners(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    otto = second_owner(house)
    with acting_as(house.oskar):
        grants = {g.person_id: str(g.pk) for g in Grant.objects.filter(role="owner")}
    with meeting_before_the_lock(monkeypatch):
        results = together(
            lambda: do("grants.end", house.oskar, grant=grants[otto.person]),
            lambda: do("grants.end", otto, grant=grants[house.oskar.person]),
        )
    assert sorted(c.stage for c in results) == ["held", "verified"]
    (held,) = [c for c in results if c.stage == "held"]
    assert "the last owner" in reasons(held) or "not allowed" in reasons(held)
    with acting_as(CLOCK):
        assert Grant.objects.filter(role="owner", ended_at=None).count() == 1


def test_nor_by_ending_one_and_suspending_the_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    otto = second_owner(house)
    with meeting_before_the_lock(monkeypatch):
        results = together(
            lambda: do("people.suspend", house.oskar, person=OTTO),
            lambda: do("grants.end", otto, grant=str(the(Grant, person=house.oskar.person).pk)),
        )
    assert sorted(c.stage for c in results) == ["held", "verified"]


def test_one_client_one_order_without_gaps(house: House) -> None:
    start = version_of("acme", house.olive)
    results = together(*(lambda n=n: do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=n) for n in range(1, 7)))
    applied = sorted(c.version for c in results if getattr(c, "stage", "") == "applied")
    assert applied and applied == list(range(start + 1, start + 1 + len(applied)))
    assert version_of("acme", house.olive) == start + len(applied)
    assert {c.stage for c in results} <= {"applied", "stale"}


def test_a_grant_that_ends_between_judging_and_lock_counts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = str(the(Grant, role="client admin").pk)
    real = writer.lock

    def lock(plan: Any, begun: str = "") -> tuple[int, bool]:
        monkeypatch.setattr(writer, "lock", real)
        together(lambda: do("grants.end", house.oskar, grant=grant))
        return real(plan, begun)

    monkeypatch.setattr(writer, "lock", lock)
    held = do("mailboxes.change", house.carl, mailbox=MIA, quota_mb=7)
    assert held.stage == "held" and "not allowed" in reasons(held)
    assert the(Mailbox, address__address=MIA).quota_mb == 10_000


def test_a_proposer_who_lost_the_role_meanwhile_is_held(house: House) -> None:
    later = waits("mailboxes.change", house.carl, mailbox=MIA, quota_mb=7)
    do("grants.end", house.oskar, grant=str(the(Grant, role="client admin").pk))
    assert apply_scheduled(later.pk).stage == "held" and "not allowed" in reasons(again(later))


def test_two_requests_with_one_key_at_once_are_one_change(house: House) -> None:
    one = kind("mailboxes.change", mailbox=MIA, quota_mb=77)
    first, second = together(*[lambda: submit(one, actor=house.olive, why="x", key="once")] * 2)
    assert first.pk == second.pk and first.version == second.version


def test_two_approvals_at_once_apply_once(house: House) -> None:
    second_owner(house)
    otto = person(OTTO, house.oskar)
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    before = version_of("acme", house.olive)
    results = together(
        *(lambda who=who: approve(change.pk, actor=who, plan_hash=change.plan_hash) for who in (house.ada, otto))
    )
    assert any(isinstance(one, ChangeError) for one in results) or len({c.version for c in results}) == 1
    assert version_of("acme", house.olive) == before + 1 and again(change).stage == "applied"


def test_two_undos_at_once_are_one(house: House) -> None:
    done = do("mailboxes.suspend", house.olive, mailbox=MIA)
    before = version_of("acme", house.olive)
    together(*[lambda: undo(done.pk, actor=house.olive, why="oops")] * 2)
    assert version_of("acme", house.olive) == before + 1
    assert the(Mailbox, address__address=MIA).suspended_at is None


# The organization's row: FOR SHARE by every change of a client, FOR NO KEY UPDATE by its own.


def slow(house: House, job: Callable[[], Change], *, at: Callable[[], None]) -> list[Any]:
    """Do `job` in a transaction that stays open while `at` runs, and commits after it."""
    written, go = threading.Event(), threading.Event()

    def running() -> Change:
        with acting_as(house.olive):
            change = job()
            written.set()
            go.wait(10)
            return change

    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.extend(together(running)), daemon=True)
    thread.start()
    assert written.wait(10)
    try:
        at()
    finally:
        go.set()
        thread.join(20)
    return results


def test_a_freeze_of_the_organization_waits_for_running_changes_and_later_ones_see_it(house: House) -> None:
    froze: list[Any] = []
    freezing = threading.Thread(
        target=lambda: froze.extend(together(lambda: do("freezes.start", house.ada, scope="organization"))), daemon=True
    )

    def meanwhile() -> None:
        freezing.start()
        freezing.join(0.7)
        assert freezing.is_alive() and not froze, "it may not come between plan and commit of a change"

    (change,) = slow(house, lambda: do("mailboxes.suspend", house.olive, mailbox=MIA), at=meanwhile)
    freezing.join(20)
    assert (change.stage, froze[0].stage) == ("applied", "verified")
    assert do("mailboxes.resume", house.olive, mailbox=MIA).stage == "refused"


def test_a_change_judged_before_the_freeze_and_locked_after_it_is_held(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = writer.lock

    def lock(plan: Any, begun: str = "") -> tuple[int, bool]:
        monkeypatch.setattr(writer, "lock", real)
        (froze,) = together(lambda: do("freezes.start", house.ada, scope="organization", reason="stop"))
        assert froze.stage == "verified"
        return real(plan, begun)

    monkeypatch.setattr(writer, "lock", lock)
    held = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=7)
    assert held.stage == "held" and reasons(held) == "frozen: stop"
    assert the(Mailbox, address__address=MIA).quota_mb == 10_000


def test_changes_of_two_clients_do_not_wait_for_each_other(house: House) -> None:
    def meanwhile() -> None:
        (other,) = together(lambda: do("mailboxes.suspend", house.oskar, mailbox="mia@globex.example"))
        assert other.stage == "applied"

    (change,) = slow(house, lambda: do("mailboxes.suspend", house.olive, mailbox=MIA), at=meanwhile)
    assert change.stage == "applied"


def test_the_lock_is_what_the_statement_says(house: House) -> None:
    """The share lock on the organization, seen from outside while a client's change is open."""

    def meanwhile() -> None:
        def probe() -> str:
            with acting_as(house.oskar), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM (SELECT 1 FROM organizations FOR SHARE SKIP LOCKED) t")
                shared = cursor.fetchone()[0]
                cursor.execute("SELECT count(*) FROM (SELECT 1 FROM organizations FOR NO KEY UPDATE SKIP LOCKED) t")
                return f"{shared} {cursor.fetchone()[0]}"

        assert together(probe) == ["1 0"]

    slow(house, lambda: do("mailboxes.suspend", house.olive, mailbox=MIA), at=meanwhile)
    assert the(Organization).version
