"""No way to a mailbox that has an owner's secret goes past the owner: not by a link, a restore, or from below."""

import pytest

from cast import MIA, House, do, kind, owner_of, reasons, redeemed, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import Invite, Letter, Mailbox, Verification


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
    for name in ("mailboxes.suspend", "mailboxes.remove"):
        refused = do(name, house.olive, mailbox=MIA)
        assert refused.stage == "refused" and "stands above you" in reasons(refused)
    assert do("mailboxes.suspend", house.oskar, mailbox=MIA).stage == "applied"


def test_undos_are_not_listed_so_that_none_hides_behind_another(house: House) -> None:
    own = do("mailboxes.change", house.carl, mailbox=MIA, quota_mb=7)
    other = do("clients.suspend", house.olive, client="acme")
    with pytest.raises(Problems, match="one undo at a time"):
        submit([kind("history.roll_back", change=str(c.pk)) for c in (own, other)], actor=house.carl, why="a test")


def test_the_mark_of_a_vip_is_taken_off_by_two(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    assert do("mailboxes.change", house.carl, mailbox=MIA, vip=False).stage == "held"


def test_the_mail_of_a_removed_mailbox_is_not_got_at_by_one_person(house: House) -> None:
    """Restored to the same contact it is its owner's again; the link goes nowhere else, and nobody copies it."""
    box = "new@acme.example"
    do("mailboxes.create", house.olive, address=box, contact="new@home.test")
    redeemed(box)
    removed = do("mailboxes.remove", house.olive, mailbox=box)
    approve(removed.pk, actor=house.ada, plan_hash=removed.plan_hash)
    assert do("mailboxes.restore", house.carl, mailbox=box).stage == "applied"
    invite = str(the(Invite, mailbox__address__address=box, ended_at=None, used_at=None).pk)
    copied = do("invites.issue", house.carl, invite=invite, secrets={"link": "x"})
    assert copied.stage == "refused" and "nobody copies it" in reasons(copied)
    for kind_, params in (
        ("invites.redirect", {"invite": invite, "contact": "carl@home.test"}),
        ("invites.send", {"mailbox": box, "contact": "carl@home.test"}),
    ):
        assert do(kind_, house.carl, **params).stage == "held"


def test_who_belongs_to_a_client_holds_no_role_above_it(house: House) -> None:
    do("people.invite", house.oskar, name="Cleo", email="cleo@acme.example", client="acme")
    with pytest.raises(Problems, match="belongs to a client"):
        do("grants.give", house.oskar, person="cleo@acme.example", role="owner")


def test_a_person_goes_when_the_roles_at_clients_have_ended(house: House) -> None:
    with pytest.raises(Problems, match="holds roles at acme"):
        do("people.remove", house.oskar, person="carl@northlight.example")


def test_who_an_invite_was_led_to_is_reached_from_then_on_and_who_was_named_first_is_not(house: House) -> None:
    """A typing mistake that was mended would else get the link of every later reset."""
    box, right, typo = "leo@acme.example", "leo@right.test", "typo@wrong.test"
    do("mailboxes.create", house.olive, address=box, contact=typo)
    invite = str(the(Invite, mailbox__address__address=box, ended_at=None).pk)
    led = do("invites.redirect", house.olive, invite=invite, contact=right)
    assert led.version and the(Mailbox, address__address=box).contact == right, reasons(led)
    redeemed(box)
    assert do("resets.start", house.henry, mailbox=box, ticket="T").version
    session = str(the(Verification).pk)
    assert do("resets.vouch", house.carl, verification=session, answer="right").version
    with pytest.raises(Problems, match="nobody was reached before"):
        do("resets.send_link", house.olive, verification=session, contact=typo)
    sent = do("resets.send_link", house.olive, verification=session, contact=right)
    assert sent.version, reasons(sent)
    assert do("secrets.change", owner_of(box), secrets={"password": "{HASH}new"}).version
    with acting_as(SYSTEM):
        told = set(Letter.objects.filter(says="password changed").values_list("contact", flat=True))
    assert told == {box, right}


def test_the_contact_of_what_was_ever_set_up_goes_back_by_nobodys_own_undo(house: House) -> None:
    """As long as nobody has set a secret, the contact moves with the link on one person's word; then no more."""
    box = "leo@acme.example"
    do("mailboxes.create", house.olive, address=box, contact="thief@evil.test")
    invite = str(the(Invite, mailbox__address__address=box, ended_at=None).pk)
    led = do("invites.redirect", house.olive, invite=invite, contact="leo@home.test")
    redeemed(box)
    back = undo(led.pk, actor=house.olive, why="a slip")
    assert back.stage == "held" and "gives a mailbox, its mail in it, to thief@evil.test" in reasons(back)
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=box))
    assert do("mailboxes.restore", house.olive, mailbox=box).version
    back = undo(led.pk, actor=house.olive, why="a slip")
    assert back.stage == "held" and "gives a mailbox" in reasons(back), "nor when it has no secret again"


def test_a_link_sent_anew_names_who_is_reached(house: House) -> None:
    assert do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test").version
    assert the(Mailbox, address__address=MIA).contact == "mia@home.test"
    assert do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.test").version, "nobody has set a secret yet"
    assert the(Mailbox, address__address=MIA).contact == "mia@desk.test"
    given = do("mailboxes.transfer", house.olive, mailbox=MIA, contact="next@home.test")
    assert given.stage == "held" and "gives a mailbox" in reasons(given), "a transfer waits for a second person always"
