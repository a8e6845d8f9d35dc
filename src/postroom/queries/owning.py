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

from postroom.access.acting import Actor, access_of
from postroom.access.known import ask
from postroom.access.scope import visible
from postroom.models import RecoveryChannel, Secret

from .page import Page

# Kinds by which mail, or the way in, may go to somebody else: shown after a reset, to be known again or not.
LEAKS = (
    "aliases.create", "aliases.change", "recovery_channels.name", "recovery_channels.end", "invites.send",
    "invites.redirect", "invites.issue", "secrets.change", "secrets.renew", "secrets.reset", "invites.redeem",
    "history.roll_back",
)  # fmt: skip
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


def aliases(actor: Actor) -> list[str]:
    """Other addresses whose mail lands in the mailbox."""
    access_of(actor)
    return [str(address) for _, address in ask("SELECT * FROM postroom_own_aliases()")]


def story(actor: Actor, *, after: str = "", limit: int = 25) -> Page[Happened]:
    """What was done to it and who looked, newest first; `after`: the number of an entry."""
    access_of(actor)
    before = int(after) if after.isdecimal() and len(after) < 19 else None
    rows = _told(before, None, None, limit + 1)
    return Page(rows[:limit], str(rows[limit - 1].entry) if len(rows) > limit else None)


def lately(actor: Actor) -> list[Happened]:
    """What could leak, of the last fourteen days."""
    access_of(actor)
    return _told(None, timezone.now() - LATELY, LEAKS, MOST)


def made(actor: Actor, mailbox: UUID) -> dict[str, datetime]:
    """When each of its secrets was set, by what it is for."""
    rows = visible(actor, Secret).filter(owner_row=mailbox)
    return dict(rows.values_list("purpose", "made"))


def channels(actor: Actor, mailbox: UUID) -> list[RecoveryChannel]:
    """Ways back in that have not ended; never more than a page of them."""
    return list(visible(actor, RecoveryChannel).filter(mailbox=mailbox, ended_at=None).order_by("id"))


def _told(before: int | None, since: datetime | None, kinds: Sequence[str] | None, at_most: int) -> list[Happened]:
    asked = "SELECT * FROM postroom_own_story(%s::bigint, %s::timestamptz, %s::text[], %s)"
    return [
        Happened(entry, at, said, actor, name, why, mine, json.loads(facts) if facts else None)
        for entry, at, said, actor, name, why, mine, facts in ask(
            asked, before, since, list(kinds) if kinds else None, at_most
        )
    ]
