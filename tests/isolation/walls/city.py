"""Three clients with something of every sort in each, and somebody of every sort who may see some of it.

Acme and Globex are the cast's (tests/cast.py); Initech comes along. Tess works for Acme and for Initech. Whatever a
client has of its own says so: CANARY and its slug stand in every text that somebody may type.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from cast import (
    House,
    app_password,
    do,
    doubted,
    holds,
    kind,
    let_in,
    person,
    reachable,
    reasons,
    redeemed,
    the,
    waits,
)
from postroom.access.acting import SYSTEM, Actor, acting_as, token_of
from postroom.changes.approvals import approve
from postroom.changes.batch import submit_batch
from postroom.changes.looks import look
from postroom.changes.pipeline import submit
from postroom.models import Address, Client, Domain, Finding, Freeze, Grant, Invite, Mailbox, RecordedEdit, Verification
from postroom.posture.findings import Found, observed

SLUGS = ("acme", "globex", "initech")
ALL = frozenset(SLUGS)


def canary(slug: str) -> str:
    return f"CANARY-{slug.upper()}"


def later(**ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(**(ahead or {"days": 30}))).isoformat()


@dataclass
class City:
    """knows: which clients each principal may know, by name; who: the principals themselves."""

    house: House
    who: dict[str, Actor] = field(default_factory=dict)
    knows: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, actor: Actor, *slugs: str) -> Actor:
        self.who[name], self.knows[name] = actor, frozenset(slugs)
        return actor


# name → the role, where (a client, or a domain), and of which client they are themselves
NEW = {
    "otto": ("operator", {"client": "acme"}, None),
    "tess": ("operator", {"client": "acme"}, None),
    "connie": ("operator", {"domain": "acme.example"}, None),
    "vera": ("client viewer", {"client": "acme"}, "acme"),
    "gina": ("client admin", {"client": "globex"}, "globex"),
    "ivan": ("client admin", {"client": "initech"}, "initech"),
    "sam": ("client admin", {"client": "acme"}, None),
}
READ = ["mailboxes.view", "clients.view", "domains.view", "people.view", "changes.view"]
TOKENS = {"token": "a" * 64, "wide token": "b" * 64}
LINK = "c" * 64


def built(house: House) -> City:
    """By submitting changes, but for what observers and machinery write, and tests of walls alone look at."""
    do("clients.create", house.oskar, name="Initech")
    do("domains.add", house.oskar, client="initech", name="initech.example")
    do("domains.prove", SYSTEM, domain="initech.example", proof="a test")
    do("mailboxes.create", house.oskar, address="mia@initech.example", name="Mia")
    city = City(house)
    for name in ("oskar", "olive", "ada", "henry", "audrey"):
        city.add(name, getattr(house, name), *SLUGS)
    city.add("carl", house.carl, "acme")
    for name, (role, where, home) in NEW.items():
        slugs = [] if name == "sam" else [where.get("client") or "acme"]
        city.add(name, joined(house, name, role, where, home), *slugs)
    given(house, "tess@northlight.example", "operator", client="initech")
    city.knows["tess"] = frozenset({"acme", "initech"})
    do("people.suspend", house.oskar, person="sam@northlight.example")
    do("people.invite", house.oskar, name="Stranger", email="stranger@northlight.example")
    city.add("stranger", person("stranger@northlight.example", house.oskar))
    do("people.seal", SYSTEM, name="Sealed", email="sealed@northlight.example")
    city.add("sealed", person("sealed@northlight.example", SYSTEM), *SLUGS)
    for slug in SLUGS:
        furnished(house, slug)
    _tokens(city)
    _link(city)
    return city


def joined(house: House, name: str, role: str, where: dict[str, str], home: str | None) -> Actor:
    email = f"{name}@{home or 'northlight'}.example"
    do("people.invite", house.oskar, name=name.title(), email=email, client=home)
    given(house, email, role, **where)
    return person(email, house.oskar)


def given(house: House, email: str, role: str, **where: Any) -> None:
    change = do("grants.give", house.oskar, person=email, role=role, **where)
    if change.stage == "held":
        change = approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert change.version, (email, change.stage, reasons(change))


def furnished(house: House, slug: str) -> None:
    """Something in every table that belongs to a client."""
    word, zone, olive = canary(slug), f"{slug}.example", house.olive
    do(
        "clients.change",
        olive,
        client=slug,
        notes=word,
        security_contact=f"security@{slug}.test",
        may_ask=[f"m@{slug}.test"],
    )
    do("domains.change", olive, domain=zone, registrar_holder=word, registrar_account=f"domains@{slug}.test")
    do("mailboxes.create", olive, address=f"leo@{zone}", name=word, contact=f"leo@{slug}.test")
    do("mailboxes.create", olive, address=f"gone@{zone}", name=word)
    do("mailboxes.create", olive, address=f"own@{zone}", name=word)
    do("mailboxes.create", olive, address=f"dev@{zone}", name=word, contact=f"dev@{slug}.test")
    redeemed(f"dev@{zone}")
    app_password(f"dev@{zone}", word)
    doubted(f"dev@{zone}")
    let_in(house, f"dev@{zone}", f"{word} laptop")
    do("recovery_channels.name", olive, mailbox=f"leo@{zone}", value=f"leo@{slug}.test", name=word)
    asked = {"mailbox": f"leo@{zone}", "to": f"mia@{zone}", "rights": ["send-on-behalf"]}
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
    submit(kind("delegations.ask", **asked, until=until), actor=olive, why=word)
    do("filters.set", olive, mailbox=f"leo@{zone}", script=f"# {word}\nkeep;")
    submit(kind("redirects.stop", mailbox=f"leo@{zone}", target="leo@far.example"), actor=olive, why=word)
    do("mailboxes.create", olive, address=f"rex@{zone}", name=word, contact=f"rex@{slug}.test")
    redeemed(f"rex@{zone}")
    number = reachable(house, f"rex@{zone}", "+442079460123", link=slug[0] * 32 + "0" * 32)
    do("resets.start", house.henry, mailbox=f"rex@{zone}", ticket=word)
    session = str(the(Verification, mailbox__address__address=f"rex@{zone}").pk)
    do("resets.record_call", olive, verification=session, channel=str(number.pk), answer="wrong")
    home = reachable(house, f"rex@{zone}", f"rex@home.{slug}.test", link=slug[0] * 32 + "1" * 32)
    do("resets.ask_code", house.henry, verification=session, channel=str(home.pk))
    do("aliases.create", olive, address=f"sales@{zone}", targets=[f"mia@{zone}"])
    _routes(house, slug)
    holds(house, zone, {(f"{zone}.", "MX"): ["10 mx.other.example."]})
    do("record_sets.set", olive, domain=zone, name=f"www.{zone}", type="TXT", values=[word])
    do("people.invite", house.oskar, name=word, email=f"somebody@{zone}", client=slug)
    given(house, f"somebody@{zone}", "client viewer", client=slug)
    do("freezes.start", olive, scope=slug, reason=word)
    do("freezes.end", olive, freeze=str(the_freeze(slug)))
    do("clients.mail_checkpoint", SYSTEM, client=slug)
    _invites_and_keys(slug)
    waits("mailboxes.suspend", olive, mailbox=f"leo@{zone}")
    held = do("mailboxes.remove", olive, mailbox=f"gone@{zone}")
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    do("mailboxes.remove", olive, mailbox=f"own@{zone}")  # this one waits
    do("access_reviews.open", house.oskar, client=slug)
    do("rosters.open", house.oskar, client=slug)
    do("nodes.deliver_again", olive, node="mx1", object=str(the(Address, address=f"leo@{zone}").pk))
    _findings(house, slug)
    _record(house, slug)
    _machinery(slug)


def _routes(house: House, slug: str) -> None:
    """Mail that goes on inside, what is nobody's, and a way out that nothing takes yet."""
    zone, olive = f"{slug}.example", house.olive
    do("forwards.create", olive, address=f"going@{zone}", to=f"mia@{zone}", until=later())
    do("forwards.create", olive, address=f"dev@{zone}", to=f"mia@{zone}", until=later())
    do("catch_alls.set", olive, domain=zone, target=f"mia@{zone}", until=later())
    asked = {"address": f"going@{zone}", "target": f"going@{slug}.test", "owner": canary(slug), "until": later()}
    held = do("exceptions.create", olive, **asked)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    asked = {"address": f"handed@{zone}", "host": f"mx.{slug}.test", "owner": canary(slug), "until": later()}
    held = do("transports.create", olive, **asked)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    do("probes.send", olive, address=f"mia@{zone}")
    do("destinations.create", olive, client=slug, name=canary(slug), targets=[f"mia@{zone}"])


