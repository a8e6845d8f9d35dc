"""Who signed in to a mailbox and tried to, newest first; and who is signed in now, as its node last listed them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from postroom.access.acting import Actor, access_of
from postroom.access.scope import visible
from postroom.models import LiveSession, Mailbox, Node, Report, SignIn

from .page import Page, page

VIEW = "sign_ins.view"
LISTED = timedelta(seconds=60)  # four lists missed
MOST = 100  # sessions of one mailbox; Dovecot lets one have 50 from an address
BEFORE, AFTER = timedelta(hours=1, minutes=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Now:
    """Sessions of a mailbox. at: when its node last listed them; not `known` where that is too long ago, or never."""

    at: datetime | None
    known: bool
    sessions: tuple[LiveSession, ...] = ()


def history(actor: Actor, mailbox: Mailbox, *, after: str | None = None, limit: int = 50) -> Page[SignIn]:
    rows = visible(actor, SignIn, VIEW).filter(mailbox=mailbox.pk)
    return page(rows, key="id", after=after, limit=limit, newest_first=True)


def last_uses(actor: Actor, mailbox: Mailbox) -> dict[str, SignIn] | None:
    """credential → its newest sign-in that got in, of those kept (90 days); None for who may not look at them."""
    if not access_of(actor).can_about(VIEW, mailbox.client_id, [mailbox.address.domain_id]):
        return None
    rows = visible(actor, SignIn, VIEW).filter(mailbox=mailbox.pk, success=True).exclude(credential="")
    return {one.credential: one for one in rows.order_by("credential", "-id").distinct("credential")}


def live(actor: Actor, mailbox: Mailbox) -> Now:
    """Three queries. What was open when the node was last heard is no answer for now."""
    node = mailbox.client.node_id
    told = Report.objects.filter(node=node, sort="sessions").order_by("-at").first() if node else None
    if told is None or timezone.now() - told.at > LISTED:
        return Now(told.at if told else None, False)
    rows = visible(actor, LiveSession, VIEW).filter(mailbox=mailbox.pk, node=node).order_by("-since", "-id")[:MOST]
    return Now(told.at, True, tuple(_with_credentials(actor, mailbox, rows)))


def _with_credentials(actor: Actor, mailbox: Mailbox, rows: Iterable[LiveSession]) -> list[LiveSession]:
    """Where the node does not say by which credential: the one that signed in from there then, if only one did."""
    found = list(rows)
    begun = [one.since for one in found if one.since and not one.credential]
    if begun:
        then = visible(actor, SignIn, VIEW).filter(mailbox=mailbox.pk, success=True, at__gt=min(begun) - BEFORE)
        signed_in = list(then.order_by("-id")[:500])
        for one in found:
            one.credential = one.credential or _only(one, signed_in)
    return found


def _only(session: LiveSession, signed_in: Sequence[SignIn]) -> str:
    """A row stands for an hour of its like, so the one that opened this session is in the hour before it."""
    if session.since is None:
        return ""
    by = {
        one.credential
        for one in signed_in
        if (one.protocol, one.address) == (session.protocol, session.address)
        and session.since - BEFORE < one.at < session.since + AFTER
    }
    return by.pop() if len(by) == 1 else ""


def made_up(node: Node) -> int:
    """How often within a day a name was tried at this node that no mailbox has."""
    told = Report.objects.filter(node=node, sort="unknown sign-ins", at__gt=timezone.now() - timedelta(days=1))
    return sum(int(one.get("failed") or 0) for one in told.values_list("facts", flat=True))


def shown(one: SignIn) -> dict[str, Any]:
    said = ("protocol", "address", "success", "refused", "credential", "session", "program", "times")
    return {"at": one.at.isoformat(), **{name: getattr(one, name) for name in said}}


def shown_now(now: Now) -> dict[str, Any]:
    """`items` is null, and not empty, where it is not known."""
    items = [
        {"protocol": one.protocol, "address": one.address, "since": one.since.isoformat() if one.since else None,
         "credential": one.credential or None}
        for one in now.sessions
    ]  # fmt: skip
    return {"known": now.known, "at": now.at.isoformat() if now.at else None, "items": items if now.known else None}
