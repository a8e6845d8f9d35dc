"""Every kind, tried once: as whom, with what, in a house where there is something for each of them to act on.

A kind without a line in WALKS fails the tests that walk them all: a freeze (test_freezes.py), a sabotaged record
(test_sabotage.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cast import (
    MIA,
    House,
    app_password,
    as_wanted,
    do,
    doubted,
    kind,
    let_in,
    newest_of,
    owner_of,
    person,
    reachable,
    reasons,
    redeemed,
    the,
    waits,
)
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve
from postroom.changes.kind import Kind
from postroom.changes.pipeline import submit
from postroom.models import (
    Acceptance,
    ApiSession,
    ApiToken,
    Change,
    Delegation,
    Destination,
    Device,
    DkimKey,
    Domain,
    Finding,
    Forward,
    Grant,
    Invite,
    Login,
    Mailbox,
    Person,
    RecordedEdit,
    RecordSet,
    RecoveryChannel,
    ResetCode,
    RoundLine,
    RouteException,
    Transport,
    Verification,
)
from postroom.posture.findings import Found, observed
from routed import script

OWN = {name: f"{name}@acme.example" for name in ("change", "renew", "reset", "forgot")}
NEXT_YEAR = "2099-01-01T00:00:00Z"
ZOE = "zoe.has@acme.example"
LEO, ADA, OTTO = "leo@acme.example", "ada@northlight.example", "otto@northlight.example"

NOTICE = "the owner's notice"
RITA = "rita@northlight.example"
CHANNEL = "+442079460123"
LINK = {RITA: "6" * 64, CHANNEL: "7" * 64, LEO: "1" * 64, OTTO: "2" * 64, NOTICE: "4" * 64}


@dataclass(frozen=True)
class Walk:
    """How one kind is tried: as whom, with what. closes: it lets nobody in and nothing out, and ends something."""

    by: str | Actor | Callable[[], Actor]
    params: dict[str, Any]
    closes: bool = False
    secrets: tuple[str, ...] = ()

    def actor(self, house: House) -> Actor:
        if isinstance(self.by, str):
            found: Actor = getattr(house, self.by)
            return found
        return self.by if isinstance(self.by, Actor) else self.by()

    def kind(self, permission: str, ids: dict[str, str]) -> Kind:
        return kind(permission, **{name: _filled(value, ids) for name, value in self.params.items()})

    def values(self) -> dict[str, str]:
        return {purpose: purpose * 8 for purpose in self.secrets}


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, ids) for one in value]
    return ids.get(value[1:-1], value) if isinstance(value, str) else value


def by(who: str | Actor | Callable[[], Actor], /, *, secrets: tuple[str, ...] = (), **params: Any) -> Walk:
    return Walk(who, params, False, secrets)


def closing(who: str | Actor, /, **params: Any) -> Walk:
    return Walk(who, params, True)


WALKS: dict[str, Walk] = {
    "organization.change": by("oskar", name="Northern Light"),
    "nodes.add": by("oskar", node="mx5", role="postroom_node_mx5"),
    "nodes.drain": by("oskar", node="mx9"),
    "nodes.deliver_again": by("olive", node="mx1", object="{key}"),
    "nodes.remove": closing("oskar", node="mx9"),
    "clients.create": by("olive", name="New"),
    "clients.change": by("olive", client="acme", notes="x"),
    "clients.place": by("oskar", client="homeless", node="mx9"),
    "clients.suspend": closing("olive", client="acme"),
    "clients.resume": by("olive", client="off"),
    "clients.remove": closing("olive", client="empty"),
    "clients.restore": by("olive", client="gone"),
    "clients.mail_checkpoint": by(SYSTEM, client="told"),
    "clients.ask_contact": by("olive", client="told"),
    "domains.ask_contact": by("olive", domain="off.example"),
    "domains.add": by("olive", client="acme", name="more.example"),
    "domains.change": by("olive", domain="acme.example", registrar="R"),
    "domains.suspend": closing("olive", domain="acme.example"),
    "domains.resume": by("olive", domain="off.example"),
    "domains.remove": by("olive", domain="off.example", accept_loss=True),
    "domains.restore": by("olive", domain="gone.example"),
    "domains.prove": by(SYSTEM, domain="new.example", proof="a test"),
    "record_sets.set": by("olive", domain="acme.example", name="www.acme.example", type="A", values=["192.0.2.1"]),
    "record_sets.release": by("olive", record_set="{record_set}"),
    "dkim_keys.make": by(SYSTEM, secrets=("private key",), key="{wanted}", public="abcd", domain="new.example"),
    "dkim_keys.activate": by("olive", key="{key}"),
    "dkim_keys.rotate": by("olive", domain="signed.example", compromised=True),
    "dkim_keys.retire": closing("olive", key="{older_key}"),
    "dkim_keys.revoke": by("olive", key="{younger_key}", domain="signed.example"),
    "mailboxes.create": by("olive", address="new@acme.example"),
    "mailboxes.change": by("olive", mailbox=MIA, vip=True),
    "mailboxes.suspend": closing("olive", mailbox=MIA),
    "mailboxes.resume": by("olive", mailbox="off@acme.example"),
    "mailboxes.end_sessions": closing("olive", mailbox=MIA),
    "mailboxes.remove": closing("olive", mailbox=LEO),
    "mailboxes.restore": by("olive", mailbox="gone@acme.example"),
    "mailboxes.transfer": by("olive", mailbox=MIA, contact="new-owner@home.example"),
    "aliases.create": by("olive", address="info@acme.example", targets=[MIA]),
    "aliases.change": closing("olive", alias="sales@acme.example", targets=[MIA]),
    "aliases.remove": closing("olive", alias="sales@acme.example"),
    "domains.set_alias": by("olive", domain="new.example", of="acme.example"),
    "forwards.create": by("olive", address=MIA, to=LEO, until="{soon}"),
    "forwards.change": by("olive", forward="{forward}", until="{soon}"),
    "forwards.disable": closing("olive", forward="{forward}"),
    "forwards.enable": by("olive", forward="{disabled}"),
    "forwards.tell_owner": by("olive", mailbox=MIA, target="mia@home.test"),
    "forwards.stop": closing("olive", address="off@acme.example", target=LEO),
    "forwards.replace": by("olive", address="off@acme.example", target=LEO, to=ZOE, until="{soon}"),
    "forwards.give_way": closing(SYSTEM, delegation="{stands instead}"),
    "forwards.end": closing("olive", forward="{forward}"),
    "exceptions.create": by("olive", address=MIA, target="mia@far.example", owner="Mia", until="{soon}"),
    "exceptions.end": closing("olive", exception="{exception}"),
    "transports.create": by("olive", address="fax@acme.example", host="mx.far.example", owner="Mia", until="{soon}"),
    "transports.end": closing("olive", transport="{transport}"),
    "catch_alls.set": by("olive", domain="acme.example", target=MIA, until="{soon}"),
    "catch_alls.end": closing("olive", catch_all="off.example"),
    "probes.send": by("olive", address=MIA),
    "destinations.create": by("olive", client="acme", name="reception", targets=[MIA]),
    "destinations.change": by("olive", destination="{destination}", targets=[MIA, LEO]),
    "destinations.end": closing("olive", destination="{destination}"),
    "delegations.ask": by("olive", mailbox=MIA, to=ZOE, rights=["send-as"], until="{soon}"),
    "delegations.consent": by(lambda: owner_of(ZOE), delegation="{asked access}"),
    "delegations.decline": closing("refuse", delegation="{refused access}"),
    "delegations.end": closing("olive", delegation="{access}"),
    "filters.write": by(lambda: owner_of(ZOE), secrets=("filter",)),
    "filters.set": by("olive", mailbox=MIA, script="keep;"),
    "redirects.stop": closing("olive", mailbox=MIA, target="mia@far.example"),
    "redirects.resume": by("olive", mailbox=LEO, target="leo@far.example"),
    "filters.end": closing("olive", mailbox=LEO),
    "invites.send": by("olive", mailbox=MIA, contact="m@home.example"),
    "invites.issue": by(SYSTEM, secrets=("link",), invite="{unissued}"),
    "invites.resend": by("olive", invite="{invite}"),
    "invites.remind": by(CLOCK, invite="{invite}"),
    "invites.redirect": by("olive", invite="{invite}", contact="other@home.example"),
    "invites.cancel": closing("olive", invite="{invite}"),
    "invites.redeem": by(Actor(None, "Leo", "link", LINK[LEO]), secrets=("password", "recovery code")),
    "app_passwords.create": by(
        lambda: owner_of(ZOE), secrets=("app password",), name="Laptop", protocols=["imap"], until="{soon}"
    ),
    "doubts.raise": by(lambda: owner_of(ZOE), entry="{entry}"),
    "doubts.settle": by("olive", doubt="{doubt}", outcome="a drill"),
    "app_passwords.end": closing("olive", app_password="{app_password}"),
    "mail_apps.add": by("oskar", name="Birdmail", redirect_uris=["http://127.0.0.1/"]),
    "mail_apps.end": closing("oskar", mail_app="{mail_app}"),
    "consents.grant": by(lambda: owner_of(ZOE), app="{mail_app}", name="Tablet", protocols=["imap"], until="{soon}"),
    "consents.end": closing("olive", consent="{consent}"),
    "consents.end_all": closing(SYSTEM, client="acme", mail_app="{ended_app}"),
    "token_keys.change": by(SYSTEM, kid="k" * 43, public="p" * 124, issuer="https://postroom.example"),
    "secrets.change": by("change", secrets=("password",)),
    "secrets.renew": by("renew", secrets=("recovery code",)),
    "secrets.reset": by("code", secrets=("password", "recovery code")),
    "mailboxes.forgot": by(CLOCK, email=OWN["forgot"]),
    "recovery_channels.name": by("olive", mailbox=MIA, value="mia@home.example"),
    "recovery_channels.ask": by("olive", channel="{channel}"),
    "recovery_channels.issue": by(SYSTEM, secrets=("link",), confirmation="{confirmation}"),
    "recovery_channels.confirm": by(Actor(None, "Leo", "link", LINK[CHANNEL])),
    "recovery_channels.end": closing("olive", channel="{channel}"),
    "resets.start": by("henry", mailbox="ben@acme.example", ticket="T-1"),
    "resets.record_call": by("olive", verification="{verification}", channel="{number}", answer="right"),
    "resets.vouch": by("carl", verification="{verification}", answer="right"),
    "resets.send_link": by("olive", verification="{proven}", contact="xzoe@home.example"),
    "resets.end": by("henry", verification="{verification}"),
    "resets.declare_emergency": by("olive", verification="{vip}", reason="x"),
    "resets.waive_wait": by("carl", verification="{urgent}"),
    "resets.ask_code": by("henry", verification="{verification}", channel="{home}"),
    "resets.issue_code": by(SYSTEM, secrets=("reset code",), code="{code}"),
    "resets.enter_code": by("henry", secrets=("read out",), verification="{coded}", said="00000000"),
    "notices.send": by(CLOCK, change="{later}"),
    "notices.issue": by(SYSTEM, secrets=("link",), notice="{notice}"),
    "notices.stop": closing(Actor(None, "who was told", "link", LINK[NOTICE])),
    "people.invite": by("oskar", name="N", email="n@northlight.example"),
    "people.change": by("oskar", person=OTTO, name="O"),
    "people.suspend": closing("oskar", person=OTTO),
    "people.resume": by("oskar", person="off@northlight.example"),
    "people.remove": closing("oskar", person=OTTO),
    "people.restore": by("oskar", person="gone@northlight.example"),
    "people.forgot": by(CLOCK, email=RITA),
    "people.issue_recovery": by(SYSTEM, secrets=("link",), recovery="{recovery}"),
    "people.recover": by(Actor(None, "Rita", "link", LINK[RITA]), person=RITA),
    "people.regain": by(Actor(None, "Rita", "link", LINK[RITA])),
    "people.seal": by(SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example"),
    "people.print_link": by(SYSTEM, secrets=("link",), person=ADA),
    "people.enrol": closing(Actor(None, "Otto", "link", LINK[OTTO])),
    "grants.give": by("oskar", person=OTTO, role="auditor", client="acme"),
    "grants.end": closing("oskar", grant="{grant}"),
    "grants.elevate": by("henry", role="approver", client="acme", hours=2),
    "roles.create": by("oskar", name="dns editor", permissions=["record_sets.set"]),
    "roles.change": by("oskar", role="mail desk", permissions=["mailboxes.suspend"]),
    "roles.end": closing("oskar", role="mail desk"),
    "tokens.create": by("olive", secrets=("token",), name="CI", permissions=["domains.view"], until="{soon}"),
    "tokens.end": closing("olive", token="{token}"),
    "access.suspend": closing("carl", client="acme"),
    "access.resume": by("pia", client="shut"),
    "devices.register": by(SYSTEM, person=ADA, network="192.0.0.0/16", browser="Firefox on Linux"),
    "people.tell_of_factor": by(SYSTEM, person=ADA, factor="totp", source="192.0.2.1"),
    "devices.forget": closing(SYSTEM, device="{device}"),
    "sessions.open": by(SYSTEM, secrets=("session",), person=ADA, mfa="demo", until=NEXT_YEAR),
    "sessions.end": closing("oskar", session="{session}"),
    "freezes.start": by("olive", scope="acme", reason="one more"),
    "freezes.end": closing("olive", freeze="{freeze}"),
    "findings.acknowledge": by("olive", finding="{finding}"),
    "findings.accept": by("olive", finding="{finding}", reason="x", until="{soon}"),
    "findings.reopen": closing("olive", finding="{acknowledged}"),
    "findings.lapse": closing(CLOCK, acceptance="{acceptance}"),
    "access_reviews.open": by(SYSTEM, client="acme"),
    "access_reviews.sign": by("ada", line="{right}", answer="keep"),
    "rosters.open": by(SYSTEM, client="acme"),
    "rosters.answer": by("olive", line="{box}", answer="here"),
    "history.roll_back": by("olive", change="{change}"),
    "record.erase": by("oskar", lines=["{line}"], reason="somebody asked for it"),
}  # fmt: skip
NO_SECOND_TIME = {"organization.found"}  # there is one already


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def something_for_each(house: House) -> dict[str, str]:
    """Something for every kind to act on; what walks call it → its id. A freeze is the test's own to start."""
    for address in (LEO, "gone@acme.example", "zoe@acme.example"):
        do("mailboxes.create", house.olive, address=address, contact=f"x{address.replace('acme', 'home')}")
    owned = {name: _owned(house, address) for name, address in OWN.items()}
    house.change, house.renew = (Actor(None, "x", "owner", **owned[name]) for name in ("change", "renew"))
    house.code = Actor(None, "x", "code", "{HASH}c", **owned["reset"])
    do("mailboxes.create", house.olive, address="off@acme.example")
    do("mailboxes.suspend", house.olive, mailbox="off@acme.example")
    do("mailboxes.create", house.olive, address=ZOE, contact="zoe.has@home.test")
    redeemed(ZOE)
    script(MIA, {"to": "mia@home.test"})
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA, LEO])
    for name in ("Otto", "Gone", "Off", "Rita"):
        do("people.invite", house.oskar, name=name, email=f"{name.lower()}@northlight.example")
    do("people.suspend", house.oskar, person="off@northlight.example")
    do("people.remove", house.oskar, person="gone@northlight.example")
    do("grants.give", house.oskar, person=OTTO, role="auditor")
    for name in ("Empty", "Off", "Gone", "Shut"):
        do("clients.create", house.oskar, name=name)
    do("clients.suspend", house.oskar, client="off")
    do("clients.create", house.oskar, name="Told", security_contact="security@told.example")
    do("people.invite", house.oskar, name="Pia", email="pia@shut.example", client="shut")
    do("grants.give", house.oskar, person="pia@shut.example", role="client admin", client="shut")
    house.pia = person("pia@shut.example", house.oskar)
    do("access.suspend", house.pia, client="shut")
    do("roles.create", house.oskar, name="mail desk", permissions=["mailboxes.view"])
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="T", permissions=["domains.view"], until=soon())
    for node in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=node)
    do("clients.create", house.oskar, name="Homeless")
    do("nodes.add", house.oskar, node="mx9", role="postroom_node_mx9")
    for name in ("gone.example", "off.example", "new.example"):
        do("domains.add", house.olive, client="acme", name=name, registrar_account=f"domains@{name}")
    do("domains.suspend", house.olive, domain="off.example")
    for name in ("acme.example", "gone.example", "new.example"):
        as_wanted(house, name)
    _with_consent(house, "mailboxes.remove", mailbox="gone@acme.example")
    _with_consent(house, "domains.remove", domain="gone.example", accept_loss=True)
    _with_consent(house, "clients.remove", client="gone")
    as_wanted(house, "gone.example")
    return _named(house) | _passed_on(house) | _delegated(house)


