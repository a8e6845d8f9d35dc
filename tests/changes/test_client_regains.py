"""A client regains control: its own admins reset its mailboxes, with the organization's people shut out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.test import Client as Browser

from api.conftest import Caller
from cast import MIA, House, again, do, person, reachable, reasons, redeemed, the, tick
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import draw, reset_code
from postroom.changes.approvals import approve, withdraw
from postroom.changes.errors import NotAllowed, OwnChange
from postroom.environment import Environment
from postroom.host.cluster import Cluster
from postroom.models import Change, Invite, Mailbox, ResetCode, Verification
from postroom.record import check_bundle
from postroom.record.sequencer import Sequencer
from postroom.record.signer import Signer
from web.visitors import visitor

HOME = "mia@home.example"
DONE = (200, 202)  # carried out; or on its way to what carries it out


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


@pytest.fixture
def sign(cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What there is so far is in the log and signed, once asked for; the signer's line."""
    monkeypatch.setattr(settings, "POSTROOM", Environment({**settings.POSTROOM.values, "STATE": tmp_path}))
    (tmp_path / "signer").mkdir()
    signer = Signer(tmp_path / "signer", "postroom.example/log")

    def signed() -> str:
        with psycopg.connect(cluster.dsn("postroom_system", database), autocommit=True) as system:
            Sequencer(system).place()
        with psycopg.connect(cluster.dsn("postroom_signer", database), autocommit=True) as own:
            signer.sign(own)
        return str(signer.who)

    return signed


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


def test_a_reset_by_the_pages_with_the_operators_shut_out(house: House, admins: tuple[Actor, Actor]) -> None:
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
    staff = visitor(house.olive)
    for url in (f"/resets/{session}/", f"/changes/{change.pk}/"):
        assert staff.get(url).status_code in (403, 404), url


def test_a_reset_by_the_api_with_the_operators_shut_out(house: House, admins: tuple[Actor, Actor]) -> None:
    amy, ben = (Caller(one) for one in admins)
    assert amy.change("access.suspend", {"client": "acme"}).status_code in DONE
    asked = {"mailbox": MIA, "ticket": "our own"}
    for staff in (house.olive, house.oskar):
        assert Caller(staff).change("resets.start", asked).status_code == 404
    assert amy.change("resets.start", asked).status_code in DONE
    session = str(the(Verification).pk)
    assert ben.change("resets.vouch", {"verification": session, "answer": "right"}).status_code in DONE
    assert amy.change("resets.send_link", {"verification": session, "contact": HOME}).status_code in DONE
    assert the(Invite, contact=HOME, mailbox__isnull=False, ended_at=None).verification_id


def test_the_record_and_the_sheet_are_read_and_taken_out_by_both_doors(
    house: House, admins: tuple[Actor, Actor], sign: Callable[[], str], tmp_path: Path
) -> None:
    """With the operators shut out, and by none of them."""
    shut(admins[0])
    key = sign()
    pages, api = visitor(admins[0]), Caller(admins[0])
    for url in ("/changes/?client=acme", "/audit/?client=acme", "/clients/acme/sheet/"):
        assert pages.get(url).status_code == 200, url
    assert api.get("/clients/acme/sheet").status_code == 200 and api.get("/entries?client=acme").json()["items"]
    for n, taken in enumerate([answer() for answer in _records(pages, api)]):
        zipfile.ZipFile(io.BytesIO(taken)).extractall(tmp_path / str(n))
        assert check_bundle.main(tmp_path / str(n), key) == []
        assert "access.suspend" in (tmp_path / str(n) / "entries.jsonl").read_text()
    for answer in _sheets(pages, api):
        assert MIA in answer().decode()
    for staff in (house.olive, house.oskar):
        for refused in (*_records(visitor(staff), Caller(staff)), *_sheets(visitor(staff), Caller(staff))):
            with pytest.raises(Refused):
                refused()


class Refused(AssertionError):
    """403, or 404: not there for them."""


def _records(pages: Browser, api: Caller) -> list[Callable[[], bytes]]:
    return [lambda: _whole(pages.post("/audit/export/", {"client": "acme", "why": "ours"})),
            lambda: _whole(api.get("/clients/acme/record?why=ours"))]  # fmt: skip


def _sheets(pages: Browser, api: Caller) -> list[Callable[[], bytes]]:
    return [lambda: _whole(pages.post("/clients/acme/sheet/export/", {"format": "csv", "why": "ours"})),
            lambda: _whole(api.get("/clients/acme/sheet/file?format=csv&why=ours"))]  # fmt: skip


def _whole(answer: Any) -> bytes:
    if answer.status_code in (403, 404):
        raise Refused(answer.status_code)
    assert answer.status_code == 200, answer.content
    found = b"".join(answer.streaming_content)
    answer.close()
    return found


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
