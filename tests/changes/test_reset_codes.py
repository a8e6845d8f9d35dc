"""The channel *code to a registered channel*: mailed to whoever reads it, read out, typed, and seen by nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from cast import MIA, House, at, do, kind, reachable, reasons, redeemed, the, together
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import keyed_code, reset_code
from postroom.changes.approvals import undo
from postroom.changes.errors import ChangeError, Problems
from postroom.changes.pipeline import dry_run
from postroom.models import Change, Finding, Proof, RecordedEdit, RecoveryChannel, ResetCode, Secret, Verification
from postroom.models.verifying import CODES
from postroom.posture import run
from postroom.posture.checks.locked import RESET_LOCKED

HOME, NUMBER = "mia@home.example", "+442079460123"
SECOND = timedelta(seconds=1)


@pytest.fixture
def home(house: House) -> str:
    """Mia has set her secret; an address of hers counts since yesterday."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    return str(reachable(house, MIA, HOME, link="a" * 64).pk)


def started(house: House, by: Actor | None = None) -> str:
    change = do("resets.start", by or house.henry, mailbox=MIA, ticket="T-7")
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        return str(Verification.objects.latest("id").pk)


def asked(house: House, session: str, channel: str, by: Actor | None = None) -> Change:
    return do("resets.ask_code", by or house.henry, verification=session, channel=channel)


def mailed() -> str:
    """What the newest code is, as the worker draws it when it mails it."""
    with acting_as(SYSTEM):
        code = ResetCode.objects.latest("id")
    digits, kept = reset_code(code.pk)
    issued = do("resets.issue_code", SYSTEM, secrets={"reset code": kept}, code=str(code.pk))
    assert issued.version, reasons(issued)
    return digits


def typed(house: House, session: str, said: Any, by: Actor | None = None) -> Change:
    return do("resets.enter_code", by or house.henry, verification=session, said=said)


def wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 10**8:08d}"


def proofs(good: bool) -> int:
    with acting_as(SYSTEM):
        return int(Proof.objects.filter(good=good, method="code").count())


def test_the_code_read_out_right_releases_the_link(house: House, home: str) -> None:
    session = started(house)
    assert asked(house, session, home).version
    digits = mailed()
    change = typed(house, session, f" {digits[:4]} {digits[4:]} ")
    assert change.version, reasons(change)
    assert the(Verification, pk=session).passed_at and the(ResetCode).used_at
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(purpose="reset code").exists(), "what was kept of it is gone"
    sent = do("resets.send_link", house.olive, verification=session, contact=HOME)
    assert sent.version, reasons(sent)


