"""Who signed in to a mailbox, and who is signed in now. Sessions are ended by `mailboxes.end_sessions`."""

from typing import Any

from ninja import Router

from postroom.models import Mailbox
from postroom.queries import sign_ins as queries
from postroom.queries.mailboxes import whole
from postroom.queries.objects import row_of
from postroom.queries.sessions import of_mailbox, shown

from .door import reads

router = Router(tags=["sign-ins"])


def _mailbox(request: Any, ref: str) -> Mailbox:
    mailbox = request.opened = whole(request.auth.actor, row_of(request.auth.actor, "mailboxes", ref).pk)
    return mailbox


@router.get("/mailboxes/{ref}/sign-ins")
@reads(queries.VIEW, recorded="mailboxes")
def sign_ins(request: Any, ref: str, after: str | None = None, limit: int = 50) -> dict[str, Any]:
    """Sign-ins to a mailbox and tries, newest first, of the last 90 days; `times`: how many alike one stands for."""
    found = queries.history(request.auth.actor, _mailbox(request, ref), after=after, limit=limit)
    return {"items": [queries.shown(one) for one in found.items], "next": found.next}


@router.get("/mailboxes/{ref}/sessions")
@reads(queries.VIEW, recorded="mailboxes")
def sessions(request: Any, ref: str) -> dict[str, Any]:
    """Who is signed in to a mailbox now; `items` is null where its node has not said so within a minute.

    browsers: where its owner is signed in to the pages.
    """
    mailbox = _mailbox(request, ref)
    now = queries.shown_now(queries.live(request.auth.actor, mailbox))
    return {**now, "browsers": shown(of_mailbox(mailbox.pk))["items"]}
