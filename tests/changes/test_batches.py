"""Work over several clients: planned, shown, held and undone as one; each part applied on its own."""

from typing import Any

import pytest

from cast import MIA, House, again, do, kind, person, reasons, the, tick
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import batch as batches
from postroom.changes.approvals import approve
from postroom.changes.batch import approve_batch, members, replan_batch, submit_batch, undo_batch, withdraw_batch
from postroom.changes.errors import KeyReused, NotAllowed, NotLikeThat, NotSeen, NotThere, OwnChange, Problems
from postroom.models import Batch, Change, Client, Mailbox

GLOBEX = "mia@globex.example"


def changes_of(batch: Batch) -> list[Change]:
    with acting_as(SYSTEM):
        return members(batch.pk)[1]


def stages(batch: Batch) -> list[str]:
    return [change.stage for change in changes_of(batch)]


def rename(*clients: str) -> list[Any]:
    return [kind("clients.change", client=client, name="New") for client in clients]


def names() -> set[str]:
    with acting_as(SYSTEM):
        return {c.name for c in Client.objects.all()}


def test_each_part_is_a_change_of_its_client(house: House) -> None:
    batch = submit_batch(rename("globex", "acme"), actor=house.olive, why="merged", ticket="7")
    changes = changes_of(batch)
    assert [c.stage for c in changes] == ["verified", "verified"] and names() == {"New"}
    assert [c.client_id for c in changes] == sorted({c.client_id for c in changes}, key=str), "one order of locks"
    assert {c.why for c in changes} == {"merged"} and batch.plan_hash == batches.hashed(changes)


def test_one_held_holds_all(house: House) -> None:
    batch = submit_batch([rename("acme")[0], kind("mailboxes.remove", mailbox=GLOBEX)], actor=house.olive, why="x")
    assert stages(batch) == ["held", "held"] and names() == {"Acme", "Globex"}
    with pytest.raises(OwnChange):
        approve_batch(batch.pk, actor=house.olive, plan_hash=batch.plan_hash)
    with pytest.raises(NotAllowed):
        approve_batch(batch.pk, actor=house.henry, plan_hash=batch.plan_hash)
    with pytest.raises(NotSeen):
        approve_batch(batch.pk, actor=house.ada, plan_hash="0" * 64)
    assert stages(batch) == ["held", "held"]
    approve_batch(batch.pk, actor=house.ada, plan_hash=batch.plan_hash)
    assert sorted(stages(batch)) == ["applied", "verified"] and "New" in names()


def test_one_refused_refuses_all(house: House) -> None:
    do("freezes.start", house.olive, scope="globex", reason="dispute")
    batch = submit_batch(rename("acme", "globex"), actor=house.olive, why="x")
    assert stages(batch) == ["refused", "refused"] and names() == {"Acme", "Globex"}


def test_a_member_is_not_approved_alone(house: House) -> None:
    parts = [kind("mailboxes.remove", mailbox=m) for m in (MIA, GLOBEX)]
    one, _ = changes_of(submit_batch(parts, actor=house.olive, why="x"))
    with pytest.raises(NotSeen, match="as a whole"):
        approve(one.pk, actor=house.ada, plan_hash=one.plan_hash)


def test_one_may_go_stale_while_the_other_stands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = submit_batch([rename("acme")[0], kind("mailboxes.remove", mailbox=GLOBEX)], actor=house.olive, why="x")
    do("clients.change", house.oskar, client="acme", name="Acme Ltd")
    approve_batch(batch.pk, actor=house.ada, plan_hash=batch.plan_hash)
    assert sorted(stages(batch)) == ["applied", "stale"]
    assert the(Mailbox, address__address=GLOBEX).removed_at and "Acme Ltd" in names()


