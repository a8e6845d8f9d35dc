"""Invites that wait: reminded once, redeemed by their owner alone, told of; and a VIP's link that nobody copies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import LINK, MIA, House, do, do_all, kind, reasons, redeemed, the, tick
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.pipeline import submit
from postroom.models import Due, Invite, Letter
from postroom.worker import letters

LEO = "leo@acme.example"
AFTER = timedelta(hours=48, seconds=5)


@pytest.fixture
def invite(house: House) -> Invite:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    return the(Invite, mailbox__address__address=LEO)


def issue(invite: Invite, by: Actor = SYSTEM, link: str = LINK) -> Any:
    return submit(kind("invites.issue", invite=str(invite.pk)), actor=by, why="x", secrets={"link": link})


def lines() -> list[Any]:
    with acting_as(SYSTEM):
        return list(Due.objects.filter(kind="invites.remind"))


def reminded(hours: float) -> list[str]:
    return [change.kind for change in tick(timezone.now() + timedelta(hours=hours)) if change.version]


def test_one_reminder_is_mailed_after_two_days_and_no_second(house: House, invite: Invite) -> None:
    issue(invite)
    assert len(lines()) == 1 and reminded(47.9) == []
    assert reminded(48.1) == ["invites.remind"]
    row = the(Invite, pk=invite.pk)
    assert row.reminded_at and row.remind_at is None and lines() == []
    issue(row, link="2" * 64)  # what the mail of the reminder does
    assert the(Invite, pk=invite.pk).remind_at is None and lines() == []
    assert reminded(500) == []


def test_the_reminder_is_a_mail_of_its_own_with_a_link_of_its_own(house: House, invite: Invite) -> None:
    from postroom.models import Delivery

    issue(invite)
    (change,) = tick(timezone.now() + AFTER)
    with acting_as(SYSTEM):
        assert Delivery.objects.filter(change=change, target="mail", object=invite.pk).count() == 1


@pytest.mark.parametrize("what", ["used", "cancelled", "copied", "sent again", "removed"])
def test_nobody_is_reminded_of_what_is_over_or_in_somebodys_hands(house: House, invite: Invite, what: str) -> None:
    issue(invite)
    if what == "used":
        secrets = {"password": "{HASH}p", "recovery code": "{HASH}c"}
        assert do("invites.redeem", Actor(None, "Leo", "link", LINK), secrets=secrets).version
    elif what == "cancelled":
        do("invites.cancel", house.olive, invite=str(invite.pk))
    elif what == "copied":
        assert issue(invite, house.olive, "2" * 64).version
    elif what == "sent again":
        do("invites.resend", house.olive, invite=str(invite.pk))
        issue(the(Invite, pk=invite.pk), link="2" * 64)
    else:
        from cast import with_consent

        with_consent(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    assert reminded(49) == [] and lines() == []


def test_only_the_clock_reminds(house: House, invite: Invite) -> None:
    issue(invite)
    assert do("invites.remind", house.olive, invite=str(invite.pk)).stage == "refused"
    assert do("invites.remind", CLOCK, invite=str(invite.pk)).version
    with pytest.raises(NothingToDo):
        do("invites.remind", CLOCK, invite=str(invite.pk))


def test_a_persons_invite_and_a_notice_have_no_reminder(house: House) -> None:
    do("people.invite", house.oskar, name="Nan", email="nan@northlight.example")
    issue(the(Invite, person__email="nan@northlight.example"))
    assert lines() == []


def test_the_contact_is_told_of_each_redemption(house: House, invite: Invite) -> None:
    redeemed(LEO)
    letter = the(Letter, says="redeemed")
    assert (letter.contact, letter.about, letter.client_id) == ("leo@home.example", LEO, invite.client_id)
    do("mailboxes.suspend", house.olive, mailbox=LEO)
    change = do("mailboxes.resume", house.olive, mailbox=LEO)
    said = letters.redeemed(letter, change)
    assert LEO in said.get_content() and "was used" in said["Subject"] and LINK not in said.as_string()


def test_the_link_of_a_vip_is_mailed_and_nobody_copies_it(house: House, invite: Invite) -> None:
    assert issue(invite, house.olive).version
    changed = do("mailboxes.change", house.olive, mailbox=LEO, vip=True)
    assert changed.version, (changed.stage, reasons(changed))
    for who in (house.olive, house.oskar, house.carl):
        refused = issue(invite, who, "3" * 64)
        assert refused.stage == "refused" and "nobody copies it" in reasons(refused)
    assert issue(invite, SYSTEM, "4" * 64).version, "the mail goes"


def test_invites_are_sent_in_bulk_to_the_contacts_that_are_known(house: House) -> None:
    do_all("mailboxes.create", house.olive, [
        {"address": f"b{n}@acme.example", "contact": f"b{n}@home.example"} for n in range(12)])  # fmt: skip
    change = do_all("invites.send", house.olive, [{"mailbox": f"b{n}@acme.example"} for n in range(12)])
    assert change.version
    with acting_as(SYSTEM):
        open_ones = Invite.objects.filter(mailbox__isnull=False, used_at=None, ended_at=None)
        assert sorted(open_ones.values_list("contact", flat=True)) == sorted(f"b{n}@home.example" for n in range(12))
    with pytest.raises(Problems, match=f"no contact of {MIA}"):
        do_all("invites.send", house.olive, [{"mailbox": "b0@acme.example"}, {"mailbox": MIA}])
    assert do("invites.send", house.olive, mailbox=MIA, contact="mia@home.example").version