def _passed_on(house: House) -> dict[str, str]:
    """Forwards, an exception by which nothing goes yet, and a catch-all of a domain that is suspended."""
    soon = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    for address in ("off@acme.example", "zoe@acme.example"):
        do("forwards.create", house.olive, address=address, to=LEO, until=soon)
    ids = [str(the(Forward, address__address=one).pk) for one in ("off@acme.example", "zoe@acme.example")]
    do("forwards.disable", house.olive, forward=ids[1])
    do("catch_alls.set", house.olive, domain="off.example", target=MIA, until=soon)
    asked = {"address": LEO, "target": "leo@far.example", "owner": "Leo", "until": soon}
    _with_consent(house, "exceptions.create", **asked)
    asked = {"address": "tickets@acme.example", "host": "mx.far.example", "owner": "Leo", "until": soon}
    _with_consent(house, "transports.create", **asked)
    do("destinations.create", house.olive, client="acme", name="invoicing", targets=[LEO])
    return {
        "destination": str(the(Destination).pk),
        "forward": ids[0],
        "disabled": ids[1],
        "exception": str(the(RouteException).pk),
        "transport": str(the(Transport).pk),
    }


def _delegated(house: House) -> dict[str, str]:
    """Zoe is asked twice; what she has at the shared mailbox started at once."""
    do("mailboxes.create", house.olive, address="team@acme.example", kind="shared")
    do("filters.set", house.olive, mailbox=LEO, script="keep;")
    do("redirects.stop", house.olive, mailbox=LEO, target="leo@far.example")
    house.refuse = owner_of(ZOE)
    found = {}
    for name, mailbox, to in (
        ("asked access", ZOE, LEO), ("refused access", ZOE, MIA), ("access", "team@acme.example", ZOE)
    ):  # fmt: skip
        do("delegations.ask", house.olive, mailbox=mailbox, to=to, rights=["send-as"], until=soon())
        where = {"mailbox__address__address": mailbox, "to_mailbox__address__address": to}
        found[name] = str(the(Delegation, **where).pk)
    do("forwards.create", house.olive, address="team@acme.example", to=LEO, until=soon())
    do("forwards.replace", house.olive, address="team@acme.example", target=LEO, to=MIA)
    found["stands instead"] = str(the(Delegation, to_mailbox__address__address=MIA, started_at__isnull=False).pk)
    return found