def test_a_crash_between_two_parts_is_the_clocks_work(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    real, calls = batches.apply_scheduled, []

    def once(change: Any) -> Any:
        calls.append(change)
        if len(calls) > 1:
            raise SystemExit
        return real(change)

    monkeypatch.setattr(batches, "apply_scheduled", once)
    with pytest.raises(SystemExit):
        submit_batch(rename("acme", "globex"), actor=house.olive, why="x")
    with acting_as(SYSTEM):
        batch = Batch.objects.get()
    assert sorted(stages(batch)) == ["scheduled", "verified"]
    tick(datetime.now(UTC))
    assert stages(batch) == ["verified", "verified"]


def test_withdrawn_together(house: House) -> None:
    batch = submit_batch([kind("mailboxes.remove", mailbox=m) for m in (MIA, GLOBEX)], actor=house.olive, why="x")
    withdraw_batch(batch.pk, actor=house.olive, why="not yet")
    assert stages(batch) == ["withdrawn", "withdrawn"]


def test_planned_again_together(house: House) -> None:
    parts = [[kind("mailboxes.remove", mailbox=MIA)], [kind("mailboxes.remove", mailbox=GLOBEX)]]
    batch = submit_batch(parts, actor=house.olive, why="both left", ticket="T-1")
    with pytest.raises(NotSeen, match="ended without effect"):
        replan_batch(batch.pk, actor=house.olive)
    withdraw_batch(batch.pk, actor=house.olive, why="not yet")
    again = replan_batch(batch.pk, actor=house.olive)
    assert stages(again) == ["held", "held"] and again.why == "both left"
    assert {(c.replans_id, c.ticket) for c in changes_of(again)} == {(c.pk, "T-1") for c in changes_of(batch)}
    approve_batch(again.pk, actor=house.ada, plan_hash=again.plan_hash)
    assert stages(again) == ["applied", "applied"]


def test_of_a_batch_what_went_through_is_not_planned_again(house: House) -> None:
    batch = submit_batch([rename("acme")[0], kind("mailboxes.remove", mailbox=GLOBEX)], actor=house.olive, why="x")
    do("clients.change", house.oskar, client="acme", name="Acme Ltd")
    approve_batch(batch.pk, actor=house.ada, plan_hash=batch.plan_hash)
    again = replan_batch(batch.pk, actor=house.olive, why="on what stands now")
    (one,) = changes_of(again)
    assert (one.kind, one.why, one.replans_id) == ("clients.change", "on what stands now", next(
        c.pk for c in changes_of(batch) if c.stage == "stale"))  # fmt: skip


def test_undone_together(house: House) -> None:
    batch = submit_batch(rename("acme", "globex"), actor=house.olive, why="x")
    back = undo_batch(batch.pk, actor=house.olive, why="the wrong ones")
    assert stages(back) == ["verified", "verified"] and names() == {"Acme", "Globex"}
    assert {c.undone_by_id for c in changes_of(batch)} == {c.pk for c in changes_of(back)}
    with pytest.raises(NotSeen, match="undone already"):
        undo_batch(batch.pk, actor=house.olive, why="x")


def test_who_sees_one_client_of_it_does_not_see_the_batch(house: House) -> None:
    batch = submit_batch(rename("acme", "globex"), actor=house.olive, why="x")
    for verb in (lambda: undo_batch(batch.pk, actor=house.carl, why="x"),
                 lambda: replan_batch(batch.pk, actor=house.carl, why="x"),
                 lambda: withdraw_batch(batch.pk, actor=house.carl, why="x"),
                 lambda: approve_batch(batch.pk, actor=house.carl, plan_hash=batch.plan_hash)):  # fmt: skip
        with pytest.raises(NotThere):
            verb()


def test_an_approver_of_one_client_does_not_approve_for_two(house: House) -> None:
    do("people.invite", house.oskar, name="Aron", email="aron@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="aron@acme.example", role="approver", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    aron = person("aron@acme.example", house.oskar)
    batch = submit_batch([kind("mailboxes.remove", mailbox=m) for m in (MIA, GLOBEX)], actor=house.olive, why="x")
    with pytest.raises(NotThere):
        approve_batch(batch.pk, actor=aron, plan_hash=batch.plan_hash)
    assert stages(batch) == ["held", "held"]


def test_everything_wrong_with_any_part_at_once(house: House) -> None:
    parts = [
        kind("mailboxes.suspend", mailbox="nobody@acme.example"),
        [kind("mailboxes.suspend", mailbox=MIA), kind("mailboxes.suspend", mailbox="no@globex.example")],
        kind("clients.change", client="nobody", name="x"),
    ]
    with pytest.raises(Problems) as found:
        submit_batch(parts, actor=house.olive, why="x")
    assert [p.where for p in found.value.problems] == ["0.mailbox", "1.1.mailbox", "2.client"]


def test_one_change_a_client_one_kind_a_change_and_at_least_one(house: House) -> None:
    acme = kind("mailboxes.suspend", mailbox=MIA)
    for wrong in ([acme, kind("clients.change", client="acme", name="x")], [[acme, rename("acme")[0]]], [[]], []):
        with pytest.raises(Problems):
            submit_batch(wrong, actor=house.olive, why="x")
    with acting_as(SYSTEM):
        assert not Batch.objects.exists()


def test_a_list_in_a_batch_is_judged_by_every_part_of_it(house: House) -> None:
    """A first part one may do must not carry along a second one may not."""
    mixed = [[kind("mailboxes.suspend", mailbox=MIA), kind("clients.suspend", client="acme")]]
    with pytest.raises(Problems, match="of one kind"):
        submit_batch(mixed, actor=house.carl, why="x")
    assert the(Client, slug="acme").suspended_at is None


def test_what_carries_a_secret_is_never_batched(house: House) -> None:
    session = kind("sessions.open", person="ada@northlight.example", mfa="x", until="2099-01-01T00:00:00Z")
    with pytest.raises(NotLikeThat):
        submit_batch([session, rename("acme")[0]], actor=SYSTEM, why="x")


def test_a_batch_that_held_says_why_at_its_part(house: House) -> None:
    batch = submit_batch([rename("acme")[0], kind("mailboxes.remove", mailbox=GLOBEX)], actor=house.olive, why="x")
    why = {reasons(again(c)) for c in changes_of(batch)}
    assert why == {"", "removes 1 mailbox"}


def test_what_no_one_person_could_approve_is_no_batch(house: House) -> None:
    do("people.invite", house.oskar, name="Aron", email="aron@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="aron@acme.example", role="approver", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    do("people.suspend", house.oskar, person="ada@northlight.example")
    parts = [kind("mailboxes.remove", mailbox=m) for m in (MIA, GLOBEX)]
    with pytest.raises(NotLikeThat, match="one by one"):
        submit_batch(parts, actor=house.oskar, why="x")
    assert [do("mailboxes.remove", house.oskar, mailbox=m).stage for m in (MIA, GLOBEX)] == ["held", "scheduled"]


def test_one_person_who_may_approve_at_each_client_is_enough_for_a_batch(house: House) -> None:
    do("people.invite", house.oskar, name="Aron", email="aron@northlight.example")
    for client in ("acme", "globex"):
        given = do("grants.give", house.oskar, person="aron@northlight.example", role="approver", client=client)
        approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    do("people.suspend", house.oskar, person="ada@northlight.example")
    batch = submit_batch([kind("mailboxes.remove", mailbox=m) for m in (MIA, GLOBEX)], actor=house.oskar, why="x")
    assert stages(batch) == ["held", "held"]
    aron = person("aron@northlight.example", house.oskar)
    approve_batch(batch.pk, actor=aron, plan_hash=batch.plan_hash)
    assert stages(batch) == ["applied", "applied"]


def test_the_same_request_again_answers_with_the_same_batch(house: House) -> None:
    first = submit_batch(rename("globex", "acme"), actor=house.olive, why="x", key="k")
    assert submit_batch(rename("globex", "acme"), actor=house.olive, why="x", key="k").pk == first.pk
    for other in (rename("acme", "globex"), rename("globex")):
        with pytest.raises(KeyReused):
            submit_batch(other, actor=house.olive, why="x", key="k")
    assert len(changes_of(first)) == 2
    other = [kind("clients.change", client="globex", name="Other")]
    assert submit_batch(other, actor=house.oskar, why="x", key="k").pk != first.pk, "somebody else's key"


def test_a_batch_counts_as_a_whole_and_what_was_seen_is_not_found_anew(house: House) -> None:
    def boxes(acme: int, globex: int, prefix: str) -> list[list[Any]]:
        counts = {"acme": acme, "globex": globex}
        return [
            [kind("mailboxes.create", address=f"{prefix}{n}@{name}.example") for n in range(count)]
            for name, count in counts.items()
        ]

    assert set(stages(submit_batch(boxes(16, 9, "a"), actor=house.olive, why="x"))) == {"applied"}
    batch = submit_batch(boxes(17, 9, "b"), actor=house.olive, why="x")
    assert [(c.stage, reasons(c)) for c in changes_of(batch)] == [("held", "26 mailboxes in one batch")] * 2
    approve_batch(batch.pk, actor=house.ada, plan_hash=batch.plan_hash)
    assert stages(batch) == ["applied", "applied"]
