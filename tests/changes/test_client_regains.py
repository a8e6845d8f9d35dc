"""A client regains control: its own admins reset its mailboxes, with the organization's people shut out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser

from api.conftest import Caller
from cast import MIA, House, again, do, person, reachable, reasons, redeemed, the, tick
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import draw, reset_code
from postroom.changes.approvals import approve, withdraw
from postroom.changes.errors import NotAllowed, OwnChange
from postroom.models import Change, Invite, Mailbox, ResetCode, Verification
from web.visitors import visitor

HOME = "mia@home.example"


@pytest.fixture
def admins(house: House) -> tuple[Actor, Actor]:
    """Acme's two contacts; Mia has set her secret, and an address of hers counts."""
    for name in ("amy", "ben"):
        do("people.invite", house.oskar, name=name.title(), email=f"{name}@acme.test", client="acme")
        do("grants.give", house.oskar, person=f"{name}@acme.test", role="client admin", client="acme")
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    reachable(house, MIA, HOME, link="a" * 64)
    return person("amy@acme.test", house.oskar), person("ben@acme.test", house.oskar)


def shut(amy: Actor) -> None:
    assert do("access.suspend", amy, client="acme").version


def started(by: Actor) -> str:
    change = do("resets.start", by, mailbox=MIA, ticket="our own")
    assert change.version, reasons(change)
    with acting_as(SYSTEM):
        return str(Verification.objects.latest("id").pk)


def coded(by: Actor, session: str) -> None:
    with acting_as(SYSTEM):
        channel = str(Mailbox.objects.get(address__address=MIA).recoverychannel_set.get(value=HOME).pk)
    assert do("resets.ask_code", by, verification=session, channel=channel).version
    code = the(ResetCode)
    digits, kept = reset_code(code.pk)
    do("resets.issue_code", SYSTEM, secrets={"reset code": kept}, code=str(code.pk))
    assert do("resets.enter_code", by, verification=session, said=digits).version


def sent(by: Actor, session: str) -> Change:
    return do("resets.send_link", by, verification=session, contact=HOME)


def test_with_the_operators_shut_out_the_second_contact_vouches_and_the_owner_is_back(
    house: House, admins: tuple[Actor, Actor]
) -> None:
    amy, ben = admins
    shut(amy)
    session = started(amy)
    own = do("resets.vouch", amy, verification=session, answer="right")
    assert own.stage == "refused" and "who started" in reasons(own)
    assert do("resets.vouch", ben, verification=session, answer="right").version
    change = sent(amy, session)
    assert change.version, reasons(change)
    invite, (_, kept) = the(Invite, contact=HOME, mailbox__isnull=False), draw()
    issued = do("invites.issue", SYSTEM, secrets={"link": kept}, invite=str(invite.pk))
    assert issued.version, reasons(issued)
    done = do("invites.redeem", Actor(None, "Mia", "link", kept), secrets={"password": "p", "recovery code": "c"})
    assert done.version, reasons(done)


def test_by_a_code_alone_the_second_contact_agrees_to_the_link(house: House, admins: tuple[Actor, Actor]) -> None:
    amy, ben = admins
    shut(amy)
    session = started(amy)
    coded(amy, session)
    change = sent(amy, session)
    assert change.stage == "held" and "second contact" in reasons(change)
    with pytest.raises(OwnChange):
        approve(change.pk, actor=amy, plan_hash=change.plan_hash)
    assert approve(change.pk, actor=ben, plan_hash=change.plan_hash).stage == "scheduled"
    tick(datetime.now(UTC) + timedelta(minutes=16))
    assert again(change).stage in ("applied", "verified", "scheduled")


def test_a_vips_takes_two_ways_and_the_second_contact_and_the_time_to_object(
    house: House, admins: tuple[Actor, Actor]
) -> None:
    amy, ben = admins
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    shut(amy)
    session = started(amy)
    coded(amy, session)
    assert do("resets.vouch", ben, verification=session, answer="right").version
    change = sent(amy, session)
    assert change.stage == "held" and change.at == change.now + timedelta(minutes=15)
    assert approve(change.pk, actor=ben, plan_hash=change.plan_hash).stage == "scheduled"