def the_freeze(slug: str) -> Any:
    return the(Freeze, client__slug=slug, ended_at=None).pk


def _invites_and_keys(slug: str) -> None:
    invite = the(Invite, mailbox__address__address=f"leo@{slug}.example")
    link = LINK if slug == "acme" else slug[0] * 64
    submit(kind("invites.issue", invite=str(invite.pk)), actor=SYSTEM, why="a test", secrets={"link": link})
    email, until = f"somebody@{slug}.example", later(hours=6)
    do("sessions.open", SYSTEM, secrets={"session": slug * 9}, person=email, mfa="a test", until=until)


def _findings(house: House, slug: str) -> None:
    client, domain = the(Client, slug=slug), the(Domain, name=f"{slug}.example")
    wrong = Found("high", "domains", domain.pk, canary(slug), canary(slug), client=client.pk, domain=domain.pk)
    observed(f"t.{slug}", [wrong])
    with acting_as(SYSTEM):
        finding = str(Finding.objects.get(client=client.pk, check_name=f"t.{slug}").pk)
    do("findings.acknowledge", house.olive, finding=finding, reason=canary(slug))


def _record(house: House, slug: str) -> None:
    told = do("clients.change", house.olive, client=slug, name=f"{slug.title()} {canary(slug)}")
    with acting_as(SYSTEM):
        head = RecordedEdit.objects.filter(table="changes", row=told.pk).latest("entry_id").entry_id
    held = do("record.erase", house.oskar, lines=[f"{head}.0"], reason="asked for")
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
    with acting_as(house.olive) as access:
        box = Mailbox.objects.select_related("address").get(address__address=f"leo@{slug}.example")
        look(access, "mailboxes", id=box.pk, client=box.client_id, label=box.label)

    submit_batch(
        [kind("mailboxes.change", mailbox=f"mia@{slug}.example", quota_mb=99)], actor=house.olive, why=canary(slug)
    )


