"""Mailboxes as their pages show them: can the owner sign in, is an invite out, what is routed to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import (
    Alias,
    CatchAll,
    Credential,
    Forward,
    Grant,
    Invite,
    Mailbox,
    RedirectStop,
    RouteException,
    Secret,
    SieveScript,
    Transport,
)


@dataclass(frozen=True)
class Entry:
    """How one gets in: which secrets are set and when; the invite that is still open."""

    secrets: dict[str, datetime]
    invite: Invite | None

    @property
    def live_invite(self) -> bool:
        return bool(self.invite and self.invite.until and self.invite.until > timezone.now())


def entries(actor: Actor, mailboxes: Sequence[Mailbox]) -> dict[UUID, Entry]:
    """Two queries for a page of mailboxes."""
    pks = [one.pk for one in mailboxes]
    secrets: dict[UUID, dict[str, datetime]] = {}
    for owner, purpose, made in (
        visible(actor, Secret).filter(owner_row__in=pks).values_list("owner_row", "purpose", "made")
    ):
        secrets.setdefault(owner, {})[purpose] = made
    open_ones = visible(actor, Invite).filter(mailbox__in=pks, used_at=None, ended_at=None).order_by("made", "id")
    invites = {one.mailbox_id: one for one in open_ones}
    return {pk: Entry(secrets.get(pk, {}), invites.get(pk)) for pk in pks}


def app_passwords(actor: Actor, mailbox: UUID) -> list[Credential]:
    """The live ones of a mailbox, of which there are never more than a page: what ended by time counts no more."""
    rows = visible(actor, Credential).select_related("app").filter(mailbox=mailbox, ended_at=None)
    return list(rows.exclude(until__lte=timezone.now()).order_by("id"))


MOST_SCRIPTS = 20


@dataclass(frozen=True)
class Routes:
    """What brings mail to a mailbox in one step, and what passes its own on.

    forwards: those of its address and those that go to it. exceptions: by which its mail may leave. handed: to which
    other server. scripts: those that its node read there, for who may see them; never their text. stops: to where they
    pass nothing on.
    """

    aliases: list[Alias]
    forwards: list[Forward]
    catch_alls: list[CatchAll]
    exceptions: list[RouteException]
    handed: list[Transport]
    scripts: list[SieveScript]
    stops: list[RedirectStop]


def routes(actor: Actor, mailbox: Mailbox) -> Routes:
    """Those of its client that stand; six queries."""
    own, now = {"client": mailbox.client_id}, timezone.now()
    aliases = visible(actor, Alias).filter(**own, removed_at=None, targets__contains=[mailbox.label])
    forwards = visible(actor, Forward).filter(**own, removed_at=None, until__gt=now)
    caught = visible(actor, CatchAll).filter(**own, removed_at=None, until__gt=now, target=mailbox.label)
    let = visible(actor, RouteException).filter(**own, ended_at=None, until__gt=now, address=mailbox.address_id)
    handed = visible(actor, Transport).filter(ended_at=None, until__gt=now, address=mailbox.address_id)
    scripts = visible(actor, SieveScript).filter(mailbox=mailbox.pk)
    return Routes(
        list(aliases.select_related("address").order_by("address__address")),
        list(forwards.filter(Q(address=mailbox.address_id) | Q(to=mailbox.label)).select_related("address")
             .order_by("address__address", "to")),
        list(caught.select_related("domain").order_by("domain__name")),
        list(let.order_by("target")),
        list(handed),
        list(scripts.defer("text").order_by("-active", "name")[:MOST_SCRIPTS]),
        list(visible(actor, RedirectStop).filter(mailbox=mailbox.pk, ended_at=None).order_by("target")[:MOST_SCRIPTS]),
    )  # fmt: skip


def whole(actor: Actor, ref: Any) -> Mailbox:
    """With everybody it names read along."""
    along = ("address__domain", "client__node", "owner", "operator", "client_admin")
    row: Mailbox = visible(actor, Mailbox).select_related(*along).get(pk=ref)
    return row


def admins(actor: Actor, mailbox: Mailbox) -> list[Grant]:
    """Who administers this mailbox's client for the client itself."""
    rows = visible(actor, Grant).filter(client=mailbox.client_id, role="client admin", ended_at=None)
    return [one for one in rows.select_related("person").order_by("person__name", "id")[:5] if one.person]
