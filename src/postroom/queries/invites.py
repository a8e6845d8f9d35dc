"""Invites nobody has used yet."""

from typing import Any

from django.db.models import Q

from postroom.access.acting import Actor

from .objects import NOUNS, narrowed, shown
from .page import Page, page


def pending(
    actor: Actor, *, client: str | None = None, mailbox: str | None = None, after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    rows = narrowed(actor, NOUNS["invites"], client=client).filter(
        used_at=None, ended_at=None, stops=None, recovers="", confirms=None
    )
    if mailbox:
        rows = rows.filter(mailbox__address__address=mailbox.lower())
    found = page(rows, key="id", after=after, limit=limit, along=NOUNS["invites"].along)
    return Page([{**shown(row), "for": _whose(row)} for row in found.items], found.next)


def waiting(actor: Actor, *, client: str = "", search: str = "", after: str = "", limit: int = 25) -> Page[Any]:
    """The same as rows, those printed on the machine left out; searched by contact, mailbox and person."""
    rows = narrowed(actor, NOUNS["invites"], client=client or None)
    rows = rows.filter(used_at=None, ended_at=None, by_mail=True, stops=None, recovers="", confirms=None)
    if search:
        rows = rows.filter(
            Q(contact__icontains=search)
            | Q(mailbox__address__address__icontains=search)
            | Q(person__email__icontains=search)
        )
    return page(rows, key="id", after=after or None, limit=limit, along=NOUNS["invites"].along)


def _whose(invite: Any) -> str:
    return str(invite.mailbox.label if invite.mailbox_id else invite.person.email)
