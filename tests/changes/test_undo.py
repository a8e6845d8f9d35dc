"""Undo: one change taken back where it still stands, by whom, when, and never towards more access."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, again, as_wanted, do, kind, left_out, reasons, redeemed, the, waits, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import back
from postroom.changes.approvals import approve, replan, undo
from postroom.changes.errors import NothingToDo, NotLikeThat, NotSeen, NotThere, Problems
from postroom.changes.pipeline import submit
from postroom.models import Address, Alias, Change, Domain, Grant, Invite, Mailbox, Node, Secret
from postroom.queries.changes import whole

LEO = "leo@acme.example"


def mailbox(address: str = MIA) -> Mailbox:
    return the(Mailbox, address__address=address)


def is_older(change: Change, by: timedelta, sql: Any) -> None:
    """Time passes: half an hour, in the one place that knows when the change was."""
    sql(f"UPDATE changes SET now = now - interval '{int(by.total_seconds())} seconds' WHERE id = '{change.pk}'")


# Whose, when.


def test_ones_own_change_is_taken_back_at_once(house: House) -> None:
    suspended = do("mailboxes.suspend", house.olive, mailbox=MIA)
    back = undo(suspended.pk, actor=house.olive, why="the wrong Mia")
    assert (back.stage, back.kind, back.verdicts) == ("applied", "history.roll_back", [])
    assert mailbox().suspended_at is None
    assert again(suspended).undone_by_id == back.pk and back.undoes_id == suspended.pk


@pytest.mark.parametrize(("minutes", "stage"), [(29, "applied"), (31, "held")])
def test_for_half_an_hour_even_where_a_second_person_would_be_asked(
    house: House, sql: Any, minutes: int, stage: str
) -> None:
    """Taking back what one did a minute ago alarms nobody; later it is judged like any change."""
    added = do("domains.add", house.olive, client="acme", name="live.example")
    do("domains.prove", SYSTEM, domain="live.example", proof="x")
    as_wanted(house, "live.example")
    is_older(added, timedelta(minutes=minutes), sql)
    back = undo(added.pk, actor=house.olive, why="the wrong client")
    assert back.stage == stage and ("loses its MX" in reasons(back)) == (stage == "held")
    with acting_as(SYSTEM):
        assert Domain.objects.filter(name="live.example").exists() == (stage == "held"), "its proof was read by us"


def test_a_change_of_somebody_else_touched_since_is_held_and_says_over_what(house: House) -> None:
    first = do("mailboxes.change", house.oskar, mailbox=MIA, quota_mb=5)
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    back = undo(first.pk, actor=house.oskar, why="x")
    assert back.stage == "held" and "goes back over 1 later changes: mailboxes.suspend" in reasons(back)
    with_consent(house, back)
    assert mailbox().quota_mb == 10_000 and mailbox().suspended_at, "only its own field goes back"


def test_untouched_a_change_of_somebody_else_is_judged_like_any(house: House) -> None:
    suspended = do("mailboxes.suspend", house.oskar, mailbox=MIA)
    assert undo(suspended.pk, actor=house.olive, why="x").stage == "applied", "suspend and resume of one are not held"
    made = do("domains.add", house.oskar, client="acme", name="live.example")
    do("domains.prove", SYSTEM, domain="live.example", proof="x")
    as_wanted(house, "live.example")
    back = undo(made.pk, actor=house.olive, why="x")
    assert back.stage == "held" and "loses its MX" in reasons(back)


def test_who_may_not_do_it_may_not_undo_it(house: House) -> None:
    """An undo goes through the same gate: what one may not do is not done backwards either."""
    renamed = do("organization.change", house.oskar, name="Northern Light")
    for nobody in (house.olive, house.ada, house.henry, house.audrey):
        refused = undo(renamed.pk, actor=nobody, why="no")
        assert refused.stage == "refused" and "not allowed" in reasons(refused)
    proved = the(Change, kind="domains.add", client__slug="acme")
    assert undo(proved.pk, actor=house.carl, why="no").stage == "refused"


def test_a_client_admin_takes_back_what_they_did(house: House) -> None:
    suspended = do("mailboxes.suspend", house.carl, mailbox=MIA)
    assert undo(suspended.pk, actor=house.carl, why="oops").stage == "applied"


def test_what_waits_or_changed_nothing_is_not_undone(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    refused = do("mailboxes.suspend", house.ada, mailbox=MIA)
    for change, words in ((held, "withdraw it"), (later, "withdraw it"), (refused, "changed nothing")):
        with pytest.raises(NotSeen, match=words):
            undo(change.pk, actor=house.olive, why="x")
    with pytest.raises(Problems, match="changed nothing"):
        do("history.roll_back", house.olive, change=str(refused.pk))


def test_not_twice_and_an_undo_is_undone_like_anything(house: House) -> None:
    suspended = do("mailboxes.suspend", house.olive, mailbox=MIA)
    back = undo(suspended.pk, actor=house.olive, why="x")
    with pytest.raises(NotSeen, match="undone already"):
        undo(suspended.pk, actor=house.olive, why="x")
    undo(back.pk, actor=house.olive, why="no, it was right")
    assert mailbox().suspended_at == suspended.now


def test_what_one_does_not_see_is_not_there(house: House) -> None:
    change = do("mailboxes.suspend", house.olive, mailbox="mia@globex.example")
    with pytest.raises(NotThere):
        undo(change.pk, actor=house.carl, why="x")
    with pytest.raises(Problems) as found:
        do("history.roll_back", house.carl, change=str(change.pk))
    assert found.value.only_not_there


# What goes back, and what does not.


def test_only_what_still_stands_goes_back(house: House) -> None:
    first = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=5, name="Mia M.")
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=6)
    back = with_consent(house, undo(first.pk, actor=house.olive, why="x"))
    assert left_out(back) == [("mailboxes", "quota_mb changed again since")]
    assert (mailbox().name, mailbox().quota_mb) == ("Mia", 6)
    both = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=7)
    do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=8)
    with pytest.raises(NothingToDo):
        undo(both.pk, actor=house.olive, why="x")


def test_a_mailbox_without_anything_on_it_goes_without_a_trace(house: House) -> None:
    made = do("mailboxes.create", house.olive, address=LEO)
    undo(made.pk, actor=house.olive, why="typo")
    with acting_as(house.olive):
        assert (
            not Address.objects.filter(address=LEO).exists()
            and not Mailbox.objects.filter(address__address=LEO).exists()
        )
    assert do("mailboxes.create", house.olive, address=LEO).stage == "applied", "the address is free again"


def test_a_mailbox_that_could_have_got_mail_is_removed_softly(house: House, sql: Any) -> None:
    made = do("mailboxes.create", house.olive, address=LEO)
    is_older(made, timedelta(minutes=31), sql)
    back = undo(made.pk, actor=house.olive, why="no more")
    assert back.stage == "held" and "removes 1 mailbox" in reasons(back)
    approve(back.pk, actor=house.ada, plan_hash=back.plan_hash)
    assert mailbox(LEO).removed_at, "whoever got the address would find the mail"


def test_an_undo_that_waited_unmakes_no_mailbox_that_could_have_got_mail(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was planned while the row could go; by the time somebody lets it through, mail may lie there."""
    made = do("mailboxes.create", house.olive, address=LEO)
    waits = undo(made.pk, actor=house.oskar, why="not ordered")
    assert waits.stage == "held"
    monkeypatch.setattr(back, "SOON", timedelta())
    approve(waits.pk, actor=house.ada, plan_hash=waits.plan_hash)
    assert again(waits).stage == "stale" and "mail may lie there" in reasons(again(waits))
    assert mailbox(LEO).removed_at is None
    with_consent(house, replan(waits.pk, actor=house.oskar, why="not ordered"))
    assert mailbox(LEO).removed_at, "now it is removed as any other"