def _owned(house: House, address: str) -> dict[str, Any]:
    """A mailbox whose owner set its secret, and named an address long enough ago that it counts."""
    do("mailboxes.create", house.olive, address=address, contact="own@home.example")
    redeemed(address)
    reachable(house, address, "back@home.example", link=sha256(address.encode()).hexdigest())
    box = the(Mailbox, address__address=address)
    return {"mailbox": box.pk, "epoch": box.access_epoch}


def _with_consent(house: House, permission: str, **params: Any) -> None:
    held = do(permission, house.oskar, **params)
    assert held.stage == "held", reasons(held)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)


def _named(house: House) -> dict[str, str]:
    keys = {name: the(DkimKey, domain__name=name, selector__endswith="a") for name in ("acme.example", "new.example")}
    _ours("dkim_keys.make", "private key", "x", key=str(keys["acme.example"].pk), public="abcd", domain="acme.example")
    as_wanted(house, "acme.example")
    _ours("sessions.open", "session", "3" * 64, person=ADA, mfa="demo", until=NEXT_YEAR)
    invites = {LEO: the(Invite, mailbox__address__address=LEO), OTTO: the(Invite, person__email=OTTO)}
    for whose, invite in invites.items():
        _ours("invites.issue", "link", LINK[whose], invite=str(invite.pk))
    with acting_as(SYSTEM):
        Login.objects.create(email=RITA, person=Person.objects.get(email=RITA))
    submit(kind("people.forgot", email=RITA), actor=CLOCK, why="a test")
    recovery = the(Invite, person__email=RITA, recovers="password")
    _ours("people.issue_recovery", "link", LINK[RITA], recovery=str(recovery.pk))
    for value in ("leo@home.example", CHANNEL):
        do("recovery_channels.name", house.olive, mailbox=LEO, value=value)
    asked = {one: the(Invite, confirms__value=one) for one in ("leo@home.example", CHANNEL)}
    _ours("recovery_channels.issue", "link", LINK[CHANNEL], confirmation=str(asked[CHANNEL].pk))
    do("devices.register", SYSTEM, person=ADA, network="198.51.0.0/16", browser="Safari on iOS")
    unknown = doubted(ZOE)
    phone = app_password(ZOE, "Phone")
    letting, ended = let_in(house, ZOE, "Desk"), let_in(house, ZOE, "Old desk", app="Mail of before")
    do("mail_apps.end", house.oskar, mail_app=str(ended.app_id))
    later = waits("mailboxes.suspend", house.olive, mailbox=MIA)
    submit(kind("notices.send", change=str(later.pk)), actor=CLOCK, why="a test")
    told = the(Invite, stops=later, contact="owner@northlight.example")
    _ours("notices.issue", "link", LINK[NOTICE], notice=str(told.pk))
    acme = the(Domain, name="acme.example")
    wrong = [Found("high", "domains", acme.pk, acme.name, "t", str(n), client=acme.client_id) for n in range(3)]
    observed("t.freeze", wrong)
    with acting_as(SYSTEM):
        findings = [str(pk) for pk in Finding.objects.values_list("pk", flat=True)]
    for sort in ("access_reviews.open", "rosters.open"):
        do(sort, house.oskar, client="globex")
    for one in findings[1:]:
        do("findings.acknowledge", house.olive, finding=one)
    return {
        "finding": findings[0],
        "acknowledged": findings[1],
        "acceptance": str(the(Acceptance, finding=findings[2]).pk),
        "right": str(the(RoundLine, name="owner of Oskar").pk),
        "box": str(the(RoundLine, name="mia@globex.example").pk),
        "device": str(the(Device).pk),
        "channel": str(the(RecoveryChannel, value="leo@home.example").pk),
        "confirmation": str(asked["leo@home.example"].pk),
        **_resets(house),
        **_rotating(house),
        "later": str(later.pk),
        "app_password": str(phone.pk),
        "doubt": str(unknown.pk),
        "entry": str(newest_of(ZOE)),
        "mail_app": str(letting.app_id),
        "ended_app": str(ended.app_id),
        "consent": str(letting.pk),
        "recovery": str(recovery.pk),
        "soon": soon(),
        "token": str(the(ApiToken).pk),
        "notice": str(the(Invite, stops=later, contact="postmaster@northlight.example").pk),
        "invite": str(invites[LEO].pk),
        "unissued": str(the(Invite, mailbox__address__address="zoe@acme.example").pk),
        "grant": str(the(Grant, person__email=OTTO).pk),
        "session": str(the(ApiSession, person__email=ADA).pk),
        "key": str(keys["acme.example"].pk),
        "wanted": str(keys["new.example"].pk),
        "record_set": str(the(RecordSet, domain__name="acme.example", type="MX").pk),
        "line": f"{head_of(do('clients.change', house.olive, client='off', notes='x'))}.0",
        "change": str(do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=77).pk),
    }


