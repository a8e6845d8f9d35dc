"""A mailbox goes to another owner: what the old one held is dead, the new one is invited, both hear of it."""

import pytest

from cast import MIA, House, app_password, do, person, reachable, reasons, redeemed, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.errors import Problems
from postroom.models import Credential, Invite, Letter, Mailbox, RecoveryChannel, Secret, Verification

BOX, OLD, NEW = "lea@acme.example", "lea@home.test", "lou@home.test"


@pytest.fixture
def owned(house: House) -> House:
    do("mailboxes.create", house.olive, address=BOX, contact=OLD)
    redeemed(BOX)
    return house


def test_the_old_owners_secrets_die_and_the_new_one_is_invited(owned: House) -> None:
    before = the(Mailbox, address__address=BOX)
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW, name="Lou")
    assert held.stage == "held" and f"gives a mailbox, its mail in it, to {NEW}" in reasons(held)
    with acting_as(SYSTEM):
        assert Secret.objects.filter(owner_row=before.pk).count() == 2, "nothing happens before a second person agrees"
    done = approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash)
    assert done.version, reasons(done)
    after = the(Mailbox, address__address=BOX)
    assert (after.contact, after.name, after.access_epoch) == (NEW, "Lou", before.access_epoch + 1)
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(owner_row=before.pk).exists()
        links = Invite.objects.filter(mailbox=before.pk, used_at=None, ended_at=None)
        assert [one.contact for one in links] == [NEW]
        told = Letter.objects.filter(says="transferred", about=BOX).values_list("contact", flat=True)
        assert sorted(told) == sorted([OLD, NEW])


def test_app_passwords_and_ways_back_in_end_with_the_old_owner(owned: House) -> None:
    app_password(BOX, "phone")
    reachable(owned, BOX, "old@private.test", link="0d" * 32)
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    assert held.stage == "held", reasons(held)
    assert approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash).version
    with acting_as(SYSTEM):
        assert not Credential.objects.filter(mailbox__address__address=BOX, ended_at=None).exists()
        assert not RecoveryChannel.objects.filter(mailbox__address__address=BOX, ended_at=None).exists()
        assert Letter.objects.filter(mailbox__address__address=BOX, contact="old@private.test").exists()


def test_what_was_found_out_about_the_old_owner_releases_nothing_for_the_new(owned: House) -> None:
    do("resets.start", owned.henry, mailbox=BOX, ticket="T")
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    assert held.stage == "held", reasons(held)
    assert approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash).version
    assert the(Verification, mailbox__address__address=BOX).ended_at is not None


def test_nobody_copies_the_new_owners_link_and_it_goes_nowhere_else(owned: House) -> None:
    held = do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=NEW)
    approve(held.pk, actor=owned.ada, plan_hash=held.plan_hash)
    invite = str(the(Invite, mailbox__address__address=BOX, ended_at=None, used_at=None).pk)
    assert do("invites.issue", owned.olive, invite=invite, secrets={"link": "x"}).stage == "refused"
    elsewhere = do("invites.redirect", owned.olive, invite=invite, contact="olive@home.test")
    assert elsewhere.stage == "refused" and "mailboxes.transfer" in reasons(elsewhere)


def test_an_owner_who_signs_in_here_is_told_at_their_own_address(house: House) -> None:
    do("people.invite", house.oskar, name="Lea", email="lea@acme.test", client="acme")
    do("mailboxes.create", house.olive, address=BOX, contact=OLD, owner="lea@acme.test")
    redeemed(BOX)
    held = do("mailboxes.transfer", house.olive, mailbox=BOX, contact=NEW)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="transferred").values_list("contact", flat=True))
    assert told == {OLD, NEW, "lea@acme.test"} and the(Mailbox, address__address=BOX).owner_id is None


@pytest.mark.parametrize("contact, words", [(BOX, "cannot read it there"), (OLD, "a reset, not a transfer")])
def test_no_transfer_to_the_mailbox_itself_or_to_whom_it_has(owned: House, contact: str, words: str) -> None:
    with pytest.raises(Problems, match=words):
        do("mailboxes.transfer", owned.olive, mailbox=BOX, contact=contact)


def test_a_shared_mailbox_has_no_owner_to_change(house: House) -> None:
    do("mailboxes.create", house.olive, address="all@acme.example", kind="shared")
    with pytest.raises(Problems, match="it is shared"):
        do("mailboxes.transfer", house.olive, mailbox="all@acme.example", contact=NEW)


def test_an_owner_is_not_exchanged_by_a_mere_change(house: House) -> None:
    for name in ("lea", "lou"):
        do("people.invite", house.oskar, name=name, email=f"{name}@acme.test", client="acme")
    do("mailboxes.change", house.olive, mailbox=MIA, owner="lea@acme.test")
    with pytest.raises(Problems, match=r"mailboxes\.transfer"):
        do("mailboxes.change", house.olive, mailbox=MIA, owner="lou@acme.test")
    assert do("mailboxes.change", house.olive, mailbox=MIA, owner="lea@acme.test", quota_mb=7).version
    assert the(Mailbox, address__address=MIA).owner_id == person("lea@acme.test", house.oskar).person


def test_who_set_it_up_by_a_link_sent_later_is_told_too(house: House) -> None:
    do("mailboxes.create", house.olive, address=BOX)
    do("invites.send", house.olive, mailbox=BOX, contact=OLD)
    redeemed(BOX)
    with_consent(house, do("mailboxes.transfer", house.olive, mailbox=BOX, contact=NEW))
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="transferred").values_list("contact", flat=True))
    assert told >= {OLD, NEW}
