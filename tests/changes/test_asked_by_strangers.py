"""Anybody may ask that a link be mailed to a mailbox's recovery addresses; that stands in nobody's way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cast import MIA, House, do, reachable, reasons, redeemed, the, tick, with_consent
from postroom.access.acting import CLOCK, SYSTEM, Actor, NoSuchLink, acting_as
from postroom.changes.errors import Problems
from postroom.models import Due, Invite, RecoveryChannel, Verification

HOME, OTHER, LINK = "mia@home.example", "mia@other.example", "7" * 64


@pytest.fixture
def asked(house: House) -> Invite:
    """A stranger has asked: the link of a lost mailbox is on its way to both addresses; the one to HOME is drawn."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    for n, contact in enumerate((HOME, OTHER)):
        reachable(house, MIA, contact, link=str(n + 2) * 64)
    with acting_as(CLOCK):
        Due.objects.create(at=datetime.now(UTC), kind="mailboxes.forgot", params={"email": MIA})
    tick(datetime.now(UTC))
    invite = the(Invite, contact=HOME, recovers="mailbox")
    do("people.issue_recovery", SYSTEM, secrets={"link": LINK}, recovery=str(invite.pk))
    return invite


def gets_in(link: str = LINK) -> Any:
    values = {"password": "{HASH}p", "recovery code": "{HASH}c"}
    return do("secrets.reset", Actor(None, "whoever opened the link", "link", link), secrets=values)


def reset(house: House) -> Any:
    do("resets.start", house.henry, mailbox=MIA, ticket="T")
    with acting_as(SYSTEM):
        session = str(Verification.objects.latest("id").pk)
    assert do("resets.vouch", house.carl, verification=session, answer="right").version
    return do("resets.send_link", house.olive, verification=session, contact=HOME)


WAYS = {
    "a verified reset": reset,
    "a removal": lambda house: with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA)),
    "a transfer": lambda house: with_consent(
        house, do("mailboxes.transfer", house.olive, mailbox=MIA, contact="leo@home.example")
    ),
    "the end of that address": lambda house: do(
        "recovery_channels.end", house.olive, channel=str(the(RecoveryChannel, value=HOME).pk)
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_through_and_the_link_is_void(house: House, asked: Invite, way: str) -> None:
    done = WAYS[way](house)
    assert done.version, reasons(done)
    assert the(Invite, pk=asked.pk).ended_at
    with pytest.raises((NoSuchLink, Problems)):
        gets_in()


def test_the_link_to_the_other_address_stays_where_one_address_ends(house: House, asked: Invite) -> None:
    WAYS["the end of that address"](house)
    assert the(Invite, contact=OTHER, recovers="mailbox").ended_at is None


def test_a_verified_link_makes_the_mailed_ones_void_once_it_is_used(house: House, asked: Invite) -> None:
    assert reset(house).version
    with acting_as(CLOCK):
        Due.objects.create(at=datetime.now(UTC), kind="mailboxes.forgot", params={"email": MIA})
    tick(datetime.now(UTC))
    anew = the(Invite, contact=HOME, recovers="mailbox", ended_at=None, used_at=None)
    do("people.issue_recovery", SYSTEM, secrets={"link": LINK}, recovery=str(anew.pk))
    released = the(Invite, contact=HOME, recovers="", mailbox__isnull=False, ended_at=None, used_at=None)
    do("invites.issue", SYSTEM, secrets={"link": "8" * 64}, invite=str(released.pk))
    values = {"password": "{HASH}q", "recovery code": "{HASH}d"}
    assert do("invites.redeem", Actor(None, "Mia", "link", "8" * 64), secrets=values).version
    with pytest.raises((NoSuchLink, Problems)):
        gets_in()


def test_nobody_sends_the_link_of_a_reset_elsewhere(house: House, asked: Invite) -> None:
    assert reset(house).version
    released = the(Invite, contact=HOME, recovers="", mailbox__isnull=False, ended_at=None, used_at=None)
    for contact in ("thief@evil.example", "mia@desk.example", OTHER):
        with pytest.raises(Problems, match="released by a verified reset"):
            do("invites.redirect", house.olive, invite=str(released.pk), contact=contact)
    copied = do("invites.issue", house.olive, secrets={"link": "6" * 64}, invite=str(released.pk))
    assert copied.stage == "refused" and "nobody copies it" in reasons(copied)
