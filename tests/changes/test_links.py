"""Links and sessions: what a token opens, for whom, how long, and that it is kept nowhere but as a hash."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from cast import LINK, House, do, kind, person, reasons, the
from postroom.access.acting import SYSTEM, Actor, NoSuchLink, acting_as, session_of, signed_in
from postroom.changes import policy
from postroom.changes.approvals import approve
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.changes.policies import own_link
from postroom.changes.policy import Proposed, Verdict
from postroom.models import Client, Invite, Mailbox, Person, Secret

LEO, OTTO = "leo@acme.example", "otto@northlight.example"
SECRETS = {"password": "{HASH}p", "recovery code": "{HASH}c"}
ADA = "ada@northlight.example"


def owner(link: str = LINK) -> Actor:
    return Actor(None, "Leo", "link", link)


@pytest.fixture
def invite(house: House) -> Invite:
    """Leo's mailbox, and the link that was mailed to him."""
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    made = the(Invite, mailbox__address__address=LEO)
    issue(made)
    return made


def issue(invite: Invite, link: str = LINK) -> None:
    submit(kind("invites.issue", invite=str(invite.pk)), actor=SYSTEM, why="x", secrets={"link": link})


def test_a_mailbox_keeps_mail_and_opens_for_nobody_before_its_owner_comes(house: House, invite: Invite) -> None:
    with acting_as(house.olive):
        mailbox = Mailbox.objects.get(address__address=LEO)
        assert not Secret.objects.filter(owner_row=mailbox.pk).exists()
    assert do("invites.redeem", owner(), secrets=SECRETS).stage == "applied"
    with acting_as(house.olive):
        assert Secret.objects.filter(owner_row=mailbox.pk).count() == 2
        assert Mailbox.objects.get(pk=mailbox.pk).access_epoch == mailbox.access_epoch + 1, "older sessions end"


def test_a_link_opens_once(house: House, invite: Invite) -> None:
    do("invites.redeem", owner(), secrets=SECRETS)
    with pytest.raises(NoSuchLink):
        do("invites.redeem", owner(), secrets=SECRETS)


@pytest.mark.parametrize("link", ["", "2" * 64, LINK.upper() + "x", "' OR true --"])
def test_a_wrong_link_is_no_link(house: House, invite: Invite, link: str) -> None:
    with pytest.raises(NoSuchLink):
        do("invites.redeem", owner(link), secrets=SECRETS)


def test_a_link_never_goes_into_the_mailbox_that_it_opens(house: House, invite: Invite) -> None:
    for asked in (
        {"name": "invites.send", "mailbox": LEO, "contact": LEO},
        {"name": "invites.redirect", "invite": str(invite.pk), "contact": LEO.upper()},
    ):
        with pytest.raises(Problems, match="contact: its owner cannot read it there yet"):
            do(asked.pop("name"), house.olive, **asked)


def test_a_new_link_voids_the_old_one(house: House, invite: Invite) -> None:
    issue(invite, "2" * 64)
    with pytest.raises(NoSuchLink):
        do("invites.redeem", owner(), secrets=SECRETS)
    assert do("invites.redeem", owner("2" * 64), secrets=SECRETS).version


@pytest.mark.parametrize("end", ["cancel", "redirect", "send again", "remove the mailbox"])
def test_an_invite_that_ended_opens_nothing(house: House, invite: Invite, end: str) -> None:
    if end == "cancel":
        do("invites.cancel", house.henry, invite=str(invite.pk))
    elif end == "redirect":
        do("invites.redirect", house.olive, invite=str(invite.pk), contact="other@home.example")
    elif end == "send again":
        do("invites.send", house.olive, mailbox=LEO, contact="leo@home.example")
    else:
        from postroom.changes.approvals import approve

        held = do("mailboxes.remove", house.olive, mailbox=LEO)
        approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    with pytest.raises(NoSuchLink):
        do("invites.redeem", owner(), secrets=SECRETS)
    with acting_as(house.olive):
        assert not Secret.objects.filter(owner_row=invite.pk).exists()


def test_an_expired_link_opens_nothing(house: House, invite: Invite, sql: Any) -> None:
    assert the(Invite, pk=invite.pk).until - datetime.now(UTC) > timedelta(hours=71, minutes=59)
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE invites SET until = date_trunc('second', now()) - interval '1 s' WHERE until > now()")  # fmt: skip
    with pytest.raises((NoSuchLink, Problems)):
        do("invites.redeem", owner(), secrets=SECRETS)
    issue(invite)
    assert do("invites.redeem", owner(), secrets=SECRETS).version, "sent again it is good for 72 hours more"