def _rotating(house: House) -> dict[str, str]:
    """A domain whose keys sign; of those after them one is made."""
    do("domains.add", house.olive, client="acme", name="signed.example")
    for n, public in enumerate(("abcd", "A" * 43 + "=", "efgh")):
        if n == 2:
            do("dkim_keys.rotate", house.olive, domain="signed.example")
        as_wanted(house, "signed.example")
        rsa = {"algorithm": "ed25519" if n == 1 else "rsa-2048"}
        key = the(DkimKey, domain__name="signed.example", activated_at=None, **rsa)
        _ours("dkim_keys.make", "private key", "x", key=str(key.pk), public=public, domain="signed.example")
        as_wanted(house, "signed.example")
        if n < 2:
            do("dkim_keys.activate", SYSTEM, key=str(key.pk))
    older = the(DkimKey, domain__name="signed.example", algorithm="ed25519", activated_at__isnull=False)
    return {"older_key": str(older.pk), "younger_key": str(key.pk)}


def _resets(house: House) -> dict[str, str]:
    """Ben's waits for its proofs, and his number and his address count; Cleo's has the one it needs; Cora was sent a
    code."""
    found = {}
    for n, who in enumerate(("ben", "cleo", "cora")):
        box = f"{who}@acme.example"
        do("mailboxes.create", house.olive, address=box, contact="xzoe@home.example")
        _has_secret(box, f"{n}b" * 32)
        do("resets.start", house.henry, mailbox=box, ticket="T-1")
        found[who] = str(the(Verification, mailbox__address__address=box).pk)
    assert do("resets.vouch", house.carl, verification=found["cleo"], answer="right").version
    number = reachable(house, "ben@acme.example", "+442079460999", link="0c" * 32)
    home, coras = (reachable(house, f"{who}@acme.example", f"{who}@far.example", link=f"0{n}" * 32)
                   for n, who in enumerate(("ben", "cora"), 5))  # fmt: skip
    do("resets.ask_code", house.henry, verification=found["cora"], channel=str(coras.pk))
    code = str(the(ResetCode).pk)
    _ours("resets.issue_code", "reset code", "0d" * 32, code=code)
    return {"verification": found["ben"], "proven": found["cleo"], "number": str(number.pk), "home": str(home.pk),
            "coded": found["cora"], "code": code, **_vips(house)}  # fmt: skip


