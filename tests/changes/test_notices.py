"""Where nobody could approve a change it waits for a day; who has to know is told, and the link they get stops it."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, POSTMASTER, House, again, do, kind, reasons, the, tick
from postroom.access.acting import SYSTEM, Actor, NoSuchLink, acting_as, session_of
from postroom.changes import approvals, carry
from postroom.changes.errors import NothingToDo, NotSeen, Problems
from postroom.changes.kinds.notices import told
from postroom.changes.notices import holder, stop, warned
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.changes.state import State
from postroom.models import ApiSession, Change, Delivery, Due, Invite, Secret

OWNER, ADA = "owner@northlight.example", "ada@northlight.example"
LINKS = {OWNER: "a" * 64, POSTMASTER: "b" * 64}


@pytest.fixture
def alone(house: House) -> House:
    """Nobody but Oskar could approve anything."""
    do("people.suspend", house.oskar, person=ADA)
    return house


@pytest.fixture
def waiting(alone: House) -> Change:
    """A removal that waits, with its notices mailed."""
    change = do("mailboxes.remove", alone.oskar, mailbox=MIA)
    tick(datetime.now(UTC))
    for contact, link in LINKS.items():
        issue(contact, link)
    return change


def issue(contact: str, link: str, actor: Actor = SYSTEM) -> Change:
    notice = the(Invite, contact=contact, stops__isnull=False, ended_at=None)
    return submit(kind("notices.issue", notice=str(notice.pk)), actor=actor, why="mail", secrets={"link": link})


def session(token: str, email: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    opened = kind("sessions.open", person=email, mfa="totp", until=until.isoformat())
    assert submit(opened, actor=SYSTEM, why="signed in", secrets={"session": token}).version


def notices() -> list[str]:
    with acting_as(SYSTEM):
        return list(Invite.objects.filter(stops__isnull=False).order_by("pk").values_list("contact", flat=True))


def test_who_has_to_know_is_told_as_soon_as_the_wait_begins(alone: House) -> None:
    change = do("mailboxes.remove", alone.oskar, mailbox=MIA)
    assert change.stage == "scheduled" and change.at == change.now + timedelta(hours=24)
    (sent,) = tick(datetime.now(UTC))
    assert (sent.kind, sent.actor, sent.stage, sent.client_id) == ("notices.send", "clock", "applied", None)
    assert notices() == [OWNER, POSTMASTER], "the proposer is the owner: one letter"
    with acting_as(SYSTEM):
        assert sorted(Delivery.objects.filter(change=sent).values_list("target", "label")) == [
            ("mail", OWNER), ("mail", POSTMASTER)]  # fmt: skip
        assert [line.kind for line in Due.objects.filter(change=change)] == [""], "told once; what is left is its time"


def test_every_owner_is_told_once_whoever_asked(alone: House) -> None:
    """Henry asks, say, and is no owner: both are told. Who is suspended is no owner."""
    with acting_as(SYSTEM) as access:
        change = Change(proposer_id=alone.henry.person)
        said = told(change, State(access, alone.henry.person, datetime.now(UTC)))  # type: ignore[arg-type]
    assert sorted(said) == sorted(["henry@northlight.example", OWNER, POSTMASTER])


def test_where_somebody_else_may_approve_nobody_is_told(house: House) -> None:
    assert do("mailboxes.remove", house.oskar, mailbox=MIA).stage == "held"
    assert do("mailboxes.suspend", house.oskar, mailbox=MIA).version
    later = submit(
        kind("mailboxes.resume", mailbox=MIA), actor=house.oskar, why="x", at=datetime.now(UTC) + timedelta(1)
    )
    assert later.stage == "scheduled" and tick(datetime.now(UTC)) == [] and notices() == []


def test_what_was_withdrawn_at_once_is_not_told_of(alone: House) -> None:
    change = do("mailboxes.remove", alone.oskar, mailbox=MIA)
    approvals.withdraw(change.pk, actor=alone.oskar, why="a slip")
    assert tick(datetime.now(UTC)) == [] and notices() == []
    with pytest.raises(NothingToDo):
        submit(kind("notices.send", change=str(change.pk)), actor=Actor(None, "clock", "clock"), why="x")


def test_by_the_clock_it_is_made_all_the_same(waiting: Change) -> None:
    done = tick(waiting.at + timedelta(seconds=1))  # type: ignore[operator]
    assert [(one.pk, one.version is not None) for one in done if one.kind == waiting.kind] == [(waiting.pk, True)]


def test_looking_changes_nothing_and_says_whom_it_was_sent_to(waiting: Change) -> None:
    for _ in range(2):
        found = warned(LINKS[POSTMASTER])
        assert (found.contact, found.change.pk, found.change.stage) == (POSTMASTER, waiting.pk, "scheduled")


def test_the_link_withdraws_it_ends_the_sessions_and_spends_every_notice(alone: House, waiting: Change) -> None:
    session("5" * 64, OWNER)
    session("6" * 64, "olive@northlight.example")
    stopped = stop(LINKS[POSTMASTER])
    assert stopped.stage == again(waiting).stage == "withdrawn"
    assert f"{POSTMASTER}: this was not me" in reasons(again(waiting))
    assert session_of("5" * 64) is None and session_of("6" * 64), "of who proposed it, and of nobody else"
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(purpose="link", owner_row__in=Invite.objects.filter(stops=waiting)).exists()
        assert ApiSession.objects.get(person__email=OWNER).ended_at
        (spent,) = Change.objects.filter(kind="notices.stop")
    assert (spent.actor, spent.caused_by_id, spent.why) == ("link", waiting.pk, "this was not me")
    tick(waiting.at + timedelta(days=1))  # type: ignore[operator]
    assert again(waiting).stage == "withdrawn", "its time comes and nothing happens"


def test_a_link_works_once_and_the_others_are_void_with_it(waiting: Change) -> None:
    stop(LINKS[OWNER])
    for link in LINKS.values():
        with pytest.raises(NoSuchLink):
            warned(link)
        with pytest.raises(NoSuchLink):
            stop(link)


@pytest.mark.parametrize("link", ["", "c" * 64])
def test_a_wrong_link_is_no_link(waiting: Change, link: str) -> None:
    with pytest.raises(NoSuchLink):
        stop(link)


def test_mailed_again_the_link_before_is_void(waiting: Change) -> None:
    issue(OWNER, "c" * 64)
    with pytest.raises(NoSuchLink):
        warned(LINKS[OWNER])
    assert stop("c" * 64).stage == "withdrawn"


def test_an_old_link_says_nothing_any_more(waiting: Change, sql: Any) -> None:
    with acting_as(SYSTEM):
        until = Invite.objects.get(contact=OWNER, stops=waiting).until
    assert until == waiting.at + timedelta(hours=72)  # type: ignore[operator]
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE invites SET until = date_trunc('second', now()) - interval '1 s' WHERE until IS NOT NULL")  # fmt: skip
    with pytest.raises(NoSuchLink):
        stop(LINKS[OWNER])


def test_once_it_was_made_the_link_says_so_and_does_nothing(waiting: Change) -> None:
    session("5" * 64, OWNER)
    assert apply_scheduled(waiting.pk).version
    assert warned(LINKS[OWNER]).change.version is not None
    with pytest.raises(NotSeen, match="it is applied"):
        stop(LINKS[OWNER])
    assert session_of("5" * 64), "all of it or nothing"


def test_a_notice_is_stopped_during_a_freeze_and_sent_during_one(alone: House) -> None:
    change = do("mailboxes.remove", alone.oskar, mailbox=MIA)
    do("freezes.start", alone.oskar, scope="organization", reason="dispute")
    tick(datetime.now(UTC))
    for contact, link in LINKS.items():
        assert issue(contact, link).version
    assert stop(LINKS[OWNER]).stage == "withdrawn" and again(change).stage == "withdrawn"


def test_what_its_time_left_held_is_stopped_too(alone: House) -> None:
    """A freeze lay over it when its time came; somebody might still let it through."""
    change = do("grants.give", alone.oskar, person="henry@northlight.example", role="owner")
    tick(datetime.now(UTC))
    issue(OWNER, LINKS[OWNER])
    do("freezes.start", alone.oskar, scope="organization", reason="dispute")
    assert apply_scheduled(change.pk).stage == "held"
    assert stop(LINKS[OWNER]).stage == "withdrawn"


def test_what_an_unforeseen_reason_holds_anew_waits_anew_and_is_told_again(alone: House) -> None:
    """Nobody could approve the new reason either: held, it would wait for ever."""
    change = do("clients.remove", alone.oskar, client="acme")
    tick(datetime.now(UTC))
    with acting_as(SYSTEM):
        Change.objects.filter(pk=change.pk).update(verdicts=[])  # as if the reason had come only now
    waits = apply_scheduled(change.pk)
    assert waits.stage == "scheduled" and waits.at >= change.at and reasons(waits)  # type: ignore[operator]
    tick(datetime.now(UTC))
    assert notices() == [OWNER, POSTMASTER] * 2
    assert apply_scheduled(change.pk).stage == "applied"


def test_nobody_takes_the_warning_away(alone: House, waiting: Change) -> None:
    """Least of all who is to be stopped: not by hand, not by an undo, not by another contact."""
    notice = the(Invite, contact=OWNER, stops=waiting)
    for permission, params in {
        "invites.cancel": {},
        "invites.resend": {},
        "invites.redirect": {"contact": "x@y.test"},
    }.items():
        with pytest.raises(Problems, match="no invite"):
            do(permission, alone.oskar, invite=str(notice.pk), **params)
    assert issue(OWNER, "c" * 64, alone.oskar).stage == "refused"
    with acting_as(SYSTEM):
        made = list(Change.objects.filter(kind__in=["notices.send", "notices.issue"], version__isnull=False))
    for one in made:
        with contextlib.suppress(NothingToDo):  # a link that a newer one made void
            assert approvals.undo(one.pk, actor=alone.oskar, why="hide it").stage == "refused"
    assert warned(LINKS[OWNER]).change.pk == waiting.pk


def test_a_link_to_stop_opens_no_mailbox_and_no_sign_in(waiting: Change) -> None:
    actor = holder(LINKS[OWNER])
    for permission, secrets in (("invites.redeem", {"password": "p", "recovery code": "c"}), ("people.enrol", None)):
        with pytest.raises(Problems):
            do(permission, actor, secrets=secrets)


def test_an_invite_is_no_notice(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    made = the(Invite, mailbox__address__address="leo@acme.example")
    submit(kind("invites.issue", invite=str(made.pk)), actor=SYSTEM, why="x", secrets={"link": "1" * 64})
    with pytest.raises(NoSuchLink):
        stop("1" * 64)
    with pytest.raises(Problems, match="no longer good"):
        do("notices.stop", holder("1" * 64))


def test_no_link_stands_in_an_edit_a_change_or_a_delivery(waiting: Change, sql: Any) -> None:
    stop(LINKS[OWNER])
    for table in ("edits", "changes", "deliveries", "due", "invites"):
        text = str(sql(f"SELECT t::text FROM {table} t"))
        assert text != "[]" or table == "due"
        assert not any(link in text for link in LINKS.values()), table


def test_the_letters_are_carried_like_other_mail(alone: House) -> None:
    do("mailboxes.remove", alone.oskar, mailbox=MIA)
    (sent,) = tick(datetime.now(UTC))
    carry.carry_out(str(sent.pk))
    assert again(sent).stage == "verified"
