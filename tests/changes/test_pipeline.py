"""From a proposal to state: what is applied, refused, asked twice, or nothing at all."""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cast import MIA, House, again, do, kind, reasons, the, tick, version_of, waits
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.errors import KeyReused, NothingToDo, NotLikeThat, NotThere, Problems
from postroom.changes.pipeline import AT_MOST, apply_scheduled, dry_run, submit
from postroom.changes.plan import Plan
from postroom.models import Change, Client, Entry, Mailbox, Person, RecordedEdit


def mailbox(address: str = MIA) -> Mailbox:
    return the(Mailbox, address__address=address)


def test_a_change_is_applied_and_on_record(house: House) -> None:
    before = version_of("acme", house.olive)
    change = submit(kind("mailboxes.suspend", mailbox=MIA), actor=house.olive, why="left today", ticket="4711")

    assert (change.stage, change.version) == ("applied", before + 1)
    assert version_of("acme", house.olive) == before + 1
    assert mailbox().suspended_at == change.now
    with acting_as(house.olive):
        entry = Entry.objects.get(client=change.client_id, version=change.version)
        head, edit = RecordedEdit.objects.filter(entry=entry).order_by("n")
    assert (head.table, head.after["why"], head.after["ticket"]) == ("changes", "left today", "4711")
    assert edit.before == {"suspended_at": None, "access_epoch": 0}
    assert edit.after == {"suspended_at": change.now.isoformat(), "access_epoch": 1}


def test_every_move_of_stage_is_an_entry(house: House) -> None:
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    with acting_as(house.olive):
        moves = RecordedEdit.objects.filter(table="changes", row=change.pk).order_by("entry_id")
        assert [((m.before or {}).get("stage"), m.after["stage"]) for m in moves] == [
            (None, "held"), ("held", "scheduled"), ("scheduled", "applied"),
        ]  # fmt: skip


def test_only_a_second_person_takes_a_mailbox_away(house: House) -> None:
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    assert change.stage == "held" and "removes 1 mailbox" in reasons(change)
    assert mailbox().removed_at is None

    approved = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert approved.stage == "applied" and approved.plan_hash == change.plan_hash
    assert mailbox().removed_at == change.now
    assert again(change).plan is None, "kept only while somebody has to look at it"


def test_a_stale_plan_is_not_applied_and_planned_again_only_when_asked(house: House) -> None:
    """Planned from a quota of 10,000; meanwhile somebody sets it."""
    later = waits("mailboxes.change", house.olive, mailbox=MIA, quota_mb=20_000)
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=30_000)
    stale = apply_scheduled(later.pk)
    assert (stale.stage, reasons(stale)) == (
        "stale", f"{MIA} is not as it was planned from: quota mb was “10000” and is now “30000”",
    )  # fmt: skip
    assert mailbox().quota_mb == 30_000
    with acting_as(SYSTEM):
        assert not Change.objects.filter(replans=later).exists()


def test_a_stale_plan_names_nobody_outside_of_its_client(house: House) -> None:
    later = waits("mailboxes.change", house.olive, mailbox=MIA, owner="ada@northlight.example")
    do("mailboxes.change", house.olive, mailbox=MIA, owner="henry@northlight.example")
    assert reasons(apply_scheduled(later.pk)) == (
        f"{MIA} is not as it was planned from: owner was empty and is now another person"
    )


def test_two_people_changing_two_things_do_not_get_in_each_others_way(house: House) -> None:
    later = waits("mailboxes.change", house.olive, mailbox=MIA, quota_mb=20_000)
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert apply_scheduled(later.pk).stage == "applied"


def test_the_same_request_twice_is_one_change(house: House) -> None:
    first = do("mailboxes.suspend", house.olive, mailbox=MIA, once="k1")
    assert do("mailboxes.suspend", house.olive, mailbox=MIA, once="k1").pk == first.pk
    with pytest.raises(KeyReused):
        do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1, once="k1")
    with pytest.raises(KeyReused):
        do("mailboxes.suspend", house.olive, mailbox="mia@globex.example", once="k1")
    assert do("mailboxes.resume", house.oskar, mailbox=MIA, once="k1").pk != first.pk, (
        "each person has keys of their own"
    )


def test_nothing_to_do_is_said(house: House) -> None:
    with pytest.raises(NothingToDo):
        do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=10_000)
    with pytest.raises(NothingToDo):
        do("mailboxes.resume", house.olive, mailbox=MIA)


