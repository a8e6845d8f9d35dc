"""What a picker offers: the first rows of a noun this person may see, as (what is sent, what is read)."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from postroom.access.acting import Actor
from postroom.access.roles import ROLES, SEALED
from postroom.access.scope import visible
from postroom.changes.cover import permissions
from postroom.models import (
    Alias,
    ApiToken,
    CatchAll,
    Client,
    Credential,
    Delegation,
    Destination,
    DkimKey,
    Domain,
    Doubt,
    Finding,
    Forward,
    Freeze,
    Grant,
    Invite,
    Mailbox,
    Node,
    Person,
    RecordSet,
    RecoveryChannel,
    Role,
    RoundLine,
    RouteException,
    Transport,
    Verification,
)
from postroom.models.routes import server

MOST = 200
Pairs = list[tuple[str, str]]
BY_ID = frozenset(
    {
        "roles",
        "own_roles",
        "api_tokens",
        "grants",
        "freezes",
        "invites",
        "credentials",
        "record_sets",
        "dkim_keys",
        "findings",
        "round_lines",
        "recovery_channels",
        "verifications",
        "doubts",
        "forwards",
        "exceptions",
        "transports",
        "destinations",
        "delegations",
    }
)  # nobody types these


def suggested(actor: Actor, noun: str) -> Pairs:
    """One query; nothing for a noun without a picker."""
    pick = PICKS.get(noun)
    return pick(actor)[:MOST] if pick else []


def _named(model: Any, key: str, words: str, *along: str) -> Callable[[Actor], Pairs]:
    def pick(actor: Actor) -> Pairs:
        rows = visible(actor, model).select_related(*along).order_by(key)
        if "removed_at" in model.columns():
            rows = rows.order_by("removed_at", key)
        return [(row.label, _path(row, words)) for row in rows[:MOST]]

    return pick


def _path(row: Any, path: str) -> str:
    for part in path.split("__"):
        row = getattr(row, part, None)
    return str(row or "")


def _grants(actor: Actor) -> Pairs:
    rows = visible(actor, Grant).filter(ended_at=None).select_related("person", "client").order_by("person__name", "id")
    return [(str(one.pk), f"{one.role} for {one.person.name}" + (f" at {one.client.name}" if one.client else ""))
            for one in rows[:MOST] if one.person]  # fmt: skip


def _freezes(actor: Actor) -> Pairs:
    rows = visible(actor, Freeze).filter(ended_at=None).select_related("client").order_by("id")
    return [(str(one.pk), f"of {one.client.name if one.client else 'the whole organization'}") for one in rows[:MOST]]


def _invites(actor: Actor) -> Pairs:
    rows = visible(actor, Invite).filter(
        Q(by_mail=True) | Q(mailbox__isnull=False),
        used_at=None,
        ended_at=None,
        stops=None,
        recovers="",
        confirms=None,
        vouches="",
    )
    rows = rows.select_related("mailbox__address", "person").order_by("id")
    return [(str(one.pk), f"for {_invited(one)}, at {one.contact or 'nobody'}") for one in rows[:MOST]]


def _invited(one: Invite) -> str:
    return one.mailbox.label if one.mailbox else one.person.email if one.person else ""


def _app_passwords(actor: Actor) -> Pairs:
    rows = visible(actor, Credential).filter(ended_at=None).select_related("mailbox__address").order_by("name", "id")
    return [(str(one.pk), f"{one.name} of {one.mailbox.label}") for one in rows[:MOST]]


def _record_sets(actor: Actor) -> Pairs:
    rows = visible(actor, RecordSet).exclude(ours=[]).order_by("name", "type")
    return [(str(one.pk), f"{one.type} {one.name.rstrip('.')}") for one in rows[:MOST]]


def _keys(actor: Actor) -> Pairs:
    rows = visible(actor, DkimKey).exclude(public="").select_related("domain").order_by("domain__name", "selector")
    return [(str(one.pk), f"{one.selector} of {one.domain.name}") for one in rows[:MOST]]


def _roles(actor: Actor) -> Pairs:
    own = visible(actor, Role).filter(ended_at=None).order_by("name").values_list("name", flat=True)[:MOST]
    return [(one, one) for one in (*(role for role in ROLES if role != SEALED), *own)]


def _tokens(actor: Actor) -> Pairs:
    rows = visible(actor, ApiToken).filter(ended_at=None).select_related("person").order_by("name", "id")
    return [(str(one.pk), f"{one.name} of {one.person.name}") for one in rows[:MOST]]


def _findings(actor: Actor) -> Pairs:
    rows = visible(actor, Finding).filter(closed_at=None).order_by("place")
    return [(str(one.pk), f"{one.title} ({one.severity})") for one in rows[:MOST]]


def _lines(actor: Actor) -> Pairs:
    rows = visible(actor, RoundLine).filter(answer="").select_related("client", "round").order_by("-id")
    return [(str(one.pk), f"{one.name} ({one.round.sort} of {one.client.name})") for one in rows[:MOST]]


def _channels(actor: Actor) -> Pairs:
    rows = visible(actor, RecoveryChannel).filter(ended_at=None).select_related("mailbox__address")
    rows = rows.order_by("mailbox__address__address", "id")
    return [(str(one.pk), f"{one.value} of {one.mailbox.label}") for one in rows[:MOST]]


def _verifications(actor: Actor) -> Pairs:
    rows = visible(actor, Verification).filter(ended_at=None, used_at=None).select_related("mailbox__address")
    return [(str(one.pk), f"{one.mailbox.label}, {one.ticket}") for one in rows.order_by("-id")[:MOST]]


def _doubts(actor: Actor) -> Pairs:
    rows = visible(actor, Doubt).filter(settled_at=None).select_related("mailbox__address").order_by("-id")
    return [(str(one.pk), f"{one.said}, entry {one.entry}, at {one.mailbox.label}") for one in rows[:MOST]]


def _forwards(actor: Actor) -> Pairs:
    rows = visible(actor, Forward).filter(removed_at=None).select_related("address").order_by("address__address", "to")
    return [(str(one.pk), f"{one.address.address} to {one.to}") for one in rows[:MOST]]


def _exceptions(actor: Actor) -> Pairs:
    rows = visible(actor, RouteException).filter(ended_at=None).select_related("address")
    rows = rows.order_by("address__address", "target")
    return [(str(one.pk), f"{one.address.address} to {one.target}") for one in rows[:MOST]]


def _transports(actor: Actor) -> Pairs:
    rows = visible(actor, Transport).filter(ended_at=None).select_related("address").order_by("address__address")
    return [(str(one.pk), f"{one.address.address} to {server(one.host, one.port)}") for one in rows[:MOST]]


def _destinations(actor: Actor) -> Pairs:
    rows = visible(actor, Destination).filter(removed_at=None).select_related("client").order_by("name", "id")
    return [(f"{one.client.slug}:{one.name}", f"{one.name} of {one.client.name}") for one in rows[:MOST]]


def _delegations(actor: Actor) -> Pairs:
    along = ("mailbox__address", "to_mailbox__address")
    rows = visible(actor, Delegation).filter(ended_at=None).select_related(*along).order_by("-made", "id")
    return [(str(one.pk), f"to {one.mailbox.label} for {one.to_mailbox.label}") for one in rows[:MOST]]


def _permissions(_: Actor) -> Pairs:
    return [(one, one) for one in permissions()]


PICKS: dict[str, Callable[[Actor], Pairs]] = {
    "clients": _named(Client, "slug", "name"),
    "domains": _named(Domain, "name", "client__name", "client"),
    "mailboxes": _named(Mailbox, "address__address", "name", "address"),
    "aliases": _named(Alias, "address__address", "client__name", "address", "client"),
    "forwards": _forwards,
    "catch_alls": _named(CatchAll, "domain__name", "target", "domain"),
    "exceptions": _exceptions,
    "transports": _transports,
    "destinations": _destinations,
    "delegations": _delegations,
    "people": _named(Person, "email", "name"),
    "nodes": _named(Node, "name", "region"),
    "grants": _grants,
    "roles": _roles,
    "permissions": _permissions,
    "own_roles": _named(Role, "name", "name"),
    "api_tokens": _tokens,
    "freezes": _freezes,
    "invites": _invites,
    "credentials": _app_passwords,
    "record_sets": _record_sets,
    "dkim_keys": _keys,
    "findings": _findings,
    "round_lines": _lines,
    "recovery_channels": _channels,
    "verifications": _verifications,
    "doubts": _doubts,
}
