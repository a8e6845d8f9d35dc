"""A freeze: what only closes goes through and is looked at afterwards; everything else waits. Kind by kind."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from every_kind import NO_SECOND_TIME, WALKS, something_for_each

from cast import MIA, House, do, reasons, the, tick, waits
from postroom.access.acting import acting_as
from postroom.changes import approvals
from postroom.changes.approvals import approve
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import apply_scheduled, dry_run, submit
from postroom.models import Change, Freeze, Review

LEO, ADA = "leo@acme.example", "ada@northlight.example"


def test_a_freeze_lets_rescue_through_and_its_own_end(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("freezes.start", house.ada, scope="acme", reason="dispute")
    freeze = str(the(Freeze).pk)
    refused = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    assert refused.stage == "refused" and reasons(refused) == "frozen: dispute"
    assert do("mailboxes.suspend", house.olive, mailbox=MIA).stage == "applied"
    assert do("mailboxes.resume", house.olive, mailbox=MIA).stage == "refused"
    assert do("mailboxes.change", house.olive, mailbox="mia@globex.example", quota_mb=1).stage == "applied"
    assert do("freezes.end", house.olive, freeze=freeze).stage == "verified"
    assert do("mailboxes.resume", house.olive, mailbox=MIA).stage == "applied"


def test_a_freeze_of_the_organization_is_one_of_every_client(house: House) -> None:
    do("freezes.start", house.olive, scope="organization", reason="migration")
    for address in (MIA, "mia@globex.example"):
        assert do("mailboxes.change", house.olive, mailbox=address, quota_mb=1).stage == "refused"
    assert do("people.change", house.oskar, person=ADA, name="A").stage == "refused"


def test_what_went_through_during_a_freeze_is_reviewed_after(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert [v["says"] for v in change.verdicts] == ["mark"] and reasons(change) == "during freeze: dispute"
    with acting_as(house.ada):
        (review,) = Review.objects.all()
        assert (review.change_id, review.closed_at, review.client_id) == (change.pk, None, change.client_id)
        assert review.until == change.now + timedelta(hours=72)


def test_a_freeze_that_came_between_marks_what_only_closes(house: House) -> None:
    """Planned before the freeze, applied during it: the mark is found under the lock."""
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    assert apply_scheduled(later.pk).stage == "applied"
    with acting_as(house.ada):
        assert Review.objects.get().change_id == later.pk


def test_a_freeze_between_approval_and_apply_holds_it_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    held = do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    assert held.stage == "applied"
    held = do("aliases.change", house.olive, alias="sales@acme.example", targets=["postmaster@acme.example"])
    assert held.stage == "held"
    monkeypatch.setattr(approvals, "apply_scheduled", lambda change: None)  # the process dies after the approval
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    monkeypatch.undo()
    do("freezes.start", house.olive, scope="acme", reason="dispute")

    (done,) = tick(datetime.now(UTC))
    assert (done.pk, done.stage) == (held.pk, "held")
    assert {"frozen: dispute"} < {v["reason"] for v in done.verdicts}
    with acting_as(house.olive):
        assert [one.void for one in done.approval_set.all()] == [True]
        assert Change.objects.get(pk=held.pk).plan, "nothing approved is thrown away"


def test_a_freeze_ends_by_time_before_anybody_tidies(house: House) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    do("freezes.start", house.olive, scope=" ACME", reason="weekend", until=soon.isoformat())
    assert do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1).stage == "refused"
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    time.sleep((soon - datetime.now(UTC)).total_seconds() + 0.05)
    assert do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1).stage == "applied"
    assert apply_scheduled(later.pk).stage == "applied"
    assert the(Freeze).ended_at is None


def test_who_ends_a_freeze_is_asked_about_it_after(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    end = do("freezes.end", house.olive, freeze=str(the(Freeze).pk))
    with acting_as(house.ada):
        assert Review.objects.get().change_id == end.pk


def test_all_sessions_of_a_person_end_during_a_freeze_and_that_is_marked(house: House) -> None:
    """A session of theirs alone is nobody's concern; all of them, browsers too, goes by the person's row."""
    do("freezes.start", house.oskar, scope="organization", reason="dispute")
    change = do("sessions.end", house.oskar, person=ADA)
    assert change.stage == "verified" and [v["policy"] for v in change.verdicts] == ["frozen"], change.verdicts


# Every kind against a freeze of all there is.

UNMARKED = {
    "sessions.open", "sessions.end",  # else who may end a freeze could not even sign in for it
    "notices.send", "notices.issue",  # a warning opens nothing
    "nodes.deliver_again",  # what was agreed before is put back
    "clients.ask_contact", "domains.ask_contact",
    "recovery_channels.ask", "recovery_channels.issue",  # a question opens nothing either; its answer waits
    "doubts.raise", "doubts.settle",  # nor does what an owner says they do not know
    "clients.mail_checkpoint",  # nor does what proves the record
    "people.tell_of_factor",  # nor does what tells somebody of their own second factor
    "forwards.tell_owner",  # or of where their mail goes
    "access_reviews.open", "access_reviews.sign", "rosters.open", "rosters.answer",  # asking and answering neither
}  # fmt: skip


def test_every_kind_says_what_a_freeze_makes_of_it() -> None:
    assert WALKS.keys() | NO_SECOND_TIME == KINDS.keys()
    assert {p for p, walk in WALKS.items() if walk.secrets} == {p for p, k in KINDS.items() if k.carries_secret}


def says(house: House, permission: str, ids: dict[str, str]) -> str:
    """What a proposal comes to: refused (by the freeze alone), marked, or free."""
    walk = WALKS[permission]
    one, actor = walk.kind(permission, ids), walk.actor(house)
    if walk.secrets:  # cannot be shown without being done
        change = submit(one, actor=actor, why="a walk", secrets=walk.values())
    else:
        change = dry_run(one, actor=actor).change
    # An emergency is reviewed afterwards, frozen or not.
    verdicts = [v for v in change.verdicts if v["says"] != "hold" and (v["policy"], v["says"]) != ("verified", "mark")]
    found = {v["says"]: v["policy"] for v in verdicts}
    assert set(found.values()) <= {"frozen"}, f"{permission}: {change.verdicts}"
    return {"refuse": "refused", "mark": "marked"}.get(next(iter(found), ""), "free")


@pytest.mark.matrix
def test_every_kind_meets_a_freeze(house: House) -> None:
    ids = something_for_each(house)
    shown = [p for p, walk in WALKS.items() if not walk.secrets and p != "freezes.end"]
    assert {p: says(house, p, ids) for p in shown} == dict.fromkeys(shown, "free"), "nothing else stands in the way"

    do("freezes.start", house.olive, scope="organization", reason="stop")
    ids["freeze"] = str(the(Freeze).pk)
    expected = {p: "free" if p in UNMARKED else "marked" if w.closes else "refused" for p, w in WALKS.items()}
    assert {p: says(house, p, ids) for p in WALKS} == expected

    do("freezes.end", house.olive, freeze=ids["freeze"])
    secret = [p for p, walk in WALKS.items() if walk.secrets]
    assert {p: says(house, p, ids) for p in secret} == dict.fromkeys(secret, "free"), "the links are still good"
