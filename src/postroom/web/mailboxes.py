"""Mailboxes: the list; and one of them with who has which part of it, how its owner gets in, and what happened."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.models import Credential, Grant, Mailbox, SignIn
from postroom.queries.changes import timeline
from postroom.queries.invites import arrived
from postroom.queries.lists import listed
from postroom.queries.mailboxes import Entry, admins, app_passwords, entries, whole
from postroom.queries.objects import row_of
from postroom.queries.sign_ins import last_uses
from postroom.web import delivered, mailbox_access, mailbox_routes, resets
from postroom.web.badges import sign_in, spelt, standing
from postroom.web.door import page
from postroom.web.framed import freeze_notes, initials, offered, query
from postroom.web.lines import lines
from postroom.web.lists import STATES, Narrow, scopes
from postroom.web.parts.forms import Option
from postroom.web.parts.pages import Layer, MailboxesPage, MailboxPage
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Bulk,
    BulkAct,
    Cell,
    Column,
    Crumb,
    Fact,
    Link,
    PageHead,
    Row,
    Strong,
    Table,
    Words,
)
from postroom.web.sign_ins import cards
from postroom.web.times import when

KINDS = tuple(Option(kind, words) for kind, words in (
    ("", "Every kind"), ("person", "Person"), ("role", "Role"), ("shared", "Shared"), ("admin", "Admin")
))  # fmt: skip
COLUMNS = (
    Column("Address"), Column("Name", phone="under"), Column("Client", phone="gone"), Column("Kind", phone="gone"),
    Column("Sign-in", phone="right"), Column("Quota, GB", num=True, phone="gone"),
)  # fmt: skip
BULK = (
    ("invites.send", BulkAct("Send invites…", "invites.send", "mail")),
    ("mailboxes.suspend", BulkAct("Suspend…", "mailboxes.suspend", "lock", "asks")),
    ("mailboxes.resume", BulkAct("Resume", "mailboxes.resume", "player-play")),
    ("mailboxes.remove", BulkAct("Remove…", "mailboxes.remove", "trash", "asks")),
)
ADD = Act("Add mailboxes", "/do/mailboxes.create/", icon="plus", weight="primary")
SIGNS_IN = {"password": "main"}  # as what sign-ins name it
PURPOSES = {"password": "Main password", "recovery code": "Recovery code"}
MEANS = {"imap": "reading", "submission": "sending", "managesieve": "filters"}


@page("mailboxes.view")
def mailboxes(request: Any) -> HttpResponse:
    narrow = Narrow(request)
    found = listed(request.actor, "mailboxes", narrow.asked)
    got = entries(request.actor, found.items)
    may = request.access.can_somewhere
    add = (ADD,) if may("mailboxes.create") else ()
    invites = (Act("Pending invites", "/invites/", icon="mail"),) if may("invites.view") else ()
    apps = (Act("Mail apps", "/mail-apps/", icon="device-mobile"),) if may("mail_apps.view") else ()
    fields = [
        narrow.select("client", "Client", scopes(request)), narrow.select("kind", "Kind", KINDS),
        narrow.select("state", "State", STATES),
    ]  # fmt: skip
    acts = tuple(act for permission, act in BULK if may(permission))
    shown = MailboxesPage(
        head=PageHead("Mailboxes", "who can get in, and who cannot yet", acts=(*add, *invites, *apps)),
        notes=(*narrow.notes(), *freeze_notes(request)),
        label="Mailboxes",
        filters=narrow.filters("Mailboxes", fields),
        table=Table("Mailboxes", COLUMNS, tuple(_row(one, got[one.pk]) for one in found.items), dense=True,
                    bulk=Bulk("/do/", "mailbox", acts, "mailboxes") if acts else None),
        pager=narrow.pager([one.label for one in found.items], found.next),
        empty=None if found.items else narrow.nothing("mailbox", "A mailbox keeps mail at once; its owner sets "
                                                      "the password from a link.", "mailbox", add),
    )  # fmt: skip
    return render(request, "mailboxes.html", {"page": shown})


def _row(one: Mailbox, entry: Entry) -> Row:
    vip = Badge("fact", "VIP", "star") if one.vip else ""
    return Row((
        (Link(one.label, f"/mailboxes/{one.label}/", strong=True), *spelt(one.label), vip), one.name,
        Link(one.client.name, f"/clients/{one.client.slug}/"), one.kind, sign_in(one, entry), gigabytes(one.quota_mb),
    ), value=one.label, name=one.label)  # fmt: skip


def gigabytes(megabytes: int) -> str:
    return f"{megabytes / 1000:g}"


@page("mailboxes.view", recorded="mailboxes")
def mailbox(request: Any, ref: str) -> HttpResponse:
    one = request.opened = whole(request.actor, row_of(request.actor, "mailboxes", ref).pk)
    entry = entries(request.actor, [one])[one.pk]
    recent = timeline(request.actor, object=one.pk, limit=10).items
    shown = MailboxPage(
        head=_head(request, one, entry), notes=freeze_notes(request, one.client_id),
        layers=_layers(request, one, admins(request.actor, one)),
        resets=resets.items(request, one), reset_acts=resets.new(request, one),
        credentials=_credentials(request, one, entry),
        facts=(*_facts(one, entry), *_letter(entry)), routes=mailbox_routes.items(request, one),
        access=mailbox_access.items(request, one), access_acts=mailbox_access.new(request, one),
        recent=lines(recent, (one.pk, one.address_id)),
        changes_url=f"/changes/?object={one.pk}", **cards(request, one),
    )  # fmt: skip
    return render(request, "mailbox.html", {"page": shown})


def _head(request: Any, one: Mailbox, entry: Entry) -> PageHead:
    at = query(mailbox=one.label)
    if one.removed_at:
        wanted = [("mailboxes.restore", Act("Restore", f"/do/mailboxes.restore/{at}", "restore", "primary"))]
    elif one.suspended_at:
        wanted = [
            ("mailboxes.resume", Act("Resume", f"/do/mailboxes.resume/{at}", "player-play", "primary")),
            *_with_another(entry, at),
            ("mailboxes.remove", Act("Remove…", f"/do/mailboxes.remove/{at}", "trash", "asks")),
        ]
    else:
        wanted = [
            ("mailboxes.change", Act("Change", f"/do/mailboxes.change/{at}", "pencil")),
            ("mailboxes.suspend", Act("Suspend…", f"/do/mailboxes.suspend/{at}", "lock", "asks")),
            ("mailboxes.remove", Act("Remove…", f"/do/mailboxes.remove/{at}", "trash", "asks")),
        ]
    domain = one.address.domain
    return PageHead(
        one.label, f"{one.name + ' · ' if one.name else ''}{one.client.name}",
        crumbs=(Crumb("Mailboxes", "/mailboxes/"), Crumb(domain.name, f"/domains/{domain.name}/")),
        badges=(*spelt(one.label), *standing(one),
                *(() if one.removed_at or one.suspended_at else (sign_in(one, entry),))),
        acts=offered(request, one.client_id, *wanted, domain=one.address.domain_id),
    )  # fmt: skip


def _with_another(entry: Entry, at: str) -> list[tuple[str, Act]]:
    """Where its owner has set one, and can set another by the code that stays."""
    if "recovery code" not in entry.secrets:
        return []
    url = f"/do/mailboxes.resume/{at}&new_password=on"
    return [("mailboxes.resume", Act("Resume with another password", url, "key"))]


def _layers(request: Any, one: Mailbox, admins: list[Grant]) -> tuple[Layer, ...]:
    nobody = "nobody is named"
    organization = request.around.organization
    admin = one.client_admin.name if one.client_admin else ", ".join(grant.person.name for grant in admins)
    return (
        Layer("Owner", one.owner.name if one.owner else one.name or nobody, "the human whose mail it is",
              initials(one.owner.name) if one.owner else "", ("Sets the password, holds the recovery code",
              "Reads, sends, sorts"), ("Changes routing or DNS",)),
        Layer("Operator", one.operator.name if one.operator else organization, "provisioning and policy",
              initials(one.operator.name if one.operator else organization),
              ("Suspends, removes, routes; each on record", "Sends a new link"),
              ("Sees or types the password", "Opens the mail in these pages")),
        Layer("Client admin", admin or nobody, f"for {one.client.name}, limited" if admin else "optional, limited",
              initials(admin) if admin else "", ("Adds and suspends mailboxes of the client",),
              ("Touches other clients", "Sees the password")),
    )  # fmt: skip


def _credentials(request: Any, one: Mailbox, entry: Entry) -> Table | None:
    apps, uses = app_passwords(request.actor, one.pk), last_uses(request.actor, one)
    if not entry.secrets and not apps:
        return None
    only = one.client.app_passwords_only
    said = {"password": "opens the owner's page alone; set by the owner" if only else "set by the owner"}
    rows = [
        Row((Cell(Strong(PURPOSES.get(purpose, purpose)), f"{said.get(purpose, 'set by the owner')}; nobody here can "
                  "read it"), when(made), _used(uses, SIGNS_IN[purpose]) if purpose in SIGNS_IN else "", ""))
        for purpose, made in sorted(entry.secrets.items())
    ]  # fmt: skip
    rows += [_app_password(request, one, app, uses) for app in apps]
    columns = (Column("Credential"), Column("Set"), Column("Last use"), Column("Act", num=True, hidden=True))
    return Table("Credentials", columns, tuple(rows))


def _used(uses: Mapping[str, SignIn] | None, credential: str) -> Words:
    """When it got in last, by what and from where; the node tells sign-ins alike once an hour."""
    if uses is None:
        return Badge("unmeasured", "not yours to see")
    one = uses.get(credential)
    return f"{when(one.at)}, {one.protocol} from {one.address}" if one else Badge("fact", "none seen in 90 days")


def _app_password(request: Any, one: Mailbox, app: Credential, uses: Mapping[str, SignIn] | None) -> Row:
    let_in = app.app.name if app.app else ""
    kind, field = ("consents.end", "consent") if let_in else ("app_passwords.end", "app_password")
    end = Act("End…", f"/do/{kind}/?{field}={app.pk}", weight="asks", of=app.name)
    acts = offered(request, one.client_id, (kind, end), domain=one.address.domain_id)
    until = f" · until {when(app.until)}" if app.until else ""
    what = f"{let_in}, let in without a password," if let_in else "app password"
    what += f" for {', '.join(MEANS[protocol] for protocol in app.protocols)}{until}"
    return Row((Cell(Strong(app.name), what), when(app.made), _used(uses, app.called), Cell(acts=acts)))


def _facts(one: Mailbox, entry: Entry) -> tuple[Fact, ...]:
    return (
        Fact("Client", Link(one.client.name, f"/clients/{one.client.slug}/")),
        Fact("Kind", one.kind),
        Fact("Sign-in", sign_in(one, entry)),
        Fact("Contact for links", one.contact or Badge("unknown", "not known")),
        Fact("Quota", f"{gigabytes(one.quota_mb)} GB", Badge("unmeasured", "space used: not measured yet")),
        Fact("VIP", "yes: changes need a second person" if one.vip else "no"),
        Fact("Served by", _node(one)),
        Fact("Mail apps", Link("Set one up", f"/setup/{query(emailaddress=one.label)}"), "for its owner"),
    )


def _letter(entry: Entry) -> tuple[Fact, ...]:
    """What became of the letter with the link that is open."""
    return delivered.fact(next(iter(arrived([entry.invite] if entry.invite else []).values()), None))


def _node(one: Mailbox) -> Any:
    node = one.client.node
    return Link(node.name, f"/nodes/{node.name}/") if node else Badge("warn", "no node yet")
