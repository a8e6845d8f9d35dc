"""API tokens: less than their maker, in every direction; dead at once with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, House, do, reasons, the
from postroom.access.acting import Actor, acting_as, token_of
from postroom.access.scope import visible
from postroom.access.tokens import came_from
from postroom.changes.approvals import approve, undo, withdraw
from postroom.changes.errors import NotAllowed, OwnChange, Problems
from postroom.models import ApiToken, Client, Domain, Invite, Mailbox, Person

HASH = "7" * 64


def until(days: int = 30) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def made(by: Actor, **more: Any) -> Actor:
    wanted = {
        "name": "CI",
        "permissions": ["changes.view", "mailboxes.view", "mailboxes.suspend", "mailboxes.remove"],
        "until": until(),
    }
    done = do("tokens.create", by, **{"secrets": {"token": HASH}, **wanted, **more})
    assert done.version, reasons(done)
    found = token_of(HASH)
    assert found and found[0].sort == "token" and found[0].person == by.person
    return found[0]


def test_it_may_what_it_names_where_it_names(house: House) -> None:
    token = made(house.olive, clients=["acme"])
    with acting_as(token) as access:
        assert {m.label for m in visible(token, Mailbox)} == {MIA}
        assert not visible(token, Domain).exists() and not visible(token, Person).exists()
        assert access.can("mailboxes.suspend", the_client("acme", access)) and not access.can("mailboxes.change", None)
        assert Mailbox.objects.count() == 1, "row security says the same"
    assert do("mailboxes.suspend", token, mailbox=MIA).actor == "token"
    with pytest.raises(Problems):
        do("mailboxes.suspend", token, mailbox="mia@globex.example")
    assert reasons(do("mailboxes.resume", token, mailbox=MIA)) == "mailboxes.resume is not allowed here"


def the_client(slug: str, access: Any) -> Any:
    return Client.objects.get(slug=slug).pk


def test_it_never_mints_nor_approves(house: House) -> None:
    for never in (
        "changes.approve",
        "grants.give",
        "tokens.create",
        "people.invite",
        "roles.create",
        "recoveries.approve",
        "resets.approve",
    ):
        with pytest.raises(Problems, match="no token may ever"):
            do("tokens.create", house.oskar, secrets={"token": HASH}, name="x", permissions=[never], until=until())
    token = made(house.oskar, permissions=["changes.view", "mailboxes.remove", "mailboxes.view"])
    held = do("mailboxes.remove", token, mailbox=MIA)
    assert held.stage == "held"
    with pytest.raises(OwnChange):
        approve(held.pk, actor=house.oskar, plan_hash=held.plan_hash)
    theirs = do("mailboxes.remove", house.olive, mailbox="mia@globex.example")
    with pytest.raises(NotAllowed, match="a token approves nothing"):
        approve(theirs.pk, actor=token, plan_hash=theirs.plan_hash)
    token = made(house.oskar, permissions=["people.view"], secrets={"token": "6" * 64})
    refused = do("people.invite", token, name="X", email="x@northlight.example")
    assert refused.stage == "refused" and reasons(refused) == "people.invite is not allowed here"


def test_it_has_no_link_made_by_which_somebody_signs_in(house: House) -> None:
    """Whoever has one makes a sign-in of another person's, and with it a session."""
    token = made(house.oskar, permissions=["invites.view", "invites.issue", "invites.redirect", "invites.resend"])
    invite = str(the(Invite, person__email="henry@northlight.example").pk)
    copied = do("invites.issue", token, invite=invite, secrets={"link": "9" * 64})
    sent = do("invites.redirect", token, invite=invite, contact="x@elsewhere.example")
    assert {copied.stage, sent.stage} == {"refused"} and "no link made" in reasons(copied)
    assert do("invites.resend", token, invite=invite).version, "to the person themselves"
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    box = str(the(Invite, mailbox__isnull=False).pk)
    assert do("invites.redirect", token, invite=box, contact="l@home.example").version, "a mailbox is no sign-in here"


def test_it_withdraws_what_it_proposed_and_nothing_of_its_person(house: House) -> None:
    token = made(house.olive)
    theirs, own = do("mailboxes.remove", house.olive, mailbox=MIA), do("mailboxes.remove", token, mailbox=MIA)
    with pytest.raises(NotAllowed, match="what it proposed itself"):
        withdraw(theirs.pk, actor=token, why="a test")
    assert withdraw(own.pk, actor=token, why="a test").stage == "withdrawn"
    assert withdraw(theirs.pk, actor=house.olive, why="a test").stage == "withdrawn"


def test_half_an_hour_of_undo_is_no_tokens(house: House) -> None:
    token = made(house.olive, permissions=["domains.view", "mailboxes.view", "mailboxes.create", "history.roll_back"])
    done = do("mailboxes.create", token, address="new@acme.example")
    assert undo(done.pk, actor=token, why="a test").stage == "held", "proposed, and not had applied"


def test_it_is_no_more_than_its_maker_now(house: House, sql: Any) -> None:
    assert reasons(do("tokens.create", house.carl, secrets={"token": "8" * 64}, name="x", until=until(),
                      clients=["acme"], permissions=["domains.add"])) == "you may not domains.add yourself"  # fmt: skip
    token = made(house.olive)
    do("people.suspend", house.oskar, person="olive@northlight.example")
    assert token_of(HASH) is None
    with acting_as(token) as access:
        assert access.held == () and not Mailbox.objects.exists(), "one that is on its way comes to nothing"
    do("people.resume", house.oskar, person="olive@northlight.example")
    assert token_of(HASH)
    do("tokens.end", house.olive, token=str(the(ApiToken, person=house.olive.person).pk))
    assert token_of(HASH) is None


def test_it_ends_by_time_and_within_a_year(house: House, sql: Any) -> None:
    with pytest.raises(Problems, match="within a year"):
        do("tokens.create", house.olive, secrets={"token": HASH}, name="x", permissions=["domains.view"],
           until=until(400))  # fmt: skip
    made(house.olive)
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE api_tokens SET until = now() - interval '1 second'")  # fmt: skip
    assert token_of(HASH) is None


def test_a_clients_own_token_is_of_that_client(house: House) -> None:
    with pytest.raises(Problems, match="name the one client"):
        made(house.carl)
    token = made(house.carl, clients=["acme"])
    with acting_as(token):
        assert {m.label for m in visible(token, Mailbox)} == {MIA}
    assert do("mailboxes.suspend", token, mailbox=MIA).version


def test_where_it_may_come_from() -> None:
    assert came_from("192.0.2.9", []) and came_from("192.0.2.9", ["192.0.2.0/24"])
    assert came_from("::ffff:192.0.2.9", ["192.0.2.0/24"]) and came_from("2001:db8::1", ["2001:db8::/32"])
    assert not came_from("198.51.100.1", ["192.0.2.0/24"]) and not came_from("", ["0.0.0.0/0"])
    assert not came_from("2001:db8::1", ["0.0.0.0/0"])
