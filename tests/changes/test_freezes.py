"""A freeze: what only closes goes through and is looked at afterwards; everything else waits. Kind by kind."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, House, as_wanted, do, kind, reasons, the, tick, waits
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes import approvals
from postroom.changes.approvals import approve
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import apply_scheduled, dry_run, submit
from postroom.models import (
    Acceptance,
    ApiSession,
    Change,
    DkimKey,
    Domain,
    Finding,
    Freeze,
    Grant,
    Invite,
    RecordSet,
    Review,
)
from postroom.posture.findings import Found, observed

NEXT_YEAR = "2099-01-01T00:00:00Z"
LEO, ADA, OTTO = "leo@acme.example", "ada@northlight.example", "otto@northlight.example"


def test_a_freeze_lets_rescue_through_and_its_own_end(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("freezes.start", house.ada, scope="acme", reason="dispute")
    freeze = str(the(Freeze).pk)
    refused = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    assert refused.stage == "refused" and reasons(refused) == "frozen: dispute"
    assert do("mailboxes.suspend", house.olive, mailbox=MIA).stage == "applied"
    assert do("mailboxes.resume", house.olive, mailbox=MIA).stage == "refused"
    assert do("mailboxes.change", house.olive, mailbox="mia@globex.example", quota_mb=1).stage == "applied"
    assert do("freezes.end", house.olive, freeze=freeze).stage == "verified"
    assert do("mailboxes.resume", house.olive, mailbox=MIA).stage == "applied"


def test_a_freeze_of_the_organization_is_one_of_every_client(house: House) -> None:
    do("freezes.start", house.olive, scope="organization", reason="migration")
    for address in (MIA, "mia@globex.example"):
        assert do("mailboxes.change", house.olive, mailbox=address, quota_mb=1).stage == "refused"
    assert do("people.change", house.oskar, person=ADA, name="A").stage == "refused"


def test_what_went_through_during_a_freeze_is_reviewed_after(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert [v["says"] for v in change.verdicts] == ["mark"] and reasons(change) == "during freeze: dispute"
    with acting_as(house.ada):
        (review,) = Review.objects.all()
        assert (review.change_id, review.closed_at, review.client_id) == (change.pk, None, change.client_id)
        assert review.until == change.now + timedelta(hours=72)


def test_a_freeze_that_came_between_marks_what_only_closes(house: House) -> None:
    """Planned before the freeze, applied during it: the mark is found under the lock."""
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    assert apply_scheduled(later.pk).stage == "applied"
    with acting_as(house.ada):
        assert Review.objects.get().change_id == later.pk


def test_a_freeze_between_approval_and_apply_holds_it_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    held = do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    assert held.stage == "applied"
    held = do("aliases.change", house.olive, alias="sales@acme.example", targets=["postmaster@acme.example"])
    assert held.stage == "held"
    monkeypatch.setattr(approvals, "apply_scheduled", lambda change: None)  # the process dies after the approval
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    monkeypatch.undo()
    do("freezes.start", house.olive, scope="acme", reason="dispute")

    (done,) = tick(datetime.now(UTC))
    assert (done.pk, done.stage) == (held.pk, "held")
    assert {"frozen: dispute"} < {v["reason"] for v in done.verdicts}
    with acting_as(house.olive):
        assert [one.void for one in done.approval_set.all()] == [True]
        assert Change.objects.get(pk=held.pk).plan, "nothing approved is thrown away"


def test_a_freeze_ends_by_time_before_anybody_tidies(house: House) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    do("freezes.start", house.olive, scope="acme", reason="weekend", until=soon.isoformat())
    assert do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1).stage == "refused"
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    time.sleep((soon - datetime.now(UTC)).total_seconds() + 0.05)
    assert do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1).stage == "applied"
    assert apply_scheduled(later.pk).stage == "applied"
    assert the(Freeze).ended_at is None


def test_who_ends_a_freeze_is_asked_about_it_after(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    end = do("freezes.end", house.olive, freeze=str(the(Freeze).pk))
    with acting_as(house.ada):
        assert Review.objects.get().change_id == end.pk


# Every kind against a freeze of all there is.

NOTICE = "the owner's notice"
LINK = {LEO: "1" * 64, OTTO: "2" * 64, NOTICE: "4" * 64}


@dataclass(frozen=True)
class Walk:
    """How one kind is tried: as whom, with what, and what the freeze makes of it."""

    by: str | Actor
    params: dict[str, Any]
    closes: bool = False
    secrets: tuple[str, ...] = ()


def by(who: str | Actor, /, *, secrets: tuple[str, ...] = (), **params: Any) -> Walk:
    return Walk(who, params, False, secrets)


def closing(who: str | Actor, /, **params: Any) -> Walk:
    return Walk(who, params, True)


WALKS: dict[str, Walk] = {
    "organization.change": by("oskar", name="Northern Light"),
    "nodes.add": by("oskar", node="mx5", role="postroom_node_mx5"),
    "nodes.drain": by("oskar", node="mx9"),
    "nodes.remove": closing("oskar", node="mx9"),
    "clients.create": by("olive", name="New"),
    "clients.change": by("olive", client="acme", notes="x"),
    "clients.place": by("oskar", client="homeless", node="mx9"),
    "clients.suspend": closing("olive", client="acme"),
    "clients.resume": by("olive", client="off"),
    "clients.remove": closing("olive", client="empty"),
    "clients.restore": by("olive", client="gone"),
    "domains.add": by("olive", client="acme", name="more.example"),
    "domains.change": by("olive", domain="acme.example", registrar="R"),
    "domains.suspend": closing("olive", domain="acme.example"),
    "domains.resume": by("olive", domain="off.example"),
    "domains.remove": by("olive", domain="acme.example", accept_loss=True),
    "domains.restore": by("olive", domain="gone.example"),
    "domains.prove": by(SYSTEM, domain="new.example", proof="a test"),
    "record_sets.set": by("olive", domain="acme.example", name="www.acme.example", type="A", values=["192.0.2.1"]),
    "record_sets.release": by("olive", record_set="{record_set}"),
    "dkim_keys.make": by(SYSTEM, secrets=("private key",), key="{wanted}", public="abcd", domain="new.example"),
    "dkim_keys.activate": by("olive", key="{key}"),
    "mailboxes.create": by("olive", address="new@acme.example"),
    "mailboxes.change": by("olive", mailbox=MIA, vip=True),
    "mailboxes.suspend": closing("olive", mailbox=MIA),
    "mailboxes.resume": by("olive", mailbox="off@acme.example"),
    "mailboxes.remove": closing("olive", mailbox=LEO),
    "mailboxes.restore": by("olive", mailbox="gone@acme.example"),
    "aliases.create": by("olive", address="info@acme.example", targets=[MIA]),
    "aliases.change": closing("olive", alias="sales@acme.example", targets=[MIA]),
    "aliases.remove": closing("olive", alias="sales@acme.example"),
    "invites.send": by("olive", mailbox=MIA, contact="m@home.example"),
    "invites.issue": by(SYSTEM, secrets=("link",), invite="{unissued}"),
    "invites.resend": by("olive", invite="{invite}"),
    "invites.redirect": by("olive", invite="{invite}", contact="other@home.example"),
    "invites.cancel": closing("olive", invite="{invite}"),
    "invites.redeem": by(Actor(None, "Leo", "link", LINK[LEO]), secrets=("password", "recovery code")),
    "notices.send": by(CLOCK, change="{later}"),
    "notices.issue": by(SYSTEM, secrets=("link",), notice="{notice}"),
    "notices.stop": closing(Actor(None, "who was told", "link", LINK[NOTICE])),
    "people.invite": by("oskar", name="N", email="n@northlight.example"),
    "people.change": by("oskar", person=OTTO, name="O"),
    "people.suspend": closing("oskar", person=OTTO),
    "people.resume": by("oskar", person="off@northlight.example"),
    "people.remove": closing("oskar", person=OTTO),
    "people.restore": by("oskar", person="gone@northlight.example"),
    "people.print_link": by(SYSTEM, secrets=("link",), person=ADA),
    "people.enrol": closing(Actor(None, "Otto", "link", LINK[OTTO])),
    "grants.give": by("oskar", person=OTTO, role="auditor", client="acme"),
    "grants.end": closing("oskar", grant="{grant}"),
    "sessions.open": by(SYSTEM, secrets=("session",), person=ADA, mfa="demo", until=NEXT_YEAR),
    "sessions.end": closing("oskar", session="{session}"),
    "freezes.start": by("olive", scope="acme", reason="one more"),
    "freezes.end": closing("olive", freeze="{freeze}"),
    "findings.acknowledge": by("olive", finding="{finding}"),
    "findings.accept": by("olive", finding="{finding}", reason="x", until="{soon}"),
    "findings.reopen": closing("olive", finding="{acknowledged}"),
    "findings.lapse": closing(CLOCK, acceptance="{acceptance}"),
    "history.roll_back": by("olive", change="{change}"),
}  # fmt: skip
UNMARKED = {
    "sessions.open", "sessions.end",  # else who may end a freeze could not even sign in for it
    "notices.send", "notices.issue",  # a warning opens nothing
}  # fmt: skip
NO_SECOND_TIME = {"organization.found"}


def test_every_kind_says_what_a_freeze_makes_of_it() -> None:
    assert WALKS.keys() | NO_SECOND_TIME == KINDS.keys()
    assert {p for p, walk in WALKS.items() if walk.secrets} == {p for p, k in KINDS.items() if k.carries_secret}


def before_the_freeze(house: House) -> dict[str, str]:
    """Something for every kind to act on; what walks call it → its id."""
    for address in (LEO, "gone@acme.example", "zoe@acme.example"):
        do("mailboxes.create", house.olive, address=address, contact=f"x{address.replace('acme', 'home')}")
    do("mailboxes.create", house.olive, address="off@acme.example")
    do("mailboxes.suspend", house.olive, mailbox="off@acme.example")
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA, LEO])
    for name in ("Otto", "Gone", "Off"):
        do("people.invite", house.oskar, name=name, email=f"{name.lower()}@northlight.example")
    do("people.suspend", house.oskar, person="off@northlight.example")
    do("people.remove", house.oskar, person="gone@northlight.example")
    do("grants.give", house.oskar, person=OTTO, role="auditor")
    for name in ("Empty", "Off", "Gone"):
        do("clients.create", house.oskar, name=name)
    do("clients.suspend", house.oskar, client="off")
    for node in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=node)
    do("clients.create", house.oskar, name="Homeless")
    do("nodes.add", house.oskar, node="mx9", role="postroom_node_mx9")
    for name in ("gone.example", "off.example", "new.example"):
        do("domains.add", house.olive, client="acme", name=name)
    do("domains.suspend", house.olive, domain="off.example")
    for name in ("acme.example", "gone.example", "new.example"):
        as_wanted(house, name)
    with_consent(house, "mailboxes.remove", mailbox="gone@acme.example")
    with_consent(house, "domains.remove", domain="gone.example", accept_loss=True)
    with_consent(house, "clients.remove", client="gone")
    as_wanted(house, "gone.example")
    return named(house)


def with_consent(house: House, permission: str, **params: Any) -> None:
    held = do(permission, house.oskar, **params)
    assert held.stage == "held", reasons(held)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)


def named(house: House) -> dict[str, str]:
    keys = {name: the(DkimKey, domain__name=name, selector__endswith="a") for name in ("acme.example", "new.example")}
    ours("dkim_keys.make", "private key", "x", key=str(keys["acme.example"].pk), public="abcd", domain="acme.example")
    ours("sessions.open", "session", "3" * 64, person=ADA, mfa="demo", until=NEXT_YEAR)
    invites = {LEO: the(Invite, mailbox__address__address=LEO), OTTO: the(Invite, person__email=OTTO)}
    for whose, invite in invites.items():
        ours("invites.issue", "link", LINK[whose], invite=str(invite.pk))
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    submit(kind("notices.send", change=str(later.pk)), actor=CLOCK, why="a test")
    told = the(Invite, stops=later, contact="owner@northlight.example")
    ours("notices.issue", "link", LINK[NOTICE], notice=str(told.pk))
    acme = the(Domain, name="acme.example")
    wrong = [Found("high", "domains", acme.pk, acme.name, "t", str(n), client=acme.client_id) for n in range(3)]
    observed("t.freeze", wrong)
    with acting_as(SYSTEM):
        findings = [str(pk) for pk in Finding.objects.values_list("pk", flat=True)]
    for one in findings[1:]:
        do("findings.acknowledge", house.olive, finding=one)
    return {
        "finding": findings[0],
        "acknowledged": findings[1],
        "acceptance": str(the(Acceptance, finding=findings[2]).pk),
        "soon": (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds"),
        "later": str(later.pk),
        "notice": str(the(Invite, stops=later, contact="postmaster@northlight.example").pk),
        "invite": str(invites[LEO].pk),
        "unissued": str(the(Invite, mailbox__address__address="zoe@acme.example").pk),
        "grant": str(the(Grant, person__email=OTTO).pk),
        "session": str(the(ApiSession, person__email=ADA).pk),
        "key": str(keys["acme.example"].pk),
        "wanted": str(keys["new.example"].pk),
        "record_set": str(the(RecordSet, domain__name="acme.example", type="MX").pk),
        "change": str(do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77).pk),
    }


def ours(permission: str, purpose: str, value: str, /, **params: Any) -> None:
    change = submit(kind(permission, **params), actor=SYSTEM, why="a test", secrets={purpose: value})
    assert change.version, reasons(change)


def says(house: House, permission: str, ids: dict[str, str]) -> str:
    """What a proposal comes to: refused (by the freeze alone), marked, or free."""
    walk = WALKS[permission]
    params = {k: ids.get(v[1:-1], v) if isinstance(v, str) else v for k, v in walk.params.items()}
    actor = getattr(house, walk.by) if isinstance(walk.by, str) else walk.by
    one = kind(permission, **params)
    if walk.secrets:  # cannot be shown without being done
        change = submit(one, actor=actor, why="a walk", secrets={purpose: purpose * 8 for purpose in walk.secrets})
    else:
        change = dry_run(one, actor=actor).change
    found = {v["says"]: v["policy"] for v in change.verdicts if v["says"] != "hold"}
    assert set(found.values()) <= {"frozen"}, f"{permission}: {change.verdicts}"
    return {"refuse": "refused", "mark": "marked"}.get(next(iter(found), ""), "free")


def test_every_kind_meets_a_freeze(house: House) -> None:
    ids = before_the_freeze(house)
    shown = [p for p, walk in WALKS.items() if not walk.secrets and p != "freezes.end"]
    assert {p: says(house, p, ids) for p in shown} == dict.fromkeys(shown, "free"), "nothing else stands in the way"

    do("freezes.start", house.olive, scope="organization", reason="stop")
    ids["freeze"] = str(the(Freeze).pk)
    expected = {p: "free" if p in UNMARKED else "marked" if w.closes else "refused" for p, w in WALKS.items()}
    assert {p: says(house, p, ids) for p in WALKS} == expected

    do("freezes.end", house.olive, freeze=ids["freeze"])
    secret = [p for p, walk in WALKS.items() if walk.secrets]
    assert {p: says(house, p, ids) for p in secret} == dict.fromkeys(secret, "free"), "the links are still good"