MACHINERY = (
    "INSERT INTO evidence (at, node_id, client_id, change_id, object, object_id, found)"
    " SELECT now(), c.node_id, c.id, h.id, 'address', c.id, to_jsonb(%(word)s::text)"
    " FROM clients c JOIN changes h ON h.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO server_readings (at, client_id, domain_id, server, said, failed)"
    " SELECT now(), c.id, d.id, 'ns1.' || d.name, to_jsonb(%(word)s::text), ''"
    " FROM clients c JOIN domains d ON d.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO sign_ins (at, client_id, domain_id, mailbox_id, node_id, number, protocol, address, network,"
    " success, refused, credential, session, program, times) SELECT now(), c.id, c.id, m.id, c.node_id,"
    " hashtext(c.slug), 'imap', '', '', true, false, '', '', %(word)s, 1"
    " FROM clients c JOIN mailboxes m ON m.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO sign_in_places (at, client_id, domain_id, mailbox_id, network, program, protocol, address, last,"
    " wanted, told_to) SELECT now(), c.id, c.id, m.id, '', %(word)s, 'imap', '', now(), false, '{}'"
    " FROM clients c JOIN mailboxes m ON m.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO live_sessions (at, client_id, domain_id, mailbox_id, node_id, key, protocol, address, credential)"
    " SELECT now(), c.id, c.id, m.id, c.node_id, %(word)s, 'imap', '', ''"
    " FROM clients c JOIN mailboxes m ON m.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO sieve_scripts (at, first, client_id, domain_id, mailbox_id, node_id, name, active, digest, text, cut,"
    " redirects, vacation, discards, unreadable) SELECT now(), now(), c.id, c.id, m.id, c.node_id, %(word)s, true, '',"
    " %(word)s, false, '[]', false, '', '' FROM clients c JOIN mailboxes m ON m.client_id = c.id"
    " WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO last_hits (at, client_id, domain_id, source, target) SELECT now(), c.id, c.id, 'mia@' || c.slug,"
    " %(word)s FROM clients c WHERE c.slug = %(slug)s",
    "INSERT INTO postures (at, since, client_id, domain_id, level, levels, results, unfinished) SELECT now(), now(),"
    " c.id, d.id, 'bad', '{}', jsonb_build_array(%(word)s::text), '' FROM clients c JOIN domains d"
    " ON d.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO probe_landings (at, client_id, domain_id, probe_id, sort, address, predicted, sometimes, why, folder,"
    " status, said) SELECT now(), p.client_id, p.domain_id, p.id, 'mailbox', %(word)s, true, false, '', '', '',"
    " %(word)s FROM clients c JOIN probes p ON p.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO mailed (at, client_id, contact, token, state, status, said) SELECT now(), c.id, %(word)s, c.slug,"
    " 'bounced', '', %(word)s FROM clients c WHERE c.slug = %(slug)s",
    "INSERT INTO reviews (change_id, client_id, reason, until) SELECT h.id, h.client_id, %(word)s, now()"
    " FROM clients c JOIN changes h ON h.client_id = c.id WHERE c.slug = %(slug)s LIMIT 1",
    "INSERT INTO places (entry_id, client_id, log_index, client_index) SELECT e.id, e.client_id, e.id,"
    " e.id FROM entries e JOIN clients c ON c.id = e.client_id WHERE c.slug = %(slug)s ON CONFLICT DO NOTHING",
)


