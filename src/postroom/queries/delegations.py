"""Who has access to whose mailbox: as the owners of both read it, and as those who run them do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor, access_of, acted
from postroom.access.known import ask
from postroom.access.scope import visible
from postroom.models import Delegation

from .people import SOMEBODY

MOST = 100


@dataclass(frozen=True)
class Owned:
    """One of a mailbox's owner. mine: of the mailbox itself; else it is let into another. address: the other one's.
    asked_by: a name; none where the owner of the mailbox that gets it asked."""

    row: Delegation
    mine: bool
    address: str
    asked_by: str | None


def own_delegations(actor: Actor) -> list[Owned]:
    """Asked for or standing, of the mailbox that its owner acts for, and what it was let into; the newest first."""
    access = access_of(actor)
    rows = {one.pk: one for one in visible(actor, Delegation).filter(_live())}
    own = access.own.mailbox if access.own else None
    return [
        Owned(rows[id], rows[id].mailbox_id == own, address, name)
        for id, address, name in ask("SELECT * FROM postroom_own_delegations()")
        if id in rows
    ]


def delegations(actor: Actor, mailbox: UUID) -> list[Delegation]:
    """Asked for or standing, of this mailbox or for it, with both addresses; the newest first."""
    along = ("mailbox__address", "to_mailbox__address", "requester", "client_by")
    rows = visible(actor, Delegation).filter(_live()).filter(Q(mailbox=mailbox) | Q(to_mailbox=mailbox))
    return list(rows.select_related(*along).order_by("-made", "id")[:MOST])


def who_asked(rows: Iterable[Delegation]) -> Mapping[UUID, str]:
    """By delegation: the name of who asked, where it was not the owner of `to_mailbox`. Who is not seen is named where
    what they did at the client is, and somebody where it is not. One query at most."""
    people = {one.pk: one for one in rows if one.requester_id}
    names = acted({one.requester_id for one in people.values() if one.requester is None and one.requester_id})
    return {
        pk: one.requester.name if one.requester else names.get(one.requester_id or UUID(int=0), SOMEBODY)
        for pk, one in people.items()
    }


def _live() -> Q:
    now: datetime = timezone.now()
    return Q(ended_at=None) & (Q(until=None) | Q(until__gt=now))
