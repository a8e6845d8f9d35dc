"""Invites nobody has used yet."""

from typing import Any

from postroom.access.acting import Actor

from .objects import NOUNS, narrowed, shown
from .page import Page, page


def pending(
    actor: Actor, *, client: str | None = None, mailbox: str | None = None, after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    rows = narrowed(actor, NOUNS["invites"], client=client).filter(used_at=None, ended_at=None)
    if mailbox:
        rows = rows.filter(mailbox__address__address=mailbox.lower())
    found = page(rows.select_related(*NOUNS["invites"].along), key="id", after=after, limit=limit)
    return Page([{**shown(row), "for": _whose(row)} for row in found.items], found.next)


def _whose(invite: Any) -> str:
    return str(invite.mailbox.label if invite.mailbox_id else invite.person.email)
