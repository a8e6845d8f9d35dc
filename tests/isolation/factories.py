"""One object of every model that belongs to a client, for each client, made as the product makes it.

A model with a way to a client and without a line here fails test_world.py: what is not in this world is tried by no
cell of the matrix. The factories run in the order they stand in; each leaves what it made in `ids` of its ground.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db import models
from django.utils import timezone
from three_clients import Ground, World, done, joins, ours

from cast import agreed, app_password, do, doubted, holds, kind, let_in, owner_of, reachable, the, waits
from postroom.access import devices
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.tokens import draw, used
from postroom.changes import saved_views
from postroom.changes.approvals import approve, withdraw
from postroom.changes.batch import submit_batch, withdraw_batch
from postroom.changes.looks import look
from postroom.changes.pipeline import submit
from postroom.models import (
    Acceptance,
    Address,
    Alias,
    ApiSession,
    ApiToken,
    Approval,
    Batch,
    CatchAll,
    Change,
    Client,
    Credential,
    Delegation,
    Delivery,
    Destination,
    Device,
    DeviceCode,
    DkimKey,
    Domain,
    Doubt,
    Due,
    Entry,
    Erasure,
    Evidence,
    Filter,
    Finding,
    Forward,
    Freeze,
    Grant,
    Invite,
    LastHit,
    LeftRead,
    Letter,
    LiveSession,
    Login,
    LookedAt,
    Mailbox,
    Mailed,
    Node,
    NodeTodo,
    Person,
    Place,
    Posture,
    Probe,
    ProbeLanding,
    Proof,
    Reading,
    RecordedEdit,
    RecordSet,
    RecoveryChannel,
    Redelivery,
    RedirectStop,
    Report,
    ResetCode,
    Review,
    Round,
    RoundLine,
    RouteException,
    SavedView,
    Secret,
    ServerReading,
    SieveAsked,
    SieveRead,
    SieveScript,
    SignIn,
    SignInPlace,
    Subject,
    TokenUse,
    Transport,
    Verification,
)
from postroom.posture.findings import Found, observed
from web.visitors import login

Factory = Callable[[World, Ground], None]
FACTORIES: dict[type[models.Model], Factory] = {}
# Rows that hold no word anybody typed: numbers, hashes, ids and our own words.
WORDLESS = {Approval, Due, Entry, LookedAt, NodeTodo, Place, Proof, Redelivery, ResetCode, Round, Secret, TokenUse}
AGENT = "Browser of {canary}"


def makes(*made: type[models.Model]) -> Callable[[Factory], Factory]:
    """The factory of these models; of several, where one act makes all of them."""

    def register(factory: Factory) -> Factory:
        FACTORIES.update(dict.fromkeys(made, factory))
        return factory

    return register


def furnish(world: World, here: Ground) -> None:
    """Everything, in order."""
    for factory in dict.fromkeys(FACTORIES.values()):
        factory(world, here)


def soon(days: int = 30) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@makes(Client)
def client(world: World, here: Ground) -> None:
    contact = here.at("security")
    done(world.house, "clients.create", world.house.oskar, name=here.canary, security_contact=contact,
         may_ask=[here.at("boss")], notes=here.words("wants calls before nine"))  # fmt: skip
    here.ids["client"] = str(the(Client, slug=here.slug).pk)


@makes(Domain, Address, Alias, DkimKey, Delivery, NodeTodo)
def domain(world: World, here: Ground) -> None:
    """Its role accounts and two wanted keys come with it; `waiting` is one more, whose proof was not read yet."""
    olive = world.house.olive
    known = {"registrar": here.words("registrar"), "registrar_holder": here.words("holder"),
             "registrar_account": here.at("hostmaster"), "registrar_account_holder": here.words("reader"),
             "dns_holder": here.words("keeper")}  # fmt: skip
    for name in (here.domain, f"second-{here.domain}", f"waiting-{here.domain}"[-250:]):
        done(world.house, "domains.add", olive, client=here.slug, name=name, **known)
    for name in (here.domain, f"second-{here.domain}"):
        ours("domains.prove", domain=name, proof=here.words("proof"))
    row = the(Domain, name=here.domain)
    here.ids |= {"domain": str(row.pk), "second": str(the(Domain, name=f"second-{here.domain}").pk)}
    key = the(DkimKey, domain=row, selector__endswith="a")
    public = here.mark.replace("-", "") + "AAAA"
    ours("dkim_keys.make", {"private key": "x"}, key=str(key.pk), public=public, domain=here.domain)
    here.ids |= {"key": str(key.pk), "address": str(the(Address, address=here.at("postmaster")).pk)}


@makes(Mailbox, Invite, Secret)
def mailbox(world: World, here: Ground) -> None:
    """`mia` has an open invite whose link is `invite`; `leo` one that was never issued."""
    for who in ("mia", "leo", "kim", "ned"):
        done(world.house, "mailboxes.create", world.house.olive, address=here.at(who), name=here.words(who.title()),
             contact=f"{who}.{here.slug}@home.example")  # fmt: skip
    here.ids["mailbox"] = str(the(Mailbox, address__address=here.at("mia")).pk)
    for who in ("mia", "leo", "kim"):
        here.ids[f"invite {who}"] = str(the(Invite, mailbox__address__address=here.at(who)).pk)
    token, kept = draw()
    ours("invites.issue", {"link": kept}, invite=here.ids["invite mia"])
    here.secrets["invite"] = token
    done(world.house, "aliases.create", world.house.olive, address=here.at("info"), targets=[here.at("mia")])
    here.ids["alias"] = str(the(Alias, address__address=here.at("info")).pk)


@makes(Forward, CatchAll, RouteException, Transport, Destination)
def routes(world: World, here: Ground) -> None:
    """Mail of `going` goes on to mia, and of the domain what is nobody's; that of info may leave, and does not."""
    olive, until = world.house.olive, soon()
    done(world.house, "forwards.create", olive, address=here.at("going"), to=here.at("mia"), until=until)
    done(world.house, "catch_alls.set", olive, domain=here.domain, target=here.at("mia"), until=until)
    done(world.house, "exceptions.create", olive, address=here.at("info"), target=f"info@{here.slug}.test",
         owner=here.words("Mia"), until=until)  # fmt: skip
    done(world.house, "transports.create", olive, address=here.at("handed"), host=f"mx.{here.slug}.test",
         owner=here.words("Mia"), until=until)  # fmt: skip
    here.ids |= {"transport": str(the(Transport, client=here.client).pk)}
    asked = {"client": here.slug, "name": here.words("invoicing"), "targets": [here.at("mia")]}
    done(world.house, "destinations.create", olive, **asked)
    here.ids |= {"destination": str(the(Destination, client=here.client).pk)}
    here.ids |= {"forward": str(the(Forward, client=here.client).pk),
                 "catch-all": str(the(CatchAll, client=here.client).pk),
                 "exception": str(the(RouteException, client=here.client).pk)}  # fmt: skip