def test_the_second_contact_says_no(house: House, admins: tuple[Actor, Actor]) -> None:
    amy, ben = admins
    shut(amy)
    session = started(amy)
    coded(amy, session)
    assert withdraw(sent(amy, session).pk, actor=ben, why="not her").stage == "withdrawn"
    again_asked = sent(amy, session)
    assert again_asked.stage == "refused" and "stopped" in reasons(again_asked)


def test_where_there_is_no_second_contact_it_waits_a_day_and_is_told(house: House, admins: tuple[Actor, Actor]) -> None:
    amy, _ = admins
    for email in ("ben@acme.test", "carl@northlight.example"):
        do("people.suspend", house.oskar, person=email)
    shut(amy)
    session = started(amy)
    coded(amy, session)
    change = sent(amy, session)
    assert change.stage == "scheduled" and change.at and change.at >= change.now + timedelta(hours=24)


def test_a_clients_admin_agrees_to_no_reset_that_the_operators_started(
    house: House, admins: tuple[Actor, Actor]
) -> None:
    """There a second operator agrees (F3, step 4)."""
    amy, ben = admins
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    session = started(house.henry)
    coded(house.henry, session)
    assert do("resets.vouch", amy, verification=session, answer="right").version
    change = sent(house.olive, session)
    assert change.stage == "held"
    for admin in (amy, ben):
        with pytest.raises(OwnChange):
            approve(change.pk, actor=admin, plan_hash=change.plan_hash)
    assert approve(change.pk, actor=house.ada, plan_hash=change.plan_hash).stage == "scheduled"


def test_an_operators_second_person_is_not_the_clients_viewer_or_another_clients(
    house: House, admins: tuple[Actor, Actor]
) -> None:
    amy, _ = admins
    session = started(amy)
    coded(amy, session)
    change = sent(amy, session)
    for by in (house.audrey, house.henry):
        with pytest.raises(NotAllowed):
            approve(change.pk, actor=by, plan_hash=change.plan_hash)


def test_by_the_pages_and_the_api_with_the_operators_shut_out(house: House, admins: tuple[Actor, Actor]) -> None:
    """Reset, read the record, take the export and the inventory sheet: each by both doors, and no operator can."""
    amy, ben = admins
    shut(amy)
    session = started(amy)
    coded(amy, session)
    change = sent(amy, session)
    one, two = visitor(amy), visitor(ben)
    assert one.get(f"/resets/{session}/").status_code == 200
    page = two.get(f"/changes/{change.pk}/").content.decode()
    assert "/approve/" in page and "Your role does not approve" not in page
    assert "Nothing waits for you" not in two.get("/approvals/").content.decode()
    assert two.post(f"/changes/{change.pk}/approve/", {"plan_hash": change.plan_hash}).status_code == 302
    assert again(change).stage == "scheduled"
    for url in ("/changes/?client=acme", "/audit/?client=acme", "/clients/acme/sheet/"):
        assert one.get(url).status_code == 200, url
    assert _export(one, "/clients/acme/sheet/export/", {"format": "csv", "why": "ours"}) == (200, True)
    caller = Caller(amy)
    assert caller.get("/clients/acme/sheet").status_code == 200 and caller.get("/entries?client=acme").json()["items"]
    staff = visitor(house.olive)
    for url in (f"/resets/{session}/", f"/changes/{change.pk}/", "/clients/acme/sheet/"):
        assert staff.get(url).status_code in (403, 404), url


def _export(browser: Browser, url: str, body: dict[str, str]) -> tuple[int, bool]:
    answer = browser.post(url, body)
    body_read = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, bool(body_read)


def test_approving_by_the_api(house: House, admins: tuple[Actor, Actor]) -> None:
    amy, ben = admins
    shut(amy)
    session = started(amy)
    coded(amy, session)
    change = sent(amy, session)
    body = {"plan_hash": change.plan_hash}
    assert Caller(amy).post(f"/changes/{change.pk}/approve", body).status_code == 403
    assert Caller(house.ada).post(f"/changes/{change.pk}/approve", body).status_code == 404
    assert Caller(ben).post(f"/changes/{change.pk}/approve", body).status_code == 200