def _has_secret(box: str, link: str) -> None:
    _ours("invites.issue", "link", link, invite=str(the(Invite, mailbox__address__address=box).pk))
    secrets = {"password": "{HASH}p", "recovery code": "{HASH}c"}
    assert do("invites.redeem", Actor(None, box, "link", link), secrets=secrets).version


def _vips(house: House) -> dict[str, str]:
    """Two whose link waits for the time to object; of the second an emergency was declared."""
    found = {}
    for n, who in enumerate(("vip", "urgent")):
        box = f"{who}@acme.example"
        do("mailboxes.create", house.olive, address=box, contact="xzoe@home.example")
        _has_secret(box, f"{n}e" * 32)
        number = reachable(house, box, "+442079460998", link=f"c{n}" * 32)
        reachable(house, box, f"{who}@far.example", link=f"d{n}" * 32)
        do("mailboxes.change", house.olive, mailbox=box, vip=True)
        do("resets.start", house.henry, mailbox=box, ticket="T-1")
        found[who] = str(the(Verification, mailbox__address__address=box).pk)
        do("resets.record_call", house.olive, verification=found[who], channel=str(number.pk), answer="right")
        do("resets.vouch", house.carl, verification=found[who], answer="right")
        do("resets.send_link", house.oskar, verification=found[who], contact=f"{who}@far.example")
    do("resets.declare_emergency", house.olive, verification=found["urgent"], reason="x")
    return found


def head_of(change: Change) -> int:
    """The entry in which its newest move stands."""
    with acting_as(SYSTEM):
        return int(RecordedEdit.objects.filter(table="changes", row=change.pk).latest("entry_id").entry_id)


def _ours(permission: str, purpose: str, value: str, /, **params: Any) -> None:
    change = submit(kind(permission, **params), actor=SYSTEM, why="a test", secrets={purpose: value})
    assert change.version, reasons(change)