def test_no_undo_is_put_off(house: House) -> None:
    """By then its half hour is long over, and what could go as a whole has been used."""
    made = do("mailboxes.create", house.olive, address=LEO)
    with pytest.raises(NotLikeThat, match=r"history\.roll_back is not put off"):
        undo(made.pk, actor=house.olive, why="x", at=timezone.now() + timedelta(days=20))
    asked = kind("history.roll_back", change=str(made.pk))
    with pytest.raises(NotLikeThat, match=r"history\.roll_back is not put off"):
        submit(asked, actor=house.olive, why="x", at=timezone.now() + timedelta(days=20))


def test_a_mailbox_that_was_invited_to_is_removed_softly_and_its_link_ends(house: House) -> None:
    made = do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    invite = the(Invite, mailbox__address__address=LEO)
    submit(kind("invites.issue", invite=str(invite.pk)), actor=SYSTEM, why="x", secrets={"link": "1" * 64},
           caused_by=made)  # fmt: skip
    back = undo(made.pk, actor=house.olive, why="x")
    assert back.stage == "applied", reasons(back)
    assert mailbox(LEO).removed_at == back.now and the(Invite, pk=invite.pk).ended_at == back.now
    with acting_as(house.olive):
        assert not Secret.objects.filter(owner_row=invite.pk).exists(), "no link outlives it"
        assert Address.objects.filter(address=LEO).exists(), "the address stays taken"