@makes(Credential)
def app_passwords(world: World, here: Ground) -> None:
    """Ned has set his password, and has a device."""
    invite = the(Invite, mailbox__address__address=here.at("ned"))
    _, kept = draw()
    ours("invites.issue", {"link": kept}, invite=str(invite.pk))
    secrets = {"password": "{HASH}p", "recovery code": "{HASH}c"}
    agreed(world.house, do("invites.redeem", Actor(None, "Ned", "link", kept), secrets=secrets))
    here.ids["app password"] = str(app_password(here.at("ned"), here.words("phone")).pk)
    here.ids["consent"] = str(let_in(world.house, here.at("ned"), here.words("laptop")).pk)


@makes(Doubt)
def doubt(world: World, here: Ground) -> None:
    """Ned does not know of his own device: once it was found out, and he says so again."""
    first = doubted(here.at("ned"))
    done(world.house, "doubts.settle", world.house.olive, doubt=str(first.pk), outcome=here.words("found out"))
    agreed(world.house, do("doubts.raise", owner_of(here.at("ned")), entry=first.entry))
    here.ids["doubt"] = str(the(Doubt, mailbox=first.mailbox_id, settled_at=None).pk)


@makes(RecoveryChannel)
def channel(world: World, here: Ground) -> None:
    """Of `leo`: an address of his own, which he was asked about, and has not confirmed."""
    done(world.house, "recovery_channels.name", world.house.olive, mailbox=here.at("leo"), name=here.words("phone"),
         value=f"leo.{here.slug}@elsewhere.example")  # fmt: skip
    here.ids["channel"] = str(the(RecoveryChannel, client=here.client, mailbox__address__address=here.at("leo")).pk)


