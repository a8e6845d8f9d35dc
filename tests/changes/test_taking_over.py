"""No way to a mailbox that has an owner's secret goes past the owner: not by a link, a restore, or from below."""

import pytest

from cast import MIA, House, do, reasons, redeemed
from postroom.changes.approvals import approve
from postroom.changes.errors import Problems


def test_nobody_is_invited_to_a_mailbox_whose_owner_has_set_a_secret(house: House) -> None:
    box = "new@acme.example"
    do("mailboxes.create", house.olive, address=box, contact="new@home.test")
    redeemed(box)
    with pytest.raises(Problems, match="verified first"):
        do("invites.send", house.carl, mailbox=box, contact="carl@home.test")


def test_a_restored_mailbox_for_another_contact_waits_for_a_second_person(house: House) -> None:
    removed = do("mailboxes.remove", house.olive, mailbox=MIA)
    approve(removed.pk, actor=house.ada, plan_hash=removed.plan_hash)
    back = do("mailboxes.restore", house.carl, mailbox=MIA, contact="carl@home.test")
    assert back.stage == "held" and "carl@home.test" in reasons(back)


def test_nobody_touches_the_mailbox_of_somebody_above_them(house: House) -> None:
    do("mailboxes.change", house.oskar, mailbox=MIA, owner="owner@northlight.example")
    for kind in ("mailboxes.suspend", "mailboxes.remove"):
        refused = do(kind, house.olive, mailbox=MIA)
        assert refused.stage == "refused" and "stands above you" in reasons(refused)
    assert do("mailboxes.suspend", house.oskar, mailbox=MIA).stage == "applied"