def _machinery(slug: str) -> None:
    """What nodes, policies and the sequencer would have written by now."""
    with acting_as(SYSTEM), connection.cursor() as cursor:
        for statement in MACHINERY[:-1]:
            cursor.execute(statement, {"slug": slug, "word": canary(slug)})


def _tokens(city: City) -> None:
    house, until = city.house, later(days=3)
    asked = {"name": canary("acme"), "permissions": READ, "until": until}
    do("tokens.create", house.carl, secrets={"token": TOKENS["token"]}, **asked, clients=["acme"])
    asked = {"name": "wide", "permissions": [*READ, "mailboxes.change", "mailboxes.suspend"], "until": until}
    do("tokens.create", house.oskar, secrets={"token": TOKENS["wide token"]}, **asked, clients=["acme"])
    for slug, who in (("globex", "gina"), ("initech", "ivan")):
        asked = {"name": canary(slug), "permissions": READ, "until": until}
        do("tokens.create", city.who[who], secrets={"token": slug * 9}, **asked)
    for name, hashed in TOKENS.items():
        found = token_of(hashed)
        assert found
        city.add(name, found[0], "acme")


def _link(city: City) -> None:
    box = the(Mailbox, address__address="mia@acme.example")
    owner = Actor(None, "the owner of Mia's mailbox", "owner", mailbox=box.pk, epoch=box.access_epoch)
    city.add("owner", owner, "acme")
    city.add("link", Actor(None, "whoever holds Leo's link", "link", LINK), "acme")


def grant_of(email: str, **where: Any) -> str:
    return str(the(Grant, person__email=email, ended_at=None, **where).pk)
