"""A mailbox set up by hand: it takes mail at once, its link is mailed to nobody; how it becomes its owner's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from api.conftest import Caller
from cast import LINK, House, do, kind, let_in, reasons, the
from fake_dovecot import FakeDovecot
from mail_nodes import Node
from mailbox_owner import WORDS, signs_in, taken
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import draw
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import Credential, Delivery, Finding, Invite, Letter, Mailbox, RecoveryChannel
from postroom.posture import run
from postroom.posture.checks.by_hand import BY_HAND
from web.visitors import visitor

LEO, HOME = "leo@acme.example", "leo@home.example"
GOOD = {"password": WORDS, "again": WORDS, "accept": "yes"}
SECRETS = {"password": "{HASH}p", "recovery code": "{HASH}c"}


@pytest.fixture
def invite(house: House) -> Invite:
    do("mailboxes.create", house.olive, address=LEO, by_hand=True)
    return the(Invite, mailbox__address__address=LEO)


def copied(invite: Invite, by: Actor) -> str:
    """The token of a link that an operator makes to hand over."""
    token, hashed = draw()
    made = submit(kind("invites.issue", invite=str(invite.pk)), actor=by, why="x", secrets={"link": hashed})
    assert made.version, reasons(made)
    return token


def opens(token: str, browser: Client | None = None) -> Client:
    browser = browser or visitor()
    assert browser.get(f"/invite/{token}")["Location"] == "/invite/"
    return browser


def sets(token: str, **more: str) -> Any:
    return opens(token).post("/invite/", {**GOOD, "recovery": HOME, **more})


def confirmed() -> None:
    token, hashed = draw()
    asked = the(Invite, confirms__value=HOME)
    made = kind("recovery_channels.issue", confirmation=str(asked.pk))
    assert submit(made, actor=SYSTEM, why="x", secrets={"link": hashed}).version
    browser = visitor()
    browser.get(f"/confirm/{token}")
    assert browser.post("/confirm/").status_code == 200


def findings(at: datetime | None = None) -> list[Finding]:
    from postroom.posture.findings import observed

    if at is None:
        run.run(BY_HAND)
    else:
        observed(BY_HAND.name, BY_HAND.look(at).found, at=at)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="mailboxes.by_hand", closed_at=None))


# What it is


def test_it_is_a_mailbox_like_any_other_with_a_link_that_nobody_is_mailed(house: House, invite: Invite) -> None:
    with acting_as(SYSTEM):
        made = Delivery.objects.filter(object=invite.pk)
        assert not made.filter(target="mail").exists()
        mailbox = Mailbox.objects.get(address__address=LEO)
        assert Delivery.objects.filter(target="nodes", change__kind="mailboxes.create").exists(), "the node has it"
    assert mailbox.contact == "" and not invite.by_mail and invite.until is None
    assert "receive" in Mailbox.opens(mailbox.row())


def test_a_mailbox_that_is_there_already_is_handed_over_so_too(house: House, invite: Invite) -> None:
    do("mailboxes.create", house.olive, address="nia@acme.example")
    assert do("invites.send", house.olive, mailbox="nia@acme.example", by_hand=True).version
    nia = the(Invite, mailbox__address__address="nia@acme.example", ended_at=None)
    assert not nia.by_mail
    assert do("invites.send", house.olive, mailbox=LEO, contact=HOME).version, "or mailed after all"
    assert the(Invite, pk=invite.pk).ended_at


def test_it_is_neither_sent_nor_reminded_of_but_may_go_to_somebody_by_mail(house: House, invite: Invite) -> None:
    copied(invite, house.olive)
    assert the(Invite, pk=invite.pk).remind_at is None
    with pytest.raises(Problems, match="handed over by hand"):
        do("invites.resend", house.olive, invite=str(invite.pk))
    assert do("invites.redirect", house.olive, invite=str(invite.pk), contact=HOME).version
    with acting_as(SYSTEM):
        assert Delivery.objects.filter(target="mail", object=the(Invite, contact=HOME).pk).exists()


def test_a_shared_one_has_no_link(house: House) -> None:
    with pytest.raises(Problems, match="no sign-in of its own"):
        do("mailboxes.create", house.olive, address=LEO, kind="shared", by_hand=True)


def test_a_vips_is_mailed_and_never_handed_over(house: House) -> None:
    refused = do("mailboxes.create", house.olive, address=LEO, vip=True, by_hand=True)
    assert refused.stage == "refused" and "nobody copies it" in reasons(refused)
    assert do("mailboxes.create", house.olive, address=LEO, vip=True, contact=HOME).stage != "refused"
    do("mailboxes.create", house.olive, address="nia@acme.example", vip=True)
    refused = do("invites.send", house.olive, mailbox="nia@acme.example", by_hand=True)
    assert refused.stage == "refused" and "nobody copies it" in reasons(refused)


# Where it stands


def test_the_board_its_page_and_a_finding_say_so_with_its_age(house: House, invite: Invite) -> None:
    for url in ("/invites/", f"/mailboxes/{LEO}/", "/mailboxes/"):
        said = unescape(visitor(house.olive).get(url).content.decode())
        assert "set up by hand, not yet its owner's" in said, url
    said = unescape(visitor(house.olive).get("/invites/").content.decode())
    assert "Copy link" in said and f"/do/invites.resend/?invite={invite.pk}" not in said
    (item,) = Caller(house.olive).get(f"/invites?mailbox={LEO}").json()["items"]
    assert item["by_mail"] is False and item["mail"] is None
    (one,) = findings()
    assert (one.severity, one.label, one.kind) == ("medium", LEO, "invites.send")
    (one,) = findings(datetime.now(UTC) + timedelta(days=8))
    assert one.severity == "high" and one.evidence["days"] == 8


def test_it_is_found_until_a_way_back_in_is_confirmed(house: House, invite: Invite) -> None:
    token = copied(invite, house.olive)
    assert sets(token).status_code == 200
    (one,) = findings()
    assert one.evidence["left"] == "its way back in is not confirmed" and one.kind == ""
    confirmed()
    assert findings() == []


@pytest.mark.parametrize("how", ["cancelled", "mailed after all", "removed"])
def test_it_is_no_finding_when_it_is_over_otherwise(house: House, invite: Invite, how: str) -> None:
    assert len(findings()) == 1
    if how == "cancelled":
        do("invites.cancel", house.olive, invite=str(invite.pk))
    elif how == "removed":
        from cast import with_consent

        with_consent(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    else:
        do("invites.send", house.olive, mailbox=LEO, contact=HOME)
    assert findings() == []


# How it becomes its owner's


def test_copying_again_voids_what_was_handed_over(house: House, invite: Invite) -> None:
    first, second = copied(invite, house.olive), copied(invite, house.olive)
    assert sets(first).status_code == 410
    assert sets(second).status_code == 200


def test_whoever_runs_the_service_does_not_use_it_from_their_own_session(house: House, invite: Invite) -> None:
    token = copied(invite, house.olive)
    browser = opens(token, visitor(house.olive))
    for answer in (browser.get("/invite/"), browser.post("/invite/", {**GOOD, "recovery": HOME})):
        assert answer.status_code == 403 and b"not for you" in answer.content
    assert the(Invite, pk=invite.pk).used_at is None
    assert sets(token).status_code == 200, "it stays good for its owner"


@pytest.mark.parametrize(("said", "why"), [
    ("", "string"), (LEO, "whoever cannot get into the mailbox"), ("nonsense", "country"), ("a@b@c", "@"),
])  # fmt: skip
def test_the_owner_names_a_way_back_in_with_the_password(house: House, invite: Invite, said: str, why: str) -> None:
    token = copied(invite, house.olive)
    browser = opens(token)
    assert b"A way back in" in browser.get("/invite/").content
    answer = browser.post("/invite/", {**GOOD, "recovery": said})
    assert answer.status_code == 422, answer.content.decode()
    assert the(Invite, pk=invite.pk).used_at is None
    assert browser.post("/invite/", {**GOOD, "recovery": HOME}).status_code == 200
    assert the(RecoveryChannel, value=HOME).confirmed_at is None


def test_a_program_that_asks_for_none_is_refused(house: House, invite: Invite) -> None:
    submit(kind("invites.issue", invite=str(invite.pk)), actor=house.olive, why="x", secrets={"link": LINK})
    with pytest.raises(Problems, match="name an address"):
        do("invites.redeem", Actor(None, "Leo", "link", LINK), secrets=SECRETS)


def test_of_a_mailed_link_none_is_asked(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact=HOME)
    token = copied(the(Invite, contact=HOME), house.olive)
    browser = opens(token)
    assert b"A way back in" not in browser.get("/invite/").content
    assert browser.post("/invite/", GOOD).status_code == 200
    assert findings() == []


@pytest.mark.parametrize(("contact", "security", "told"), [
    (HOME, "sec@acme.test", HOME), (None, "sec@acme.test", "sec@acme.test"), (None, None, LEO),
])  # fmt: skip
def test_its_use_is_told(house: House, contact: str | None, security: str | None, told: str) -> None:
    if security:
        do("clients.change", house.oskar, client="acme", security_contact=security)
    do("mailboxes.create", house.olive, address=LEO, by_hand=True, **({"contact": contact} if contact else {}))
    sets(copied(the(Invite, mailbox__address__address=LEO), house.olive), recovery="back@home.test")
    assert the(Letter, says="redeemed").contact == told


def test_until_it_is_confirmed_its_owner_sees_one_thing_and_lets_nothing_in(
    house: House, invite: Invite, mx1: Node, dovecot: FakeDovecot
) -> None:
    assert sets(copied(invite, house.olive)).status_code == 200
    taken(mx1)
    dovecot.passwords[LEO] = WORDS
    browser = visitor()
    assert signs_in(LEO, browser=browser)["Location"] == "/mailbox/"
    page = browser.get("/mailbox/").content.decode()
    assert "One step is left" in page and HOME in page and "app password" not in page.lower()
    mailbox = the(Mailbox, address__address=LEO)
    owner = Actor(None, "the mailbox's owner", "owner", mailbox=mailbox.pk, epoch=mailbox.access_epoch)
    asked = kind("app_passwords.create", name="phone", protocols=["imap"])
    with pytest.raises(Problems, match="confirm a way back in first"):
        submit(asked, actor=owner, why="x", secrets={"app password": "y"})
    with pytest.raises(Problems, match="confirm a way back in first"):
        let_in(house, LEO, "Laptop")
    with acting_as(SYSTEM):
        assert not Credential.objects.exists()
    confirmed()
    let_in(house, LEO, "Laptop")
    page = browser.get("/mailbox/").content.decode()
    assert "One step is left" not in page and "Is anything strange?" in page
    assert submit(asked, actor=owner, why="x", secrets={"app password": "y"}).version
