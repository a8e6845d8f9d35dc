"""Invites nobody has used yet."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.models import Delivery, Invite, Mailed

from .objects import NOUNS, narrowed, shown
from .page import Page, page

NOT_PRINTED = Q(by_mail=True) | Q(mailbox__isnull=False)
STATES: Mapping[str, Callable[[datetime], Q]] = {
    "good": lambda now: Q(until__gt=now),
    "over": lambda now: Q(until__lte=now),
    "unsent": lambda now: Q(until=None),
}


def pending(
    actor: Actor, *, client: str | None = None, mailbox: str | None = None, after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    rows = narrowed(actor, NOUNS["invites"], client=client).filter(
        used_at=None, ended_at=None, stops=None, recovers="", confirms=None, vouches=""
    )
    if mailbox:
        rows = rows.filter(mailbox__address__address=mailbox.lower())
    found = page(rows, key="id", after=after, limit=limit, along=NOUNS["invites"].along)
    sent, became = mailed(found.items), arrived(found.items)
    items = [
        {**shown(row), "for": _whose(row), "mail": _mail(sent.get(row.pk), became.get(row.pk))} for row in found.items
    ]
    return Page(items, found.next)


def waiting(
    actor: Actor, *, client: str = "", state: str = "", search: str = "", after: str = "", limit: int = 25
) -> Page[Any]:
    """The same as rows, without those of people that were printed; searched by contact, mailbox and person.

    state: of the link, one of STATES; empty: whichever."""
    rows = narrowed(actor, NOUNS["invites"], client=client or None)
    rows = rows.filter(NOT_PRINTED, used_at=None, ended_at=None, stops=None, recovers="", confirms=None, vouches="")
    if state in STATES:
        rows = rows.filter(STATES[state](timezone.now()))
    if search:
        rows = rows.filter(
            Q(contact__icontains=search)
            | Q(mailbox__address__address__icontains=search)
            | Q(person__email__icontains=search)
        )
    return page(rows, key="id", after=after or None, limit=limit, along=NOUNS["invites"].along)


def mailed(invites: Sequence[Invite]) -> dict[UUID, Delivery]:
    """The newest mail of each that there is to deliver, or that was: one query."""
    found = Delivery.objects.filter(target="mail", object__in=[one.pk for one in invites]).order_by("id")
    return {one.object: one for one in found if one.object}


def arrived(invites: Sequence[Invite]) -> dict[UUID, Mailed]:
    """What mail servers said became of the newest letter of each: one query."""
    found = Mailed.objects.filter(object__in=[one.pk for one in invites]).order_by("id")
    return {one.object: one for one in found if one.object}


def _mail(one: Delivery | None, became: Mailed | None) -> dict[str, Any] | None:
    """What became of it: whether our own submission took it, what it said; else why not yet. None: none was due.

    state: handed, queued, accepted, delayed, bounced, refused (models/mailed.py); status, said: a server's own words.
    """
    if one is None:
        return None
    said = (one.evidence or [{}])[-1] if one.done else {}
    state = {name: getattr(became, name, None) or None for name in ("state", "status", "said", "said_at")}
    return {"handed_over": one.done, "answer": said.get("answer"), "why": one.why or None, **state}


def _whose(invite: Any) -> str:
    return str(invite.mailbox.label if invite.mailbox_id else invite.person.email)