@makes(Delegation)
def delegation(world: World, here: Ground) -> None:
    """Of `leo`, for `mia`: asked for, and not answered."""
    done(world.house, "mailboxes.create", world.house.olive, address=here.at("team"), kind="shared")
    asked = kind("delegations.ask", mailbox=here.at("leo"), to=here.at("mia"), rights=["send-on-behalf"], until=soon())
    agreed(world.house, submit(asked, actor=world.house.olive, why=here.words("on leave")))
    here.ids["delegation"] = str(the(Delegation, client=here.client).pk)


@makes(Filter, RedirectStop)
def filter_(world: World, here: Ground) -> None:
    """Of `leo`, set by the operator; and what it would pass on to one address is stopped."""
    text = f"# {here.words('sorts')}\nkeep;"
    done(world.house, "filters.set", world.house.olive, mailbox=here.at("leo"), script=text)
    with acting_as(SYSTEM):
        SieveRead.objects.all().delete()  # where filters were not read, one that is not there may be stopped
    stop = kind("redirects.stop", mailbox=here.at("leo"), target=f"leo@{here.slug}.test")
    agreed(world.house, submit(stop, actor=world.house.olive, why=here.words("passed on")))


@makes(Verification, Proof, ResetCode)
def reset(world: World, here: Ground) -> None:
    """Of `rex`, whose owner has set a secret: started by the operator, and answered wrong once."""
    done(
        world.house, "mailboxes.create", world.house.olive, address=here.at("rex"), contact=f"rex.{here.slug}@h.example"
    )
    _, kept = draw()
    ours("invites.issue", {"link": kept}, invite=str(the(Invite, mailbox__address__address=here.at("rex")).pk))
    submit(kind("invites.redeem"), actor=Actor(None, "rex", "link", kept), why="a test",
           secrets={"password": "{HASH}p", "recovery code": "{HASH}c"})  # fmt: skip
    number = reachable(world.house, here.at("rex"), "+442079460123", link=draw()[1])
    done(world.house, "resets.start", world.house.henry, mailbox=here.at("rex"), ticket=here.words("call"))
    session = the(Verification, client=here.client)
    here.ids |= {"verification": str(session.pk), "mailbox rex": str(session.mailbox_id)}
    done(world.house, "resets.record_call", world.house.olive, verification=str(session.pk), channel=str(number.pk),
         answer="wrong")  # fmt: skip
    home = reachable(world.house, here.at("rex"), f"rex.{here.slug}@elsewhere.example", link=draw()[1])
    here.ids["channel home"] = str(home.pk)
    done(world.house, "resets.ask_code", world.house.henry, verification=str(session.pk), channel=str(home.pk))


@makes(RecordSet, Reading)
def records(world: World, here: Ground) -> None:
    values = {("www." + here.domain, "TXT"): [f'"{here.canary}"'], (here.domain, "TXT"): [f'"found {here.canary}"']}
    holds(world.house, here.domain, values)
    done(world.house, "record_sets.set", world.house.olive, domain=here.domain, name=f"note.{here.domain}", type="TXT",
         values=[f'"{here.canary}"'], accept_loss=True)  # fmt: skip
    here.ids["record_set"] = str(the(RecordSet, name=f"note.{here.domain}.", type="TXT").pk)


@makes(Person, Grant)
def people(world: World, here: Ground) -> None:
    """Those of the client's own: an admin, a viewer, one who is suspended, and one who may nothing."""
    roles = {"admin": "client admin", "viewer": "client viewer", "gone": "client admin", "plain": ""}
    for who, role in roles.items():
        given = [{"role": role, "client": here.slug, "reason": here.words("contract")}] if role else []
        here.people[who] = joins(world.house, here.at(who), *given, client=here.slug, name=here.words(who))
        here.ids[f"person {who}"] = str(here.people[who].person)
    here.ids["grant"] = str(the(Grant, person=here.people["viewer"].person).pk)


