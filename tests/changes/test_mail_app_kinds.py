"""Mail apps: who names and ends them, whom an owner lets in, and the key that mail nodes get to know."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cast import (
    MIA,
    House,
    acknowledged,
    again,
    app_password,
    do,
    kind,
    let_in,
    owner_of,
    redeemed,
    the,
    tick,
    with_consent,
)
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.scope import visible
from postroom.changes import carry
from postroom.changes.approvals import undo
from postroom.changes.errors import NotAllowed, NothingToDo, Problems
from postroom.changes.kinds.app_passwords import LET_IN
from postroom.models import Change, Credential, Letter, MailApp, NodeTodo, TokenKey
from postroom.queries.owning import lately, story
from postroom.web.owner_words import said_of
from postroom.worker import mail

OTHER = "mia@globex.example"
FIRST = {"kid": "f" * 43, "public": "p" * 124, "issuer": "https://one.example"}


@pytest.fixture
def mia(house: House) -> House:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    return house


@pytest.fixture
def mx1(node: Callable[[str], Node], mia: House) -> Node:
    found = node("mx1")
    acknowledge(found)
    return found


def told(node: Node) -> list[dict[str, Any]]:
    """What is on the node's list, as it is told it."""
    return [one["maps"] for one in pull(node).values() if one]


def refused(permission: str, by: Actor, /, **params: Any) -> bool:
    """As one who may see it, or as one who may not."""
    try:
        return do(permission, by, **params).stage == "refused"
    except (NotAllowed, Problems):
        return True


@pytest.mark.parametrize("who", ["olive", "ada", "henry", "audrey", "carl"])
def test_an_owner_of_the_organization_names_apps_and_nobody_else(house: House, who: str) -> None:
    assert refused("mail_apps.add", getattr(house, who), name="Birdmail", redirect_uris=["http://127.0.0.1/"])
    do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=["http://127.0.0.1/"])
    assert refused("mail_apps.end", getattr(house, who), mail_app="Birdmail")


def test_no_two_that_ask_are_called_alike(house: House) -> None:
    do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=["http://127.0.0.1/"])
    with pytest.raises(Problems, match="one of this name"):
        do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=["https://bird.example/"])
    do("mail_apps.end", house.oskar, mail_app=str(the(MailApp).pk))
    assert do("mail_apps.add", house.oskar, name="Birdmail", redirect_uris=["https://bird.example/"]).version


def test_a_way_back_that_anybody_could_listen_at_is_none() -> None:
    for wrong in ("http://app.example/", "mailapp:/x", "https://*.example/", "javascript:alert(1)"):
        with pytest.raises(ValidationError):
            kind("mail_apps.add", name="Birdmail", redirect_uris=[wrong])


@pytest.mark.parametrize("who", ["oskar", "olive", "ada", "henry", "audrey", "carl"])
def test_nobody_but_the_owner_of_the_mailbox_lets_an_app_in(mia: House, who: str) -> None:
    let_in(mia, MIA, "Laptop")
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    asked = {"app": "Mail of tests", "name": "x", "protocols": ["imap"], "until": until}
    assert refused("consents.grant", getattr(mia, who), **asked)
    with acting_as(SYSTEM):
        assert Credential.objects.count() == 1


def test_a_consent_goes_to_the_node_and_is_no_app_password(mx1: Node, mia: House) -> None:
    laptop = let_in(mia, MIA, "Laptop")
    phone = app_password(MIA, "Phone")
    box = [one for one in pull(mx1).values() if one and one["maps"].get("consent")][-1]
    (row,) = box["maps"]["consent"]
    assert (row["cred"], row["subject"]) == (str(laptop.pk), str(laptop.mailbox_id))
    assert row["protocols"] == "imap submission"
    assert [one["cred"] for one in box["secrets"]["app"]] == [str(phone.pk)]
    acknowledge(mx1)
    assert do("consents.end", mia.olive, consent=str(laptop.pk)).version
    assert [one for one in told(mx1) if one.get("login")][-1]["consent"] == []


def test_each_is_ended_by_its_own_kind(mia: House) -> None:
    phone = app_password(MIA, "Phone")
    with pytest.raises(Problems, match="app password"):
        do("consents.end", mia.olive, consent=str(phone.pk))


def test_no_two_devices_share_a_name_whatever_opens_them(mia: House) -> None:
    app_password(MIA, "Phone")
    with pytest.raises(Problems, match="one of this name"):
        let_in(mia, MIA, "Phone")


