"""The board of pending invites: age, mail, link, reminder, acts, also on several at once; and whose a link is not."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from visitors import login, visitor

from api.conftest import Caller
from cast import MIA, House, do, do_all, kind, the, tick
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import draw
from postroom.changes.pipeline import submit
from postroom.models import Delivery, Invite, Mailbox, Person, RecordedEdit
from postroom.web.step_up import BY_LINK

LEO, NIA = "leo@acme.example", "nia@acme.example"
GOOD = {"password": "two plain words more", "again": "two plain words more", "accept": "yes"}


@pytest.fixture
def invite(house: House) -> Invite:
    do("mailboxes.create", house.olive, address=LEO, name="Leo", contact="leo@home.example")
    return the(Invite, mailbox__address__address=LEO)


def link_of(invite: Invite, by: Actor = SYSTEM) -> str:
    token, hashed = draw()
    made = submit(kind("invites.issue", invite=str(invite.pk)), actor=by, why="x", secrets={"link": hashed})
    assert made.version
    return token


def board(who: Actor, query: str = "") -> str:
    answer = visitor(who).get(f"/invites/{query}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def handed_over(invite: Invite, **more: Any) -> None:
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="mail", object=invite.pk).update(**more)


def test_the_board_says_how_long_it_waits_what_became_of_the_mail_and_when_it_is_reminded(
    house: House, invite: Invite
) -> None:
    said = board(house.olive)
    assert "on its way" in said and "not sent yet" in said and " s<" in said and "leo@home.example" in said
    handed_over(invite, why="our own submission at 127.0.0.1:1: refused")
    assert "not handed over yet" in board(house.olive) and "127.0.0.1:1: refused" in board(house.olive)
    link_of(invite)
    handed_over(invite, done=True, why="", evidence=[{"question": "q", "answer": "250 2.0.0 Ok: queued as 4XyZ"}])
    (item,) = Caller(house.olive).get(f"/invites?mailbox={LEO}").json()["items"]
    assert item["mail"] == {"handed_over": True, "answer": "250 2.0.0 Ok: queued as 4XyZ", "why": None,
                            "state": None, "status": None, "said": None, "said_at": None}  # fmt: skip
    said = board(house.olive)
    assert "handed over" in said and "queued as 4XyZ" in said and "good until" in said and "reminder " in said
    assert "invites.remind" in [change.kind for change in tick(timezone.now() + timedelta(hours=49))]
    assert "reminded " in board(house.olive)
    for name in ("Send again", "Copy link", "Other recipient", "Cancel…"):
        assert name in said
    assert "Send again" not in board(house.audrey) and LEO in board(house.audrey)


def test_it_is_narrowed_by_how_the_link_stands(house: House, invite: Invite) -> None:
    do("mailboxes.create", house.olive, address=NIA, contact="nia@home.example")
    link_of(invite)
    for state, shown, hidden in (("good", LEO, NIA), ("unsent", NIA, LEO)):
        said = board(house.olive, f"?state={state}").partition("<main")[2]
        assert shown in said and hidden not in said, state
    assert LEO not in board(house.olive, "?state=over").partition("<main")[2]


def test_several_are_sent_again_or_cancelled_at_once(house: House) -> None:
    do_all("mailboxes.create", house.olive, [
        {"address": f"b{n}@acme.example", "contact": f"b{n}@home.example"} for n in range(3)])  # fmt: skip
    with acting_as(SYSTEM):
        ids = [str(pk) for pk in Invite.objects.filter(mailbox__isnull=False).values_list("pk", flat=True)]
    browser = visitor(house.olive)
    for act, column in (("invites.resend", "asked"), ("invites.cancel", "ended_at")):
        chosen = browser.post("/do/", {"act": act, "invite": ids})
        assert chosen.status_code == 302 and urlsplit(chosen["Location"]).path == f"/do/{act}/"
        form = browser.get(chosen["Location"]).content.decode()
        assert all(one in form for one in ids)
        change = do_all(act, house.olive, [{"invite": one} for one in ids])
        assert change.version
        with acting_as(SYSTEM):
            assert all(Invite.objects.filter(pk__in=ids).values_list(column, flat=True)), act


def test_mailboxes_that_were_chosen_are_invited_by_the_contacts_that_are_known(house: House, invite: Invite) -> None:
    do("invites.cancel", house.olive, invite=str(invite.pk))
    browser = visitor(house.olive)
    assert "Send invites…" in browser.get("/mailboxes/").content.decode()
    to = browser.post("/do/", {"act": "invites.send", "mailbox": [LEO, MIA]})["Location"]
    assert LEO in unescape(browser.get(to).content.decode())


def test_of_a_vip_no_link_is_offered_for_copying_nor_made(house: House, invite: Invite) -> None:
    assert "Copy link" in board(house.olive, "?q=leo@acme")
    do("mailboxes.change", house.olive, mailbox=LEO, vip=True)
    said = board(house.olive, "?q=leo@acme")
    assert "VIP" in said and "Copy link" not in said
    answer = visitor(house.olive).post(f"/invites/{invite.pk}/link/", {"why": "on the phone"})
    assert answer.status_code == 422 and "nobody copies it" in unescape(answer.content.decode())


@pytest.mark.parametrize("who", ["oskar", "olive", "ada", "henry", "audrey"])
def test_nobody_who_runs_the_service_and_is_signed_in_uses_the_link_of_somebody_else(
    house: House, invite: Invite, who: str
) -> None:
    token, browser = link_of(invite), visitor(getattr(house, who))
    browser.get(f"/invite/{token}")
    for ask in (browser.get, lambda at: browser.post(at, GOOD)):
        answer = ask("/invite/")
        assert answer.status_code == 403 and "not for you" in answer.content.decode()
    row = the(Invite, pk=invite.pk)
    assert row.used_at is None and not the(Mailbox, address__address=LEO).access_epoch
    with acting_as(SYSTEM):
        said = RecordedEdit.objects.filter(said="refused", client=invite.client_id).latest("entry_id")
    assert said.after["permission"] == "invites.redeem" and said.after["name"] == getattr(house, who).name
    owner = visitor()
    owner.get(f"/invite/{token}")
    assert owner.post("/invite/", GOOD).status_code == 200, "the owner's own device"
    assert the(Invite, pk=invite.pk).used_at


def test_a_client_admin_and_who_is_invited_themselves_use_their_links(house: House, invite: Invite) -> None:
    browser = visitor(house.carl)
    browser.get(f"/invite/{link_of(invite)}")
    assert browser.get("/invite/").status_code == 200, "Carl runs nothing"
    do("people.invite", house.oskar, name="Nan", email="nan@northlight.example")
    own = the(Invite, person__email="nan@northlight.example")
    for name, code in (("oskar", 403), ("nan", 200)):
        browser = visitor()
        if name == "oskar":
            browser = visitor(house.oskar)
        browser.get(f"/invite/{link_of(own)}")
        assert browser.get("/invite/").status_code == code, name
    nan = Actor(the(Person, email="nan@northlight.example").pk, "Nan")
    do("grants.give", house.oskar, person="nan@northlight.example", role="auditor")
    signed_in = visitor()
    signed_in.force_login(login(nan), backend="allauth.account.auth_backends.AuthenticationBackend")
    session = signed_in.session
    session[BY_LINK] = True
    session.save()
    signed_in.get(f"/invite/{link_of(own)}")
    assert signed_in.get("/invite/").status_code == 200