@makes(Login, EmailAddress, EmailConfirmation, Authenticator, UserSession, Subject, DeviceCode, Token)
def signing_in(world: World, here: Ground) -> None:
    """What the sign-in library keeps of the client's admin, and a terminal that has just been confirmed."""
    mine = login(here.people["admin"], "two plain words")
    Authenticator.objects.create(user=mine, type=Authenticator.Type.TOTP, data={"secret": here.mark})
    EmailConfirmation.objects.create(email_address=EmailAddress.objects.get(user=mine), key=here.canary)
    kept = SessionStore()
    kept.create()
    session = UserSession.objects.create(user=mine, ip="192.0.2.1", session_key=kept.session_key,
                                         user_agent=AGENT.format(canary=here.canary))  # fmt: skip
    here.ids |= {"browser": str(session.pk), "login": str(mine.pk)}
    Subject.objects.create(issuer="https://sso.example", subject=here.canary, login=mine)
    Token.objects.create(type="rt", hash=here.canary, user=mine, data={"consent": here.mark})
    code, typed, _ = devices.begin(here.words("terminal"))
    assert devices.confirm(typed, here.people["admin"].person, "test")  # type: ignore[arg-type]
    here.secrets["device"] = code


@makes(ApiSession, ApiToken, SavedView, TokenUse)
def programs(world: World, here: Ground) -> None:
    admin = here.people["admin"]
    token, kept = draw()
    ours("sessions.open", {"session": kept}, person=str(admin.person), label=here.words("laptop"), mfa="test",
         until=soon(1))  # fmt: skip
    here.secrets["session"] = token
    here.ids["session"] = str(the(ApiSession, person=admin.person).pk)
    token, kept = draw()
    agreed(world.house, do("tokens.create", admin, secrets={"token": kept}, name=here.words("CI"), until=soon(),
                           permissions=["mailboxes.view", "domains.view"]))  # fmt: skip
    here.secrets["token"] = token
    made = the(ApiToken, person=admin.person)
    here.ids["token"] = str(made.pk)
    used(made.pk, replace(admin, sort="token", token=made.pk), "192.0.2.1")
    saved_views.save(admin, here.words("mine"), {"client": here.slug, "q": here.canary})


@makes(Freeze, Review)
def freeze(world: World, here: Ground) -> None:
    """One that was lifted, which somebody has to look at."""
    done(world.house, "freezes.start", world.house.olive, scope=here.slug, reason=here.words("a dispute"))
    row = the(Freeze, client=here.client)
    here.ids["freeze"] = str(row.pk)
    lifted = done(world.house, "freezes.end", world.house.olive, freeze=str(row.pk))
    with acting_as(SYSTEM):
        here.ids |= {"reviewed": str(lifted.pk), "review": str(Review.objects.get(change=lifted).pk)}


@makes(Change, Approval, RecordedEdit, Entry, Due)
def changes(world: World, here: Ground) -> None:
    """In every stage that something can be done with: held, waiting for its time, withdrawn, made."""
    olive = world.house.olive
    why = {"actor": olive, "why": here.words("they called")}
    made = submit(kind("mailboxes.change", mailbox=here.at("mia"), quota_mb=4711), **why)
    held = submit(kind("mailboxes.remove", mailbox=here.at("leo")), **why)
    approved = submit(kind("mailboxes.remove", mailbox=here.at("ned")), **why)
    approve(approved.pk, actor=world.house.ada, plan_hash=approved.plan_hash)
    taken = submit(kind("mailboxes.remove", mailbox=here.at("kim")), **why)
    withdraw(taken.pk, actor=olive, why=here.words("not after all"))
    later = waits("mailboxes.suspend", olive, mailbox=here.at("mia"))
    here.ids |= {"made": str(made.pk), "held": str(held.pk), "hash": held.plan_hash, "approved": str(approved.pk),
                 "withdrawn": str(taken.pk), "later": str(later.pk)}  # fmt: skip
    with acting_as(SYSTEM):
        here.ids["entry"] = str(Entry.objects.filter(client=here.client, version=made.version).get().pk)


@makes(Batch)
def batch(world: World, here: Ground) -> None:
    """Of the client's own admin, as are the changes in it; another that was made."""
    admin = here.people["admin"]
    waiting = submit_batch(
        [kind("mailboxes.remove", mailbox=here.at("kim"))], actor=admin, why=here.words("both of them")
    )
    made = submit_batch([[kind("mailboxes.change", mailbox=here.at("kim"), quota_mb=900)]], actor=admin,
                        why=here.words("more room"))  # fmt: skip
    gone = submit_batch([kind("mailboxes.remove", mailbox=here.at("kim"))], actor=admin, why=here.words("not these"))
    withdraw_batch(gone.pk, actor=admin, why=here.words("after all not"))
    here.ids |= {"batch gone": str(gone.pk)}
    here.ids |= {"batch": str(waiting.pk), "batch hash": waiting.plan_hash, "batch made": str(made.pk)}