def test_the_mailbox_and_every_recovery_address_are_told_of_it(mia: House) -> None:
    do("recovery_channels.name", mia.olive, mailbox=MIA, value="back@home.test")
    let_in(mia, MIA, "Laptop")
    with acting_as(SYSTEM):
        change = Change.objects.get(kind="consents.grant")
        told_by = list(Letter.objects.filter(says=LET_IN).order_by("id"))
    assert {one.contact for one in told_by} == {MIA, "back@home.test"}
    letter = mail.LETTERS[LET_IN](told_by[0], change)
    assert letter["Subject"] == "A mail app was let into a mailbox"
    words = " ".join(letter.get_content().split())
    assert f"a consent of the mailbox {MIA} at Northlight to a mail app, which then signs in without" in words


def test_its_owner_reads_it_in_words_among_what_could_leak(mia: House) -> None:
    laptop = let_in(mia, MIA, "Laptop")
    do("consents.end", mia.olive, consent=str(laptop.pk))
    own = owner_of(MIA)
    with acting_as(own):
        assert next(one.said for one in lately(own)) == "consents.grant"
        told_in = [said_of(one.said) for one in story(own, limit=2).items]
    assert told_in == [
        "A mail app that was let in was signed out, and is let in no more",
        "A mail app was let in, without the password",
    ]  # fmt: skip


def test_a_mailbox_that_was_brought_back_is_among_what_could_leak(mia: House) -> None:
    leo = "leo@acme.example"
    do("mailboxes.create", mia.olive, address=leo, contact="leo@home.test")
    redeemed(leo)
    with_consent(mia, do("mailboxes.remove", mia.olive, mailbox=leo))
    back = do("mailboxes.restore", mia.olive, mailbox=leo)
    if back.stage == "held":
        with_consent(mia, back)
    redeemed(leo)
    own = owner_of(leo)
    with acting_as(own):
        assert "mailboxes.restore" in [one.said for one in lately(own)]


def test_another_mailboxs_consent_is_not_there(mia: House) -> None:
    do("invites.send", mia.olive, mailbox=OTHER, contact="m@home.test")
    redeemed(OTHER)
    theirs = let_in(mia, OTHER, "Laptop")
    with pytest.raises(Problems):
        do("consents.end", owner_of(MIA), consent=str(theirs.pk))
    with acting_as(owner_of(MIA)) as access:
        assert list(visible(access.actor, Credential)) == []


def test_the_clock_tidies_one_whose_day_is_over(mia: House) -> None:
    laptop = let_in(mia, MIA, "Laptop")
    ended = [one for one in tick(laptop.until + timedelta(minutes=1)) if one]
    assert [one.actor for one in ended] == ["clock"] and the(Credential, pk=laptop.pk).ended_at is not None


def test_one_that_ended_never_comes_back_by_an_undo(mia: House) -> None:
    laptop = let_in(mia, MIA, "Laptop")
    done = do("consents.end", mia.olive, consent=str(laptop.pk))
    with suppress(NothingToDo):
        undo(done.pk, actor=mia.olive, why="by mistake")
    assert the(Credential, pk=laptop.pk).ended_at is not None


@pytest.mark.parametrize("kept", [False, True])
def test_a_transfer_ends_them_whatever_the_client_keeps(mia: House, kept: bool) -> None:
    laptop = let_in(mia, MIA, "Laptop")
    if kept:
        do("clients.change", mia.olive, client="acme", reset_keeps_app_passwords=True)
    with_consent(mia, do("mailboxes.transfer", mia.olive, mailbox=MIA, contact="next@home.example"))
    assert the(Credential, pk=laptop.pk).ended_at is not None


def test_a_suspended_mailbox_has_none_at_its_node_and_all_of_them_again(mx1: Node, mia: House) -> None:
    let_in(mia, MIA, "Laptop")
    acknowledge(mx1)
    do("mailboxes.suspend", mia.olive, mailbox=MIA)
    assert [one["consent"] for one in told(mx1) if one.get("login")][-1] == []
    do("mailboxes.resume", mia.olive, mailbox=MIA)
    assert len([one["consent"] for one in told(mx1) if one.get("login")][-1]) == 1


def test_a_key_goes_to_every_node_and_the_one_before_is_good_to_the_end_of_its_tokens(
    node: Callable[[str], Node], mx1: Node, mia: House
) -> None:
    do("token_keys.change", SYSTEM, **FIRST)
    both = (mx1, node("mx2"))
    for one in both:
        assert [maps["token_key"] for maps in told(one) if "token_key" in maps] == [[FIRST | {"until": None}]]
        acknowledge(one)
    second = FIRST | {"kid": "s" * 43}
    done = do("token_keys.change", SYSTEM, **second)
    rows = {maps["token_key"][0]["kid"]: maps["token_key"][0] for maps in told(mx1) if "token_key" in maps}
    assert rows[second["kid"]]["until"] is None
    assert rows[FIRST["kid"]]["until"] == int((done.now + timedelta(minutes=20)).timestamp())


