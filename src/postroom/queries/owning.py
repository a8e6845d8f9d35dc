"""What the owner of a mailbox is shown of it: what lands there, what happened to it, and what of that could leak.

Read by functions of the database that know of no mailbox but the one its owner acts for (sql/install.sql).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor, access_of, widened
from postroom.access.known import ask
from postroom.access.roles import matches, permissions_of
from postroom.access.scope import changes_seen, visible
from postroom.changes.approvals import WAITING
from postroom.models import Change, Credential, Doubt, Forward, RecoveryChannel, RouteException, Secret, Transport
from postroom.models.routes import server

from .page import Page
from .resets import LEADS_IN

# Kinds by which mail, or the way in, may go to somebody else: shown after a reset, to be known again or not.
LEAKS = (
    "aliases.create", "aliases.change", "recovery_channels.name", "recovery_channels.end", "invites.send",
    "invites.redirect", "invites.issue", "secrets.change", "secrets.renew", "secrets.reset", "invites.redeem",
    "app_passwords.create", "consents.grant", "delegations.ask", "delegations.consent", "resets.send_link",
    "mailboxes.transfer", "mailboxes.restore", "history.roll_back", "forwards.create", "forwards.change",
    "forwards.enable", "exceptions.create", "transports.create", "filters.write", "filters.set",
)  # fmt: skip
KNOWN = "recent changes known"
Devices = Mapping[str, Credential]
LATELY = timedelta(days=14)
MOST = 100


@dataclass(frozen=True)
class Happened:
    """An entry about a mailbox. said: a kind or an event; mine: its owner did it; facts: of an event, what it says."""

    entry: int
    at: datetime
    said: str
    actor: str
    name: str | None
    why: str | None
    mine: bool
    facts: Mapping[str, Any] | None


def aliases(actor: Actor) -> list[tuple[str, int]]:
    """Other addresses whose mail lands in the mailbox; at how many other addresses each lands too."""
    access_of(actor)
    return [(str(address), others) for _, address, others in ask("SELECT * FROM postroom_own_aliases()")]


@dataclass(frozen=True)
class Onward:
    """Where mail of the mailbox goes on to, or may. by: the forward, or none where an exception alone lets it.
    handed: all of it goes to that other mail server, instead of landing here."""

    to: str
    until: datetime
    by: Forward | None
    handed: bool = False


def onward(actor: Actor, address: UUID) -> list[Onward]:
    """Forwards of the mailbox's address that have not ended, and what else its mail may leave to."""
    now = timezone.now()
    rows = visible(actor, Forward).filter(address=address, removed_at=None, until__gt=now).select_related("address")
    found = [Onward(one.to, one.until, one) for one in rows.order_by("to")]
    said = {one.to for one in found}
    let = visible(actor, RouteException).filter(address=address, ended_at=None, until__gt=now).order_by("target")
    found += [Onward(one.target, one.until, None) for one in let if one.target not in said]
    handed = visible(actor, Transport).filter(address=address, ended_at=None, until__gt=now)
    return [Onward(server(one.host, one.port), one.until, None, handed=True) for one in handed] + found


@dataclass(frozen=True)
class Waiting:
    """A forward that its owner asked for, and that somebody else has to agree to first."""

    change: UUID
    to: str
    until: datetime
    asked: datetime


def waiting(actor: Actor) -> list[Waiting]:
    """Those that nobody has decided on yet, the oldest first."""
    access = access_of(actor)
    with widened(access):  # of the record of their client, what they asked for themselves
        rows = Change.objects.filter(changes_seen(), kind="forwards.create", actor="owner", stage__in=WAITING)
        return [
            Waiting(one.pk, one.params["to"], datetime.fromisoformat(one.params["until"]), one.now)
            for one in rows.order_by("id")[:MOST]
        ]


@dataclass(frozen=True)
class Keeper:
    """Who may send its owner a link to set another password, by this role. name: of the client's own people alone; of
    whoever runs the service it is said how many they are."""

    role: str
    name: str | None
    people: int


def keepers(actor: Actor) -> list[Keeper]:
    access_of(actor)
    return [
        Keeper(role, name, people)
        for role, own, name, people in ask("SELECT * FROM postroom_own_keepers()")
        if any(matches(permissions_of(role, own), one) for one in LEADS_IN)
    ]


def story(actor: Actor, *, after: str = "", limit: int = 25) -> Page[Happened]:
    """What was done to it and who looked, newest first; `after`: the number of an entry."""
    access_of(actor)
    before = int(after) if after.isdecimal() and len(after) < 19 else None
    rows = _told(before, None, None, limit + 1)
    return Page(rows[:limit], str(rows[limit - 1].entry) if len(rows) > limit else None)


def one_of(actor: Actor, entry: int) -> Happened | None:
    """One entry of its story, by its number."""
    access_of(actor)
    return next((one for one in _told(entry + 1, None, None, 1) if one.entry == entry), None)


def lately(actor: Actor) -> list[Happened]:
    """What could leak, of the last fourteen days."""
    access_of(actor)
    return _told(None, timezone.now() - LATELY, LEAKS, MOST)


def last_known(actor: Actor) -> int:
    """The number of the entry by which its owner last said that they know what could leak; 0 for none."""
    access_of(actor)
    return next((one.entry for one in _told(None, timezone.now() - LATELY, (KNOWN,), 1)), 0)


def made(actor: Actor, mailbox: UUID) -> dict[str, datetime]:
    """When each of its secrets was set, by what it is for."""
    rows = visible(actor, Secret).filter(owner_row=mailbox)
    return dict(rows.values_list("purpose", "made"))


def channels(actor: Actor, mailbox: UUID) -> list[RecoveryChannel]:
    """Ways back in that have not ended; never more than a page of them."""
    return list(visible(actor, RecoveryChannel).filter(mailbox=mailbox, ended_at=None).order_by("id"))


def devices(actor: Actor, mailbox: UUID) -> Devices:
    """Every app password and consent it has had, by what sign-ins and sessions call it."""
    return {one.called: one for one in visible(actor, Credential).filter(mailbox=mailbox)}


def doubts(actor: Actor, mailbox: UUID) -> list[Doubt]:
    """What its owner does not know and nobody has settled yet; never more than a few."""
    return list(visible(actor, Doubt).filter(mailbox=mailbox, settled_at=None).order_by("-id"))


def doubted(actor: Actor, mailbox: UUID, told: Sequence[Happened]) -> dict[int, Doubt]:
    """Of these entries, those that its owner did not know; settled since or not, as they last said."""
    rows = visible(actor, Doubt).filter(mailbox=mailbox, entry__in=[one.entry for one in told])
    return {one.entry: one for one in rows.order_by("id")}


def _told(before: int | None, since: datetime | None, kinds: Sequence[str] | None, at_most: int) -> list[Happened]:
    asked = "SELECT * FROM postroom_own_story(%s::bigint, %s::timestamptz, %s::text[], %s)"
    return [
        Happened(entry, at, said, actor, name, why, mine, json.loads(facts) if facts else None)
        for entry, at, said, actor, name, why, mine, facts in ask(
            asked, before, since, list(kinds) if kinds else None, at_most
        )
    ]
