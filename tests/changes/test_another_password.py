"""A password that others know: the mailbox opens again with another one alone, which its owner sets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from cast import MIA, House, app_password, do, person, reachable, reasons, redeemed, the
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as, owner_at
from postroom.changes.errors import Problems
from postroom.models import Change, Credential, Invite, Letter, Mailbox, Secret
from postroom.worker import owner_letters
from web.visitors import visitor

HOME, YOUNG, OFFICE = "mia@home.example", "young@home.example", "security@acme.test"
CONTACT = "mia@desk.example"
Sql = Callable[..., Any]


def aged(sql: Sql, mailbox: Mailbox, days: int = 8) -> None:
    """Its recovery code was made so long ago."""
    sql("SELECT set_config('postroom.change', 'x', false)",
        f"UPDATE secrets SET made = date_trunc('second', now()) - interval '{days} days'"
        f" WHERE owner_row = '{mailbox.pk}' AND purpose = 'recovery code'")  # fmt: skip


@pytest.fixture
def mia(house: House, sql: Sql) -> Mailbox:
    """Hers for eight days, with a recovery address that counts and one that does not yet; suspended on evidence."""
    do("clients.change", house.olive, client="acme", security_contact=OFFICE)
    do("invites.send", house.olive, mailbox=MIA, contact=CONTACT)
    redeemed(MIA)
    box = the(Mailbox, address__address=MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    reachable(house, MIA, YOUNG, link="b" * 64, ago=timedelta(days=6))
    app_password(MIA, "Phone")
    aged(sql, box)
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    return the(Mailbox, pk=box.pk)


def compelled(by: Actor) -> Change:
    return do("mailboxes.resume", by, mailbox=MIA, new_password=True)


def secrets(mailbox: Mailbox) -> set[str]:
    with acting_as(SYSTEM):
        return set(Secret.objects.filter(owner_row=mailbox.pk).values_list("purpose", flat=True))


def test_all_that_opened_it_ends_and_links_go_where_they_count(house: House, mia: Mailbox) -> None:
    change = compelled(house.olive)
    assert change.version, reasons(change)
    now = the(Mailbox, pk=mia.pk)
    assert now.suspended_at is None and now.access_epoch == mia.access_epoch + 1 and secrets(mia) == {"recovery code"}
    with acting_as(SYSTEM):
        assert not Credential.objects.filter(mailbox=mia.pk, ended_at=None).exists()
        links = Invite.objects.filter(mailbox=mia.pk, used_at=None, ended_at=None, recovers="mailbox")
        assert [one.contact for one in links] == [HOME]
        letters = list(Letter.objects.filter(says="another password wanted"))
    told = {one.contact for one in letters}
    assert told >= {MIA, YOUNG, OFFICE} and HOME not in told, "whoever gets the link hears of it by that"
    text = owner_letters.wanted(letters[0], change).get_content()
    assert MIA in text and "opens nothing" in text and "/mailbox/recover/" in text
    (link,) = links
    said = owner_letters.back(link, "http://here/x", wanted=True).get_content()
    assert "http://here/x" in said and "somebody says that they own" not in said


def test_the_owner_sets_another_by_the_recovery_code_that_they_kept(house: House, mia: Mailbox) -> None:
    compelled(house.olive)
    own = owner_at(MIA)
    assert own
    by_code = Actor(None, "x", "code", "{HASH}c", mailbox=mia.pk, epoch=own.epoch)
    done = do("secrets.reset", by_code, secrets={"password": "{HASH}n", "recovery code": "{HASH}d"})
    assert done.version and secrets(mia) == {"password", "recovery code"}


def test_resumed_plainly_it_is_as_before(house: House, mia: Mailbox) -> None:
    assert do("mailboxes.resume", house.olive, mailbox=MIA).version
    assert secrets(mia) == {"password", "recovery code"}
    with acting_as(SYSTEM):
        assert Credential.objects.filter(mailbox=mia.pk, ended_at=None).exists()


@pytest.mark.parametrize("days", [0, 6])
def test_a_code_that_whoever_had_the_password_may_have_made_leads_nobody_back(
    house: House, mia: Mailbox, sql: Sql, days: int
) -> None:
    aged(sql, mia, days)
    refused = _refused(house.olive)
    assert "not a week old" in refused and "resets.start" in refused
    assert secrets(mia) == {"password", "recovery code"} and the(Mailbox, pk=mia.pk).suspended_at


def test_until_it_is_set_no_operator_sends_a_link_on_their_word(house: House, mia: Mailbox) -> None:
    compelled(house.olive)
    for contact in (CONTACT, "thief@evil.example"):
        with pytest.raises(Problems, match="the owner is verified first"):
            do("invites.send", house.olive, mailbox=MIA, contact=contact)
    assert do("resets.start", house.henry, mailbox=MIA, ticket="T-1").version


def test_the_owner_may_ask_for_another_link(house: House, mia: Mailbox) -> None:
    """Theirs is good for an hour."""
    compelled(house.olive)
    assert do("mailboxes.forgot", CLOCK, email=MIA).version
    with acting_as(SYSTEM):
        assert Invite.objects.filter(mailbox=mia.pk, recovers="mailbox", contact=HOME, ended_at=None).count() == 2


def test_links_that_were_out_before_are_void(house: House, mia: Mailbox) -> None:
    do("mailboxes.resume", house.olive, mailbox=MIA)
    do("mailboxes.forgot", CLOCK, email=MIA)
    before = the(Invite, mailbox=mia.pk, recovers="mailbox", ended_at=None)
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    compelled(house.olive)
    assert the(Invite, pk=before.pk).ended_at


def test_no_undo_brings_the_password_back(house: House, mia: Mailbox) -> None:
    change = compelled(house.olive)
    undone = do("history.roll_back", house.olive, change=str(change.pk))
    assert secrets(mia) == {"recovery code"} and undone.version and the(Mailbox, pk=mia.pk).suspended_at


def test_of_one_that_is_open_or_was_never_set_up_it_is_refused(house: House, mia: Mailbox) -> None:
    do("mailboxes.resume", house.olive, mailbox=MIA)
    assert "suspend it first" in _refused(house.olive)
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    do("mailboxes.suspend", house.olive, mailbox="leo@acme.example")
    with pytest.raises(Problems, match="set none yet"):
        do("mailboxes.resume", house.olive, mailbox="leo@acme.example", new_password=True)


def test_who_may_resume_and_sees_no_secret_ends_it_too(house: House, mia: Mailbox) -> None:
    """A role that sees neither secrets, nor app passwords, nor invites, leaves none of them behind."""
    do("roles.create", house.oskar, name="desk", permissions=["mailboxes.view", "mailboxes.resume"])
    do("people.invite", house.oskar, name="Dan", email="dan@northlight.example")
    do("grants.give", house.oskar, person="dan@northlight.example", role="desk", client="acme")
    change = compelled(person("dan@northlight.example", house.oskar))
    assert change.version, reasons(change)
    assert secrets(mia) == {"recovery code"}
    with acting_as(SYSTEM):
        assert not Credential.objects.filter(mailbox=mia.pk, ended_at=None).exists()


def _refused(by: Actor) -> str:
    with pytest.raises(Problems) as refused:
        compelled(by)
    return str(refused.value)


def test_the_mailboxs_page_offers_it_and_says_what_is_waited_for(house: House, mia: Mailbox) -> None:
    browser = visitor(house.olive)
    page = browser.get(f"/mailboxes/{MIA}/").content.decode()
    (url,) = re.findall(r'href="(/do/mailboxes.resume/[^"]*new_password[^"]*)"', page)
    form = browser.get(unescape(url)).content.decode()
    (box,) = re.findall(r'<input[^>]*name="row-0-new_password"[^>]*>', form)
    assert "checked" in box
    compelled(house.olive)
    page = browser.get(f"/mailboxes/{MIA}/").content.decode()
    assert "has to set another password" in page and "password set" not in page