def test_a_code_works_once(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    assert typed(house, session, digits).version
    twice = typed(house, session, digits)
    assert twice.stage == "refused" and "waits for no proof" in reasons(twice)


def test_for_a_vip_a_code_is_one_of_two_and_who_typed_it_proves_nothing_else(house: House, home: str) -> None:
    number = str(reachable(house, MIA, NUMBER, link="b" * 64).pk)
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    session = started(house)
    asked(house, session, home, house.olive)
    assert typed(house, session, mailed(), house.olive).version
    assert the(Verification, pk=session).passed_at is None
    with pytest.raises(Problems, match="another way"):
        asked(house, session, home)
    own = do("resets.record_call", house.olive, verification=session, channel=number, answer="right")
    assert own.stage == "refused" and "another person's" in reasons(own)
    assert do("resets.record_call", house.oskar, verification=session, channel=number, answer="right").version
    assert the(Verification, pk=session).passed_at


def test_a_code_goes_to_an_address_that_counts_and_never_to_a_newer_one(house: House, home: str) -> None:
    young = reachable(house, MIA, "mia@new.example", link="c" * 64, ago=timedelta(days=6))
    do("recovery_channels.name", house.olive, mailbox=MIA, value="mia@never.example")
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    other = reachable(house, "leo@acme.example", "leo@far.example", link="d" * 64)
    number = reachable(house, MIA, NUMBER, link="e" * 64)
    session = started(house)
    for channel, why in (
        (young, "named 6 days ago"), (the(RecoveryChannel, value="mia@never.example"), "nobody has confirmed"),
        (other, "no address on file"), (number, "no address on file"),
    ):  # fmt: skip
        with pytest.raises(Problems, match=why):
            asked(house, session, str(channel.pk))
    with acting_as(SYSTEM):
        assert not ResetCode.objects.exists()


def test_a_minute_from_when_it_was_sent(house: House, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    sent = the(ResetCode).sent_at
    assert sent is not None
    with then(sent + 60 * SECOND):
        late = typed(house, session, digits)
    assert late.stage == "refused" and "was good for a minute" in reasons(late)
    assert proofs(good=False) == 0, "a code that came too late is no wrong answer; the try is in the record"
    with then(sent + 59 * SECOND):
        assert typed(house, session, digits).version


def then(moment: datetime) -> Any:
    from cast import at

    return at(moment)


def test_three_wrong_ones_lock_it_with_the_alarm_over_every_resend_and_session(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    assert typed(house, session, wrong(mailed())).version
    asked(house, session, home)
    assert typed(house, session, wrong(mailed())).version
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    assert typed(house, session, wrong(digits)).version
    assert the(Verification, pk=session).ended_at and proofs(good=False) == 3
    for by in (house.henry, house.olive):
        right = typed(house, session, digits, by)
        assert right.stage == "refused" and "locked until" in reasons(right)
    with at(datetime.now(UTC) + timedelta(seconds=2)):  # not only within the second of the lock
        later = typed(house, session, digits)
        assert later.stage == "refused" and "locked until" in reasons(later)
    assert do("resets.start", house.henry, mailbox=MIA, ticket="T").stage == "refused"
    run.run(RESET_LOCKED)
    with acting_as(SYSTEM):
        assert Finding.objects.get(check_name="resets.locked", closed_at=None).severity == "critical"
        assert not Secret.objects.filter(purpose="reset code").exists()


@pytest.mark.parametrize(
    "said", ["", "1234", "x" * 5000, "１２３４５６７８", 12345678, "12345678\x00", "\ud800", ["1"], True]
)
def test_what_is_no_code_at_all_is_a_try_that_is_counted_and_recorded(house: House, home: str, said: Any) -> None:
    session = started(house)
    asked(house, session, home)
    mailed()
    change = typed(house, session, said)
    assert change.version, reasons(change)
    assert proofs(good=False) == 1 and the(Verification, pk=session).failed == 1
    with acting_as(SYSTEM):
        assert RecordedEdit.objects.filter(row=change.pk, n=0).exists()


def test_every_try_that_is_refused_stands_in_the_record_too(house: House, home: str) -> None:
    session = started(house)
    none = typed(house, session, "12345678")
    assert none.stage == "refused" and "no code was sent" in reasons(none)
    asked(house, session, home)
    early = typed(house, session, "12345678")
    assert early.stage == "refused" and "not sent yet" in reasons(early)
    digits = mailed()
    do("resets.end", house.henry, verification=session)
    over = typed(house, session, digits)
    assert over.stage == "refused"
    for change in (none, early, over):
        with acting_as(SYSTEM):
            head = RecordedEdit.objects.get(row=change.pk, n=0).after or {}
        assert head["kind"] == "resets.enter_code" and head["stage"] == "refused"


def test_what_was_sent_and_typed_is_nowhere_and_only_a_keyed_hash_is_kept(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    code = the(ResetCode)
    with acting_as(SYSTEM), connection.cursor() as cursor:
        cursor.execute("SELECT has_column_privilege('postroom_app', 'secrets', 'value', 'SELECT')")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT postroom_code_fits(%s, %s)", [code.pk, keyed_code(code.pk, digits)])
        assert cursor.fetchone() == (True,)
        for plain in (digits, __import__("hashlib").sha256(digits.encode()).hexdigest()):
            cursor.execute("SELECT postroom_code_fits(%s, %s)", [code.pk, plain])
            assert cursor.fetchone() == (False,)
    changes = [typed(house, session, one) for one in (wrong(digits), digits)]
    with acting_as(SYSTEM):
        stood = [str(one.__dict__) for one in (*RecordedEdit.objects.all(), *Change.objects.all())]
    for secret in (digits, wrong(digits), keyed_code(code.pk, digits), keyed_code(code.pk, wrong(digits))):
        assert not any(secret in one for one in stood)
    assert all(change.params == {"verification": session} and not change.plan_hash for change in changes)
    assert digits not in repr(kind("resets.enter_code", verification=session, said=digits))


def test_it_is_never_shown_before_it_is_done_nor_planned_again(house: House, home: str) -> None:
    from postroom.changes.approvals import replan

    session = started(house)
    with pytest.raises(ChangeError):
        dry_run(kind("resets.enter_code", verification=session, said="12345678"), actor=house.henry)
    refused = typed(house, session, "12345678")
    with pytest.raises(Problems, match="kept nowhere"):
        replan(refused.pk, actor=house.henry)
    assert proofs(good=False) == 0


def test_of_fifty_at_once_three_are_compared(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    guesses = [f"{(int(digits) + n) % 10**8:08d}" for n in range(1, 25)]
    came = together(*[lambda one=one: typed(house, session, one) for one in guesses])  # type: ignore[misc]
    assert all(isinstance(one, Change) for one in came), came
    assert sum(one.version is not None for one in came) == 3 == proofs(good=False)
    assert sum(one.stage == "refused" for one in came) == len(guesses) - 3, "and none of them is lost"


def test_the_right_one_typed_fifty_times_at_once_is_used_once(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    came = together(*[lambda: typed(house, session, digits)] * 24)
    assert sum(isinstance(one, Change) and one.version is not None for one in came) == 1 == proofs(good=True)


def test_another_code_voids_the_one_before_and_each_counts_against_a_limit(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    first = mailed()
    asked(house, session, home)
    second = mailed()
    if first != second:
        assert typed(house, session, first).version and proofs(good=False) == 1
    for _ in range(CODES - 2):
        assert asked(house, started(house), home).version
    more = asked(house, started(house), home)
    assert more.stage == "refused" and f"{CODES} codes were sent" in reasons(more)
    hour = datetime.now(UTC) + timedelta(minutes=61)
    with then(hour):
        assert asked(house, started(house), home).version


def test_a_letter_that_is_sent_again_has_another_code(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    first, second = mailed(), mailed()
    assert the(ResetCode).issued == 2
    if first != second:
        assert typed(house, session, first).version and proofs(good=False) == 1
    assert typed(house, session, second).version and proofs(good=True) == 1


def test_who_may_not_types_nothing_and_learns_nothing(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    for by in (house.audrey, house.ada, replace(house.henry, sort="token")):
        came = typed(house, session, digits, by)
        assert came.stage == "refused" and not came.plan_hash
    assert proofs(good=True) == 0 and the(Verification, pk=session).passed_at is None


def test_no_undo_brings_a_code_back(house: House, home: str) -> None:
    session = started(house)
    asked(house, session, home)
    digits = mailed()
    change = typed(house, session, digits)
    back = undo(change.pk, actor=house.henry, why="a slip")
    assert back.stage == "refused"
    assert the(ResetCode).used_at


def test_the_clock_ends_what_is_left_of_it(house: House, home: str) -> None:
    from cast import tick

    session = started(house)
    asked(house, session, home)
    mailed()
    later = datetime.now(UTC) + timedelta(minutes=31)
    with then(later):
        assert [one.kind for one in tick(later)].count("resets.end") == 1
    with acting_as(SYSTEM):
        assert the(ResetCode).ended_at and not Secret.objects.filter(purpose="reset code").exists()


def test_many_guesses_in_one_change_are_refused_and_none_is_told_apart(house: House, home: str) -> None:
    from postroom.changes.pipeline import submit

    session = started(house)
    asked(house, session, home)
    digits = mailed()
    parts = [kind("resets.enter_code", verification=session, said=one) for one in (wrong(digits), digits)]
    came = submit(parts, actor=house.henry, why="a test")
    assert came.stage == "refused" and reasons(came).startswith("one verification at a time") and not came.plan_hash
    assert proofs(good=True) == 0 and the(Verification, pk=session).given == 0
