"""No way to a mailbox that has an owner's secret goes past the owner: not by a link, a restore, or from below."""

from datetime import timedelta

import pytest

from cast import MIA, House, do, kind, owner_of, reachable, reasons, redeemed, the, with_consent
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problems
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
    """Restored to the same contact it is its owner's again; the link goes nowhere else, whoever would agree to it,
    and nobody copies it."""
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
        elsewhere = do(kind_, house.carl, **params)
        assert elsewhere.stage == "refused" and "mailboxes.transfer" in reasons(elsewhere), kind_


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


@pytest.fixture
def removed(house: House) -> House:
    """Mia set it up, gets back in at home, and it was removed."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.test")
    redeemed(MIA)
    reachable(house, MIA, "mia@home.test", link="a" * 64)
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    return house


def test_a_mailbox_that_had_an_owner_is_restored_for_nobody_else(removed: House) -> None:
    """Whoever agreed to it: what its owner gets back in by would lead into what is another's by then."""
    with pytest.raises(Problems, match=r"it has an owner: restore it as it was, then mailboxes\.transfer"):
        do("mailboxes.restore", removed.olive, mailbox=MIA, contact="new@person.test")
    assert do("mailboxes.restore", removed.olive, mailbox=MIA).version
    with_consent(removed, do("mailboxes.transfer", removed.olive, mailbox=MIA, contact="new@person.test"))
    redeemed(MIA)
    before = open_links()
    with pytest.raises(NothingToDo):
        do("mailboxes.forgot", CLOCK, email=MIA)
    assert open_links() == before == [], "the owner before gets no link to what is another's"


def open_links() -> list[str]:
    with acting_as(SYSTEM):
        return list(Invite.objects.filter(mailbox__address__address=MIA, ended_at=None, used_at=None)
                    .values_list("contact", flat=True))  # fmt: skip


def test_its_owner_gets_it_restored_where_they_get_back_in_by_two(removed: House) -> None:
    with_consent(removed, do("mailboxes.restore", removed.olive, mailbox=MIA, contact="mia@home.test"))
    assert open_links() == ["mia@home.test"]
    invite = str(the(Invite, mailbox__address__address=MIA, ended_at=None, used_at=None).pk)
    young = reachable(removed, MIA, "mia@new.test", link="b" * 64, ago=timedelta(days=6)).value
    led = do("invites.redirect", removed.olive, invite=invite, contact=young)
    assert led.stage == "refused", "it counts when they could object for a week"


def test_one_among_many_that_is_refused_refuses_all(removed: House) -> None:
    assert do("mailboxes.restore", removed.olive, mailbox=MIA).version
    restored_too(removed)
    reachable(removed, "leo@acme.example", "leo@home.test", link="b" * 64)
    sent = [kind("invites.send", mailbox="leo@acme.example", contact="leo@home.test"),
            kind("invites.send", mailbox=MIA, contact="thief@evil.test")]  # fmt: skip
    change = submit(sent, actor=removed.olive, why="a test")
    assert change.stage == "refused" and "thief@evil.test is none of theirs" in reasons(change)


def restored_too(house: House) -> None:
    """Leo had set his up, and it is restored."""
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@desk.test")
    redeemed("leo@acme.example")
    with_consent(house, do("mailboxes.remove", house.olive, mailbox="leo@acme.example"))
    assert do("mailboxes.restore", house.olive, mailbox="leo@acme.example").version


def test_what_was_found_out_about_an_owner_ends_with_the_mailbox_and_its_undo_goes_through(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.test")
    redeemed(MIA)
    assert do("resets.start", house.henry, mailbox=MIA, ticket="T").version
    gone = with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    ended = the(Verification).ended_at
    assert ended is not None
    back = undo(gone.pk, actor=house.olive, why="a slip")
    assert back.version, reasons(back)
    assert the(Mailbox, address__address=MIA).removed_at is None and the(Verification).ended_at == ended