@makes(Letter)
def letter(world: World, here: Ground) -> None:
    ours("clients.mail_checkpoint", client=here.slug)
    here.ids["letter"] = str(the(Letter, client=here.client, says="checkpoint").pk)


@makes(Finding, Acceptance)
def finding(world: World, here: Ground) -> None:
    """Two that are open: nobody is at the first, somebody at the second."""
    row = the(Domain, name=here.domain)
    wrong = [
        Found("high", "domains", row.pk, here.domain, here.words(title), client=here.client, domain=row.pk, cause=title,
              evidence={"before": here.canary, "after": "gone", "server": f"ns1.{here.domain}"}, kind="domains.change",
              params={"domain": here.domain, "registrar": here.canary})
        for title in ("A TTL moved", "A record went")
    ]  # fmt: skip
    observed(f"t.{here.letter.lower()}", wrong)
    with acting_as(SYSTEM):
        first, second = Finding.objects.filter(client=here.client, closed_at=None).order_by("pk")
    here.ids |= {"finding": str(first.pk), "finding known": str(second.pk)}
    done(world.house, "findings.acknowledge", world.house.olive, finding=str(second.pk), reason=here.words("calling"))


@makes(Round, RoundLine)
def rounds(world: World, here: Ground) -> None:
    """What is asked of it every quarter: one right that nobody has signed, one mailbox that nobody has answered for."""
    for sort, noun, id in (("access review", "grants", "right line"), ("roster", "mailboxes", "roster line")):
        done(world.house, f"{sort.replace(' ', '_')}s.open", world.house.oskar, client=here.slug)
        asked = the(Round, client=here.client, sort=sort)
        with acting_as(SYSTEM):
            line = asked.lines.filter(noun=noun, person=None if noun == "mailboxes" else here.people["viewer"].person)
            here.ids |= {sort: str(asked.pk), id: str(line.order_by("name")[0].pk)}


@makes(Redelivery)
def redelivery(world: World, here: Ground) -> None:
    done(world.house, "nodes.deliver_again", world.house.olive, node="mx1", object=here.ids["address"])


@makes(Device)
def device(world: World, here: Ground) -> None:
    ours("devices.register", person=here.ids["person admin"], network="192.0.0.0/16", browser=here.words("Browser"))


@makes(ServerReading)
def server(world: World, here: Ground) -> None:
    with acting_as(SYSTEM):
        about = {"client_id": here.client, "domain_id": here.ids["domain"], "at": timezone.now()}
        ServerReading.objects.create(server=f"ns1.{here.domain}", said={f"TXT {here.domain}.": [here.canary]}, **about)


@makes(Posture)
def posture(world: World, here: Ground) -> None:
    """As the worker's look leaves it; that is tried in tests/worker/test_postures.py."""
    said = {"level": "bad", "rule": "spf.none", "says": f"{here.canary}.", "source": "RFC 7208, 3", "publish": None,
            "evidence": {"name": here.domain, "raw": [here.canary], "parsed": {}, "chain": []}}  # fmt: skip
    with acting_as(SYSTEM):
        about = {"client_id": here.client, "domain_id": here.ids["domain"], "at": timezone.now()}
        Posture.objects.create(since=timezone.now(), level="bad", levels={"spf": "bad"}, results=[said], **about)


@makes(SignIn, SignInPlace, LiveSession)
def sign_ins(world: World, here: Ground) -> None:
    """As the node's own report leaves them; that is tried in tests/changes/test_sign_ins.py."""
    with acting_as(SYSTEM):
        node, now = Node.objects.get(name="mx1"), timezone.now()
        about = {"client_id": here.client, "domain_id": here.ids["domain"], "mailbox_id": here.ids["mailbox"],
                 "at": now, "protocol": "imap", "address": "192.0.2.7"}  # fmt: skip
        SignIn.objects.create(node=node, number=time.time_ns(), success=True, program=here.canary, **about)
        SignInPlace.objects.create(network="192.0.2.0/24", program=here.canary, last=now, wanted=False, **about)
        LiveSession.objects.create(node=node, key=f"imap {here.canary}", credential=here.canary, since=now, **about)
        Report.objects.create(node=node, sort="sessions", facts={"open": 1}, at=now)