def test_a_mailbox_whose_owner_has_set_a_secret_loses_it_for_good(house: House) -> None:
    made = do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    redeemed(LEO)
    back = with_consent(house, undo(made.pk, actor=house.olive, why="x"))
    assert mailbox(LEO).removed_at
    with acting_as(house.olive):
        assert not Secret.objects.filter(owner_row=mailbox_id(LEO)).exists()
    forth = undo(back.pk, actor=house.olive, why="it was right")
    assert mailbox(LEO).removed_at is None and forth.stage == "applied"
    assert {because for table, because in left_out(forth) if table in ("secrets", "invites")} == {
        "access is given again, never rolled back to"
    }
    with acting_as(house.olive):
        assert not Secret.objects.filter(owner_row=mailbox_id(LEO)).exists(), "no sign-in until a new invite"


def mailbox_id(address: str) -> Any:
    return Mailbox.objects.get(address__address=address).pk


def test_a_suspension_is_a_field_and_the_secret_is_still_there(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    redeemed(LEO)
    suspended = do("mailboxes.suspend", house.olive, mailbox=LEO)
    undo(suspended.pk, actor=house.olive, why="x")
    with acting_as(house.olive):
        assert Secret.objects.filter(owner_row=mailbox_id(LEO), purpose="password").count() == 1
    assert mailbox(LEO).suspended_at is None


def test_a_removal_taken_back_brings_the_mailbox_and_not_its_secret(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    redeemed(LEO)
    removed = with_consent(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    back = undo(removed.pk, actor=house.olive, why="x")
    assert mailbox(LEO).removed_at is None
    assert [table for table, _ in left_out(back)] == ["secrets", "secrets"]
    assert {"kind": "invites.send", "params": {"mailbox": str(mailbox(LEO).pk)}} in again_for(house, back)


def test_what_was_removed_long_ago_comes_back_by_no_undo(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by `mailboxes.restore`: thirty days."""
    do("mailboxes.create", house.olive, address=LEO)
    removed = with_consent(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    monkeypatch.setattr(back, "RESTORABLE_DAYS", -1)
    with pytest.raises(NothingToDo):
        undo(removed.pk, actor=house.olive, why="x")
    assert mailbox(LEO).removed_at
    monkeypatch.undo()
    assert undo(removed.pk, actor=house.olive, why="x").version and mailbox(LEO).removed_at is None


def again_for(house: House, change: Change) -> list[Any]:
    """What would give again what was left out, as the pages and the API offer it."""
    with acting_as(house.oskar):
        return [one["again"] for one in whole(change.pk)["left_out"]]


def test_a_grant_that_ended_stays_ended(house: House) -> None:
    grant = str(the(Grant, role="client admin").pk)
    ended = do("grants.end", house.olive, grant=grant)
    with pytest.raises(NothingToDo):
        undo(ended.pk, actor=house.olive, why="x")
    assert the(Grant, pk=grant).ended_at == ended.now


def test_a_grant_that_was_given_is_ended_not_deleted(house: House) -> None:
    given = do("grants.give", house.olive, person="ada@northlight.example", role="auditor", client="acme")
    back = undo(given.pk, actor=house.olive, why="x")
    assert the(Grant, role="auditor", client__slug="acme").ended_at == back.now


def test_a_removed_person_comes_back_without_grants(house: House) -> None:
    removed = do("people.remove", house.oskar, person="henry@northlight.example")
    back = undo(removed.pk, actor=house.oskar, why="x")
    assert [table for table, _ in left_out(back)] == ["grants"]
    with acting_as(house.oskar):
        assert not Grant.objects.filter(person=house.henry.person, ended_at=None).exists()
    (again,) = again_for(house, back)
    given = do(again["kind"], house.oskar, **again["params"])
    assert given.version, reasons(given)


def test_an_alias_comes_and_goes(house: House) -> None:
    made = do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    undo(made.pk, actor=house.olive, why="x")
    with acting_as(house.olive):
        assert not Alias.objects.filter(address__address="sales@acme.example").exists()
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    removed = do("aliases.remove", house.olive, alias="sales@acme.example")
    undo(removed.pk, actor=house.olive, why="x")
    assert the(Alias, address__address="sales@acme.example").removed_at is None


def test_an_undo_stays_in_the_history_it_is_of(house: House) -> None:
    """A node's follow-ups are changes of clients, with versions of their own: version 2 there is another thing here."""
    for name in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=name)
    do("clients.create", house.olive, name="Homeless")
    joined = do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    placed = submit(kind("clients.place", client="homeless", node="mx3"), actor=SYSTEM, why="x", caused_by=joined)
    assert placed.version == 2
    with pytest.raises(NothingToDo):
        undo(joined.pk, actor=house.oskar, why="the wrong machine")
    with acting_as(SYSTEM):
        assert not Node.objects.filter(removed_at__isnull=False).exists()