def test_who_holds_a_link_sees_the_one_client_it_is_of(house: House, invite: Invite) -> None:
    with acting_as(owner()):
        assert [c.slug for c in Client.objects.all()] == ["acme"]
        assert not Mailbox.objects.filter(address__address="mia@globex.example").exists()
        with connection.cursor() as cursor, pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute("SELECT value FROM secrets")
    for permission, params in (("mailboxes.suspend", {"mailbox": LEO}), ("clients.suspend", {"client": "acme"})):
        refused = do(permission, owner(), **params)
        assert refused.stage == "refused" and "not allowed" in reasons(refused)


def test_a_link_of_one_thing_does_not_open_another(house: House, invite: Invite) -> None:
    with pytest.raises(Problems, match="no longer good"):
        do("people.enrol", owner())
    do("people.invite", house.oskar, name="Otto", email=OTTO)
    issue(the(Invite, person__email=OTTO), "2" * 64)
    with pytest.raises(Problems, match="no longer good"):
        do("invites.redeem", owner("2" * 64), secrets=SECRETS)
    assert do("people.enrol", owner("2" * 64)).version
    with pytest.raises(NoSuchLink):
        do("people.enrol", owner("2" * 64))


def test_a_held_back_secret_leaves_no_trace_and_the_link_good(house: House, invite: Invite, sql: Any) -> None:
    """For a kind that carries a secret a hold counts as a refusal: nothing is stored."""
    do("freezes.start", house.olive, scope="acme", reason="stop")
    refused = do("invites.redeem", owner(), secrets=SECRETS)
    assert refused.stage == "refused" and refused.plan is None
    assert [p for (p,) in sql("SELECT purpose FROM secrets")] == ["link"]


@pytest.mark.parametrize("from_judging", [1, 2])
def test_for_what_carries_a_secret_a_hold_is_a_refusal(
    house: House, invite: Invite, sql: Any, monkeypatch: pytest.MonkeyPatch, from_judging: int
) -> None:
    """Whether it is found when it is proposed, or only under the lock."""
    asked: list[Proposed] = []

    def wary(proposed: Proposed) -> Verdict | None:
        asked.append(proposed)
        return policy.hold(wary, "somebody should look") if len(asked) >= from_judging else None

    monkeypatch.setattr(policy, "POLICIES", [wary])
    refused = do("invites.redeem", owner(), secrets=SECRETS)
    assert (refused.stage, refused.plan, len(asked)) == ("refused", None, from_judging)
    assert [p for (p,) in sql("SELECT purpose FROM secrets")] == ["link"], "and the link is still good"


def test_the_helpdesk_starts_a_reset_and_sees_no_link(house: House, invite: Invite) -> None:
    assert do("invites.resend", house.henry, invite=str(invite.pk)).stage == "applied"
    asked = submit(kind("invites.issue", invite=str(invite.pk)), actor=house.henry, why="x", secrets={"link": "3" * 64})
    assert asked.stage == "refused", "the answer of that kind is the link itself"


# Sessions at the API.

TOKEN = "5" * 64


def session(until: datetime, token: str = TOKEN) -> Any:
    opened = kind("sessions.open", person=ADA, label="laptop", mfa="totp", until=until.isoformat())
    return submit(opened, actor=SYSTEM, why="signed in", secrets={"session": token})


def test_a_session_is_its_person_with_how_they_signed_in(house: House) -> None:
    session(datetime.now(UTC) + timedelta(hours=12))
    found = session_of(TOKEN)
    assert found and (found[1], found[2]) == (house.ada, "totp")
    assert session_of("6" * 64) is None and session_of("") is None


def test_a_session_ends_by_time_by_hand_and_with_its_person(house: House) -> None:
    soon = datetime.now(UTC).replace(microsecond=0)
    session(soon - timedelta(seconds=1))
    assert session_of(TOKEN) is None, "by predicate, before anybody tidies"

    session(soon + timedelta(hours=1), "6" * 64)
    found = session_of("6" * 64)
    assert found
    assert do("sessions.end", house.oskar, session=str(found[0])).version
    assert session_of("6" * 64) is None
    with acting_as(SYSTEM):
        assert not Secret.objects.filter(owner_row=found[0]).exists()

    session(soon + timedelta(hours=1), "7" * 64)
    do("people.suspend", house.oskar, person=ADA)
    assert session_of("7" * 64) is None
    do("people.resume", house.oskar, person=ADA)
    assert session_of("7" * 64) is None, "suspended is ended"