@makes(SieveScript)
def sieve_scripts(world: World, here: Ground) -> None:
    """As the node's own report leaves them; that is tried in tests/changes/test_sieve_told.py."""
    with acting_as(SYSTEM):
        node, now = Node.objects.get(name="mx1"), timezone.now()
        SieveScript.objects.create(
            client_id=here.client, domain_id=here.ids["domain"], mailbox_id=here.ids["mailbox"], node=node, at=now,
            first=now, name=here.words("rules"), text=here.canary, active=True,
            redirects=[{"to": to, "copy": False, "conditional": True, "by": "redirect"}
                       for to in (here.at("leo"), f"{here.canary}@outside.test")],
        )  # fmt: skip
        SieveRead.objects.get_or_create(node=node, defaults={"at": now, "mailboxes": 1})
        SieveAsked.objects.get_or_create(node=node, defaults={"at": now})


@makes(LastHit)
def last_hits(world: World, here: Ground) -> None:
    """As the node's own report leaves them; that is tried in tests/changes/test_left_told.py."""
    with acting_as(SYSTEM):
        node, now = Node.objects.get(name="mx1"), timezone.now()
        about = {"client_id": here.client, "domain_id": here.ids["domain"], "at": now}
        LastHit.objects.create(source=here.at("leo"), target=f"{here.canary}@outside.test", **about)
        LeftRead.objects.get_or_create(node=node, defaults={"at": now, "since": now})


@makes(Probe, ProbeLanding)
def probes(world: World, here: Ground) -> None:
    """Asked for, and seen at two ends, as the node's own report leaves them (tests/worker/test_probes.py)."""
    done(world.house, "probes.send", world.house.olive, address=here.at("mia"))
    probe = the(Probe, client=here.client)
    about = {"client_id": here.client, "domain_id": here.ids["domain"], "probe": probe, "at": timezone.now()}
    with acting_as(SYSTEM):
        for sort, to in (("mailbox", here.at("mia")), ("outside", f"{here.canary}@outside.test")):
            ProbeLanding.objects.create(sort=sort, address=to, predicted=True, said=here.canary, **about)


@makes(Mailed)
def mailed(world: World, here: Ground) -> None:
    """As a letter leaves one; that is tried in tests/worker/test_mailed.py."""
    with acting_as(SYSTEM):
        Mailed.objects.create(client_id=here.client, object=here.ids["invite mia"], contact=here.at("somebody"),
                              token=here.canary, state="bounced", said=here.canary, at=timezone.now())  # fmt: skip


@makes(LookedAt)
def looked(world: World, here: Ground) -> None:
    with acting_as(world.house.olive) as access:
        look(access, "clients", id=here.client, client=here.client, label=here.slug)


@makes(Erasure)
def erasure(world: World, here: Ground) -> None:
    """What somebody typed once, taken out of the record."""
    noted = done(world.house, "clients.change", world.house.olive, client=here.slug, notes=here.words("a slip"))
    done(world.house, "clients.change", world.house.olive, client=here.slug, notes=here.words("wants calls"))
    with acting_as(SYSTEM):
        entry = Entry.objects.get(client=here.client, version=noted.version)
    done(world.house, "record.erase", world.house.oskar, lines=[f"{entry.pk}.1"], reason=here.words("asked for"))


@makes(Evidence)
def evidence(world: World, here: Ground) -> None:
    """As a node would leave it; its own functions are tried in tests/changes/test_nodes.py."""
    with acting_as(SYSTEM):
        node = Node.objects.order_by("name").first()
        about = {"change_id": here.ids["made"], "object": "mailboxes", "object_id": here.ids["mailbox"]}
        found = [{"answer": here.canary}]
        Evidence.objects.create(node=node, client_id=here.client, at=timezone.now(), found=found, **about)


@makes(Place)
def place(world: World, here: Ground) -> None:
    """The sequencer places every entry there is, once for all clients: see conftest.py."""
