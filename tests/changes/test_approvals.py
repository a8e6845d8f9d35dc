"""What people do with a change that waits: approve, withdraw, plan it again. And where there is nobody to ask."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from cast import MIA, House, again, do, kind, person, reasons, the, tick, waits
from postroom.access.acting import FOUNDER, SYSTEM, acting_as
from postroom.changes.approvals import approve, replan, withdraw
from postroom.changes.batch import approve_batch, submit_batch, withdraw_batch
from postroom.changes.errors import NotAllowed, NotSeen, NotThere, OwnChange
from postroom.changes.pipeline import ALONE, apply_scheduled, submit
from postroom.changes.reviews import close_all
from postroom.models import Approval, Batch, Change, Client, Due, Mailbox, RecordedEdit
from postroom.queries.take_out import take_out

GLOBEX = "mia@globex.example"


def held(house: House, address: str = MIA) -> Change:
    change = do("mailboxes.remove", house.olive, mailbox=address)
    assert change.stage == "held"
    return change


def test_nobody_approves_what_they_proposed_whatever_their_role(house: House) -> None:
    change = do("mailboxes.remove", house.oskar, mailbox=MIA)
    with pytest.raises(OwnChange):
        approve(change.pk, actor=house.oskar, plan_hash=change.plan_hash)
    assert again(change).stage == "held"


def test_operator_helpdesk_and_auditor_do_not_approve(house: House) -> None:
    change = do("mailboxes.remove", house.oskar, mailbox=MIA)
    for nobody in (house.olive, house.henry, house.audrey, house.carl):
        with pytest.raises(NotAllowed):
            approve(change.pk, actor=nobody, plan_hash=change.plan_hash)
    assert approve(change.pk, actor=house.ada, plan_hash=change.plan_hash).stage == "applied"


def test_who_is_told_no_stands_in_the_record(house: House) -> None:
    """A proposal that is refused is an entry by itself; so is every other no, though nothing else is left of it."""
    change = do("mailboxes.remove", house.oskar, mailbox=MIA)
    do("freezes.start", house.oskar, scope="acme", reason="x")
    marked = do("mailboxes.suspend", house.oskar, mailbox=MIA)
    batch = submit_batch([kind("mailboxes.remove", mailbox=GLOBEX)], actor=house.oskar, why="x")
    (part,) = members_of(batch)
    attempts = (
        (house.oskar, partial(approve, change.pk, plan_hash=change.plan_hash), change),
        (house.olive, partial(approve, change.pk, plan_hash=change.plan_hash), change),
        (house.olive, partial(withdraw, change.pk, why="x"), change),
        (house.olive, partial(close_all, marked.pk, why="x"), marked),
        (house.olive, partial(approve_batch, batch.pk, plan_hash=batch.plan_hash), batch),
        (house.olive, partial(withdraw_batch, batch.pk, why="x"), batch),
        (house.ada, lambda actor: take_out(actor, "acme", why="x", fresh=True), the(Client, slug="acme")),
    )
    for who, attempt, about in attempts:
        with pytest.raises((NotAllowed, OwnChange)) as no:
            attempt(actor=who)
        with acting_as(SYSTEM):
            said = RecordedEdit.objects.filter(said="refused").select_related("entry").latest("entry_id")
        assert said.row == about.pk and said.after and said.after["why"] == str(no.value)
        assert said.after["person"] == str(who.person)
        assert said.entry.client_id == {batch.pk: None}.get(about.pk, change.client_id), "where it can be read"
    assert again(change).stage == again(part).stage == "held"


def decided(change: Change) -> list[tuple[str | None, str | None]]:
    """What the record says of a change, in its order, and by whom: moves by their stage, who decided by their id."""
    with acting_as(SYSTEM):
        lines = RecordedEdit.objects.filter(row=change.pk, n=0).select_related("entry").order_by("entry_id")
        assert {one.client_id for one in lines} == {one.entry.client_id for one in lines} == {change.client_id}
        return [((one.after or {}).get("stage") or one.said, one.person) for one in lines]


def test_the_record_says_who_approved(house: House) -> None:
    """Whoever reads it, or an export of it, sees more than who had asked; it holds no hash that outlives an erasure."""
    change = held(house)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    olive, ada = str(house.olive.person), str(house.ada.person)
    assert decided(change) == [("held", olive), ("approved", ada), ("scheduled", olive), ("applied", olive)]
    with acting_as(SYSTEM):
        said = RecordedEdit.objects.get(row=change.pk, said="approved").after or {}
    assert (said["name"], said["kind"]) == ("Ada", "mailboxes.remove")
    assert change.plan_hash not in said.values()


def test_the_record_says_who_withdrew(house: House) -> None:
    change, own = held(house), held(house, GLOBEX)
    withdraw(change.pk, actor=house.ada, why="not now")
    withdraw(own.pk, actor=house.olive, why="a typo")
    olive, ada = str(house.olive.person), str(house.ada.person)
    assert decided(change) == [("held", olive), ("withdrawn", ada), ("withdrawn", olive)]
    assert decided(own) == [("held", olive), ("withdrawn", olive), ("withdrawn", olive)]
    with acting_as(SYSTEM):
        said = RecordedEdit.objects.get(row=change.pk, said="withdrawn").after or {}
    assert (said["name"], said["why"]) == ("Ada", "not now")


def test_of_a_batch_the_record_says_it_at_each_client(house: House) -> None:
    parts = [kind("mailboxes.remove", mailbox=one) for one in (MIA, GLOBEX)]
    agreed, refused = (submit_batch(parts, actor=house.olive, why="x") for _ in range(2))
    withdraw_batch(refused.pk, actor=house.ada, why="once is enough")
    approve_batch(agreed.pk, actor=house.ada, plan_hash=agreed.plan_hash)
    for batch, what in ((agreed, "approved"), (refused, "withdrawn")):
        assert [decided(one)[1] for one in members_of(batch)] == [(what, str(house.ada.person))] * 2


def members_of(batch: Batch) -> list[Change]:
    with acting_as(SYSTEM):
        return list(Change.objects.filter(batch=batch))


def test_only_the_plan_that_was_looked_at_is_approved(house: House) -> None:
    change = held(house)
    with pytest.raises(NotSeen, match="not the one you looked at"):
        approve(change.pk, actor=house.ada, plan_hash="0" * 64)
    with acting_as(SYSTEM):
        assert not Approval.objects.filter(change=change).exists()


def test_a_change_is_approved_once(house: House) -> None:
    change = held(house)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    with pytest.raises(NotSeen, match="it is applied"):
        approve(change.pk, actor=house.oskar, plan_hash=change.plan_hash)


def test_what_an_approver_cannot_see_is_not_there(house: House) -> None:
    change = held(house, GLOBEX)
    for verb in (approve, withdraw):
        with pytest.raises(NotThere):
            verb(change.pk, actor=house.carl, **({"plan_hash": change.plan_hash} if verb is approve else {"why": "no"}))
    with pytest.raises(NotThere):
        approve(uuid4(), actor=house.ada, plan_hash="x")


def test_an_approver_of_one_client_approves_there_alone(house: House) -> None:
    do("people.invite", house.oskar, name="Aron", email="aron@acme.example", client="acme")
    given = do("grants.give", house.oskar, person="aron@acme.example", role="approver", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    aron = person("aron@acme.example", house.oskar)
    with pytest.raises(NotThere):
        elsewhere = held(house, GLOBEX)
        approve(elsewhere.pk, actor=aron, plan_hash=elsewhere.plan_hash)
    here = held(house)
    assert approve(here.pk, actor=aron, plan_hash=here.plan_hash).stage == "applied"


def test_a_held_change_with_a_time_waits_for_both(house: House) -> None:
    at = datetime.now(UTC) + timedelta(hours=3)
    change = submit(kind("mailboxes.remove", mailbox=MIA), actor=house.olive, why="leaves", at=at)
    assert change.stage == "held"
    assert tick(at + timedelta(hours=1)) == [], "nobody has approved it yet"
    assert approve(change.pk, actor=house.ada, plan_hash=change.plan_hash).stage == "scheduled"
    assert the(Mailbox, address__address=MIA).removed_at is None
    (done,) = tick(at)
    assert done.stage == "applied"


# Withdrawing.


def test_its_proposer_withdraws_and_an_approver_may_say_no(house: House) -> None:
    assert withdraw(held(house).pk, actor=house.olive, why="too early").stage == "withdrawn"
    change = held(house)
    no = withdraw(change.pk, actor=house.ada, why="she stays")
    assert no.stage == "withdrawn" and "Ada: she stays" in reasons(no)
    with pytest.raises(NotSeen):
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)


def test_nobody_else_withdraws(house: House) -> None:
    change = held(house)
    for nobody in (house.henry, house.audrey, house.carl):
        with pytest.raises(NotAllowed):
            withdraw(change.pk, actor=nobody, why="no")
    assert again(change).stage == "held"


def test_what_is_scheduled_is_withdrawn_too_and_the_clock_forgets_it(house: House) -> None:
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    withdraw(later.pk, actor=house.olive, why="no longer")
    with acting_as(SYSTEM):
        assert not Due.objects.filter(change=later).exists()
    assert apply_scheduled(later.pk).stage == "withdrawn"
    with pytest.raises(NotSeen, match="it is withdrawn"):
        withdraw(later.pk, actor=house.olive, why="again")


# Planning again.


def test_planned_again_is_a_new_change_linked_both_ways_without_approvals(house: House) -> None:
    change = do("mailboxes.remove", house.olive, mailbox=MIA)
    do("mailboxes.remove", house.oskar, mailbox=MIA)
    other = Change.objects  # the second one is approved first, so that the first goes stale
    with acting_as(SYSTEM):
        second = other.exclude(pk=change.pk).get(kind="mailboxes.remove")
    approve(second.pk, actor=house.ada, plan_hash=second.plan_hash)
    stale = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert stale.stage == "stale"
    do("mailboxes.restore", house.olive, mailbox=MIA)

    new = replan(stale.pk, actor=house.olive)
    assert (new.kind, new.params, new.why, new.stage) == (stale.kind, stale.params, stale.why, "held")
    assert new.pk != stale.pk and new.replans_id == stale.pk and new.plan_hash != stale.plan_hash
    with acting_as(house.olive):
        assert list(Change.objects.get(pk=stale.pk).replanned_in.all()) == [new]
        assert not new.approval_set.exists()
    assert again(stale).stage == "stale", "an end stays an end"


def test_only_what_ended_without_effect_is_planned_again(house: House) -> None:
    for change in (held(house), do("mailboxes.suspend", house.olive, mailbox=GLOBEX)):
        with pytest.raises(NotSeen, match="planned again"):
            replan(change.pk, actor=house.olive)
    refused = do("mailboxes.suspend", house.ada, mailbox=MIA)
    assert replan(refused.pk, actor=house.olive).stage == "applied", "who asks again needs the right themselves"
    with pytest.raises(NotThere):
        replan(do("mailboxes.resume", house.ada, mailbox=GLOBEX).pk, actor=house.carl)


# A refusal stands until it is gone.


def freeze(house: House) -> str:
    change = do("freezes.start", house.olive, scope="acme", reason="dispute")
    with acting_as(house.olive):
        from postroom.models import Freeze

        return str(Freeze.objects.get(client=change.client_id, ended_at=None).pk)


def test_what_is_refused_anew_is_not_approved_while_the_refusal_stands(house: House) -> None:
    later = waits("mailboxes.change", house.olive, mailbox=MIA, quota_mb=5)
    frozen = freeze(house)
    assert apply_scheduled(later.pk).stage == "held" and "frozen: dispute" in reasons(again(later))
    with pytest.raises(NotSeen, match="refusal stands"):
        approve(later.pk, actor=house.ada, plan_hash=later.plan_hash)
    do("freezes.end", house.olive, freeze=frozen)
    assert approve(later.pk, actor=house.ada, plan_hash=later.plan_hash).stage == "scheduled"
    assert apply_scheduled(later.pk).stage == "applied"


# Nobody to ask.


@pytest.fixture
def alone(database: str):  # type: ignore[no-untyped-def]
    """An organization of one."""
    from postroom.changes import readings
    from postroom.changes.readings import ZoneRead

    readings.READERS[:] = [lambda zone, hosting: ZoneRead(zone)]
    owner = {"owner_name": "Oskar", "owner_email": "owner@one.example"}
    do("organization.found", FOUNDER, name="One", postmaster="postmaster@one.example", **owner)
    oskar = person("owner@one.example", FOUNDER)
    do("clients.create", oskar, name="One")
    return oskar


def test_where_there_is_no_second_person_it_waits_a_day(alone) -> None:  # type: ignore[no-untyped-def]
    change = do("clients.remove", alone, client="one")
    assert change.stage == "scheduled" and change.at == change.now + ALONE and "removes 1 client" in reasons(change)
    assert [one.kind for one in tick(change.now + ALONE - timedelta(minutes=1))] == ["notices.send"]
    (done,) = tick(change.now + ALONE)
    assert done.pk == change.pk and done.version


def test_alone_and_later_is_not_sooner_for_being_alone(alone) -> None:  # type: ignore[no-untyped-def]
    at = datetime.now(UTC) + timedelta(days=3)
    change = submit(kind("clients.remove", client="one"), actor=alone, why="x", at=at)
    assert (change.stage, change.at) == ("scheduled", at)


def test_who_is_alone_can_still_think_better_of_it(alone) -> None:  # type: ignore[no-untyped-def]
    change = do("clients.remove", alone, client="one")
    assert withdraw(change.pk, actor=alone, why="not me").stage == "withdrawn"
    assert tick(change.now + ALONE) == []