def test_a_node_that_comes_later_has_it_to_take_before_it_has_joined(mia: House) -> None:
    before = do("nodes.add", mia.oskar, node="mx3", role="postroom_node_mx3")
    do("token_keys.change", SYSTEM, **FIRST)
    joined = do("nodes.add", mia.oskar, node="mx4", role="postroom_node_mx4")
    with acting_as(SYSTEM):
        waiting = NodeTodo.objects.filter(change=joined.pk).values_list("node__name", "object", "object_id")
        assert list(waiting) == [("mx4", "token key", TokenKey.objects.get().pk)]
        assert not NodeTodo.objects.filter(change=before.pk).exists()
    assert joined.stage == "applied"


def test_the_same_key_under_another_name_of_ours_stays_one(mia: House) -> None:
    do("token_keys.change", SYSTEM, **FIRST)
    do("token_keys.change", SYSTEM, **(FIRST | {"issuer": "https://two.example"}))
    only = the(TokenKey)
    assert (only.issuer, only.until) == ("https://two.example", None)


@pytest.mark.parametrize("who", ["oskar", "olive", "carl"])
def test_nobody_says_which_key_signs(house: House, who: str) -> None:
    assert refused("token_keys.change", getattr(house, who), **FIRST)


@pytest.fixture
def everybody_let_it_in(mx1: Node, mia: House) -> House:
    """Mia on two devices and another client's Mia on one; and Mia lets another app in too."""
    do("invites.send", mia.olive, mailbox=OTHER, contact="m@home.test")
    redeemed(OTHER)
    for address, name in ((MIA, "Laptop"), (MIA, "Tablet"), (OTHER, "Desk")):
        let_in(mia, address, name)
    let_in(mia, MIA, "Bird", app="Birdmail")
    acknowledge(mx1)
    return mia


def standing() -> set[str]:
    with acting_as(SYSTEM):
        return set(Credential.objects.filter(sort="oauth", ended_at=None).values_list("name", flat=True))


def test_ending_an_app_ends_what_let_it_in_by_one_change_at_each_client(
    everybody_let_it_in: House, mx1: Node, node: Callable[[str], Node]
) -> None:
    ended = do("mail_apps.end", everybody_let_it_in.oskar, mail_app="Mail of tests")
    carry.carry_out(str(ended.pk))
    assert standing() == {"Bird"}
    with acting_as(SYSTEM):
        after = list(ended.follow_ups.order_by("client__slug"))
        assert [(one.client.slug, one.kind, one.actor) for one in after] == [
            ("acme", "consents.end_all", "system"), ("globex", "consents.end_all", "system"),
        ]  # fmt: skip
        assert len([one for one in after if one.version]) == 2
    assert len([one["consent"] for one in told(mx1) if one.get("login")][-1]) == 1, "Birdmail's"
    assert again(ended).stage == "applied"
    for one in (mx1, node("mx2")):
        acknowledge(one)
    acknowledged()
    assert again(ended).stage == "verified"
    undo(ended.pk, actor=everybody_let_it_in.oskar, why="by mistake")
    assert the(MailApp, name="Mail of tests").ended_at is None and standing() == {"Bird"}, "each is asked again"


def test_whichever_way_an_app_ends_what_let_it_in_does(everybody_let_it_in: House) -> None:
    """By the undo of its addition too, and under a freeze over everything."""
    house = everybody_let_it_in
    with acting_as(SYSTEM):
        added = Change.objects.get(kind="mail_apps.add", params__name="Mail of tests")
    do("freezes.start", house.olive, scope="organization", reason="stop")
    ended = undo(added.pk, actor=house.oskar, why="never wanted")
    carry.carry_out(str(ended.pk))
    assert the(MailApp, name="Mail of tests").ended_at is not None and standing() == {"Bird"}


def test_an_app_that_asks_still_keeps_what_let_it_in(everybody_let_it_in: House) -> None:
    asking = str(the(MailApp, name="Birdmail").pk)
    with pytest.raises(Problems, match="was not ended"):
        do("consents.end_all", SYSTEM, client="acme", mail_app=asking)
    assert refused("consents.end_all", everybody_let_it_in.oskar, client="acme", mail_app=asking)
    assert "Bird" in standing()