def test_a_suspended_person_is_nobody_at_once(house: House) -> None:
    assert signed_in(house.ada.person)[:2] == (house.ada, frozenset({"approver"}))  # type: ignore
    do("people.suspend", house.oskar, person=ADA)
    assert signed_in(house.ada.person) is None  # type: ignore[arg-type]
    with acting_as(house.ada) as access:
        assert access.held == () and Client.objects.count() == 0
    do("people.resume", house.oskar, person=ADA)
    assert person(ADA, house.oskar) == house.ada and the(Person, email=ADA).suspended_at is None


def test_whoever_may_less_than_a_person_gets_no_link_of_theirs(house: House) -> None:
    """Ada approves, and has not opened her invite yet: an operator with her link would approve what they proposed."""
    hers, henrys = (str(the(Invite, person__email=f"{who}@northlight.example").pk) for who in ("ada", "henry"))
    for who, invite, gets in ((house.olive, hers, False), (house.olive, henrys, True), (house.oskar, hers, True)):
        copied = do("invites.issue", who, invite=invite, secrets={"link": "3" * 64})
        sent = do("invites.redirect", who, invite=invite, contact="x@elsewhere.example") if not gets else copied
        for one in (copied, sent):
            assert bool(one.version) is gets, (who.name, one.kind, reasons(one))
            assert gets or "may something that you may not" in reasons(one)
    assert do("invites.resend", house.olive, invite=hers).version, "to Ada herself"


def test_a_role_of_ones_own_counts_there_too(house: House) -> None:
    do("roles.create", house.oskar, name="node keeper", permissions=["nodes.add"])
    do("people.invite", house.oskar, name="Nils", email="nils@northlight.example")
    given = do("grants.give", house.oskar, person="nils@northlight.example", role="node keeper")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    his = str(the(Invite, person__email="nils@northlight.example").pk)
    assert do("invites.redirect", house.olive, invite=his, contact="x@elsewhere.example").stage == "refused"


def test_an_operator_takes_over_no_sign_in_of_a_client_admin(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carl stands below Olive, and may what she may not: close his client to her. His link, and his address to which a
    lost password is mailed, are for who may as much."""
    his = str(the(Invite, person__email="carl@northlight.example").pk)
    acts = {
        "invites.redirect": {"invite": his, "contact": "x@elsewhere.example"},
        "people.change": {"person": "carl@northlight.example", "email": "x@elsewhere.example"},
    }
    for name, params in acts.items():
        refused = do(name, house.olive, **params)
        assert refused.stage == "refused" and "may something that you may not" in reasons(refused), name
    assert do("people.change", house.olive, person="carl@northlight.example", name="Karl").version
    henry = {"person": "henry@northlight.example", "email": "moss@northlight.example"}
    assert do("people.change", house.olive, **henry).version, "who may less than she"
    monkeypatch.setattr(own_link, "stand_above", lambda *_: False)
    assert do("people.change", house.olive, **acts["people.change"]).version, "without the guard"


def suspended_and_back(house: House, email: str) -> None:
    assert do("people.suspend", house.oskar, person=email).version
    assert do("people.resume", house.oskar, person=email).version


def opened_by(house: House, who: Actor, token: str) -> None:
    until = timezone.now() + timedelta(hours=1)
    do("sessions.open", SYSTEM, secrets={"session": token}, person=str(who.person), mfa="test", until=until)


def test_what_was_open_before_a_suspension_stays_shut_after_it(house: House, sql: Callable[..., object]) -> None:
    """A client's person too, whose sessions are the organization's and cannot end in the change that suspends them."""
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    amy = person("amy@acme.example", house.oskar)
    do("grants.give", house.oskar, person="amy@acme.example", role="client admin", client="acme")
    opened_by(house, amy, "5" * 64)
    assert session_of("5" * 64)
    suspended_and_back(house, "amy@acme.example")
    assert session_of("5" * 64) is None
    opened_by(house, amy, "6" * 64)
    assert session_of("6" * 64), "a new one is a new one"
    never = "CREATE OR REPLACE FUNCTION postroom_stopped(who uuid) RETURNS timestamptz"
    sql(f"{never} STABLE LANGUAGE sql RETURN NULL::timestamptz")
    assert session_of("5" * 64), "without the guard it would be good again"