@pytest.mark.parametrize("address", ["mia@globex.example", "nobody@globex.example", "nobody@acme.example"])
def test_not_yours_and_not_there_answer_the_same(house: House, address: str) -> None:
    with pytest.raises(Problems) as found:
        do("mailboxes.suspend", house.carl, mailbox=address)
    (problem,) = found.value.problems
    assert isinstance(problem, NotThere) and found.value.only_not_there
    assert str(problem) == f"mailbox: no mailbox {address} that you can see"


def test_a_role_that_does_not_allow_it_is_refused_and_recorded(house: House) -> None:
    for nobody in (house.ada, house.henry, house.audrey):
        change = do("mailboxes.suspend", nobody, mailbox=MIA)
        assert change.stage == "refused" and reasons(change) == "mailboxes.suspend is not allowed here"
        with acting_as(house.olive):
            assert RecordedEdit.objects.filter(table="changes", row=change.pk).count() == 1
    assert mailbox().suspended_at is None


def test_a_taken_address_is_refused_without_saying_by_whom(house: House) -> None:
    with pytest.raises(Problems) as found:
        do("mailboxes.create", house.carl, address=MIA)
    assert [(p.where, p.what) for p in found.value.problems] == [("address", f"{MIA} is already taken")]


def test_who_is_later_by_a_moment_is_refused_by_the_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ask for one address at once, and each is told that it is free."""
    monkeypatch.setattr("postroom.changes.taken.taken", lambda *_: [])
    change = do("mailboxes.create", house.carl, address=MIA)
    assert change.stage == "refused" and reasons(change).startswith("already taken")
    assert "globex" not in str(change.verdicts)
    with acting_as(house.carl):
        assert Change.objects.get(pk=change.pk).stage == "refused"


def test_what_belongs_to_the_organization_is_its_history(house: House) -> None:
    with acting_as(SYSTEM):
        before = Entry.objects.filter(client=None, version__isnull=False).count()
    change = do("people.change", house.oskar, person="ada@northlight.example", name="Ada L.")
    assert (change.client_id, change.version) == (None, before + 1)
    assert the(Person, email="ada@northlight.example").name == "Ada L."


def test_a_client_is_version_one_of_its_own_history(house: House) -> None:
    change = do("clients.create", house.olive, name="Bar Client")
    made = the(Client, slug="bar-client")
    assert (change.client_id, change.version, made.version) == (made.pk, 1, 1)


# One change, many objects.


def test_many_objects_are_one_change_one_version_all_or_nothing(house: House) -> None:
    before = version_of("acme", house.olive)
    new = [kind("mailboxes.create", address=f"n{n}@acme.example") for n in range(25)]
    change = submit(new, actor=house.olive, why="new people")
    assert change.stage == "applied" and version_of("acme", house.olive) == before + 1
    assert isinstance(change.params, list) and len(change.params) == 25

    clash = [kind("mailboxes.create", address=a) for a in ("fresh@acme.example", MIA)]
    with pytest.raises(Problems, match=r"^1\.address: "):
        submit(clash, actor=house.olive, why="x")
    with acting_as(house.olive):
        assert not Mailbox.objects.filter(address__address="fresh@acme.example").exists()


def test_everything_that_is_wrong_is_said_at_once_and_where(house: House) -> None:
    parts = [
        kind("mailboxes.create", address="fine@acme.example"),
        kind("mailboxes.create", address="x@nowhere.example"),
        kind("mailboxes.create", address="y@acme.example", kind="shared", contact="z@acme.example"),
        kind("mailboxes.create", address="q@acme.example", owner="nobody@acme.example"),
    ]
    with pytest.raises(Problems) as found:
        submit(parts, actor=house.olive, why="x")
    assert [p.where for p in found.value.problems] == ["1.address", "2.contact", "3.owner"]
    assert not found.value.only_not_there
    with acting_as(house.olive):
        assert not Mailbox.objects.filter(address__address="fine@acme.example").exists()


def test_a_list_has_a_limit_and_one_kind(house: House) -> None:
    one = kind("mailboxes.suspend", mailbox=MIA)
    for wrong in ([], [one] * (AT_MOST + 1), [one, kind("mailboxes.resume", mailbox=MIA)]):
        with pytest.raises(Problems, match="params"):
            submit(wrong, actor=house.olive, why="x")


def test_one_change_touches_one_client(house: House) -> None:
    both = [kind("mailboxes.suspend", mailbox=m) for m in (MIA, "mia@globex.example")]
    with pytest.raises(Problems, match="one client"):
        submit(both, actor=house.olive, why="x")


def test_an_id_is_known_however_it_is_spelled(house: House) -> None:
    acme = do("clients.change", house.olive, client="acme", notes="a").client_id
    for n, spelled in enumerate((str(acme).upper(), acme.hex, f"{{{acme}}}")):
        assert do("clients.change", house.olive, client=spelled, notes=f"b{n}").version


def test_parts_that_contradict_each_other_are_a_problem(house: House) -> None:
    twice = [kind("mailboxes.change", mailbox=MIA, quota_mb=n) for n in (5, 6)]
    with pytest.raises(Problems, match="planned twice"):
        submit(twice, actor=house.olive, why="x")
    agreed = [kind("mailboxes.change", mailbox=MIA, quota_mb=5), kind("mailboxes.change", mailbox=MIA, vip=True)]
    submit(agreed, actor=house.olive, why="x")
    assert (mailbox().quota_mb, mailbox().vip) == (5, True)


# Without doing it, and not now.


def test_a_dry_run_shows_edits_and_verdicts_and_leaves_no_trace(house: House, sql) -> None:  # type: ignore[no-untyped-def]
    def rows() -> list[tuple[object, ...]]:
        return sql("SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM entries), (SELECT count(*) FROM due)")

    before = rows()
    shown = dry_run(kind("mailboxes.remove", mailbox=MIA), actor=house.olive)
    assert [e.table for e in shown.plan.edits] == ["mailboxes"] and "removes 1 mailbox" in reasons(shown.change)
    assert rows() == before


def test_planning_twice_gives_the_same_hash(house: House) -> None:
    from postroom.changes.plan import Plan
    from postroom.changes.state import State

    for one in (
        kind("mailboxes.create", address="n@acme.example", contact="n@home.example"),
        kind("domains.add", client="acme", name="again.example"),
        kind("grants.give", person="ada@northlight.example", role="auditor", client="acme"),
    ):
        shown = dry_run(one, actor=house.olive)
        with acting_as(house.olive):
            state = State(shown.access, shown.change.pk, shown.change.now)
            assert Plan.of(one.plan(state)).hash == shown.plan.hash
        assert Plan.from_json(shown.plan.as_json()).hash == shown.plan.hash


def test_a_scheduled_change_waits_for_its_time(house: House) -> None:
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    assert later.stage == "scheduled" and mailbox().suspended_at is None

    assert tick(datetime.now(UTC)) == []
    (done,) = tick(datetime.now(UTC) + timedelta(hours=2))
    assert (done.pk, done.stage) == (later.pk, "applied")
    assert tick(datetime.now(UTC) + timedelta(hours=2)) == []


def test_a_plan_older_than_a_column_makes_its_row_with_the_default(house: House, sql: Any) -> None:
    """It waited over an upgrade. What it does not say is what a row without it would have been."""
    asked = waits("clients.create", house.oskar, name="Initech")
    plan = copy.deepcopy(asked.plan)
    for _, _, _, after, _ in plan:
        for name in ("forward_allowed", "forward_forbidden"):
            after.pop(name, None)
    older = Plan.from_json(plan)
    assert older.hash != asked.plan_hash
    sql(f"UPDATE changes SET plan = '{json.dumps(plan)}', plan_hash = '{older.hash}' WHERE id = '{asked.pk}'")
    (done,) = tick(datetime.now(UTC) + timedelta(hours=2))
    assert (done.pk, done.stage) == (asked.pk, "verified")
    assert the(Client, slug="initech").forward_allowed == []


def test_what_a_kind_refuses_is_refused_before_anything_is_asked() -> None:
    for wrong in (
        "a b@acme.example",
        "x@acme.example\r\nBcc: y",
        "x\0@acme.example",
        "x" * 300 + "@acme.example",
        "../x",
    ):
        with pytest.raises(ValidationError):
            kind("mailboxes.create", address=wrong)
    with pytest.raises(ValidationError):
        kind("mailboxes.create", address="x@acme.example", password="typed by an operator")


# Who may submit what.


def test_parts_of_ours_may_do_what_the_kind_says_and_nothing_else(house: House) -> None:
    for ours in (CLOCK, SYSTEM):
        assert do("mailboxes.suspend", ours, mailbox=MIA).stage == "refused"
    do("domains.add", house.oskar, client="acme", name="unproven.example")
    assert do("domains.prove", house.oskar, domain="unproven.example", proof="I say so").stage == "refused"


def test_a_kind_that_carries_a_secret_is_done_now_or_not_at_all(house: House) -> None:
    secret = kind("sessions.open", person="ada@northlight.example", mfa="totp", until="2099-01-01T00:00:00Z")
    with pytest.raises(NotLikeThat):
        dry_run(secret, actor=SYSTEM)
    with pytest.raises(NotLikeThat):
        submit(secret, actor=SYSTEM, why="x", at=datetime.now(UTC) + timedelta(hours=1))
