"""Who signed in to a mailbox and tried to, newest first; and who is signed in now, as its node last listed them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.utils import timezone

from postroom.access.acting import Actor, access_of
from postroom.access.own import own_node
from postroom.access.scope import visible
from postroom.models import LiveSession, Mailbox, Node, Report, SignIn
from postroom.models.credentials import called

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
    return _newest(visible(actor, SignIn, VIEW).filter(mailbox=mailbox.pk))


def own_last_uses(actor: Actor, mailbox: UUID) -> dict[str, SignIn]:
    """The same, for the mailbox's owner."""
    access_of(actor)
    return _newest(visible(actor, SignIn).filter(mailbox=mailbox))


def _newest(rows: "QuerySet[SignIn]") -> dict[str, SignIn]:
    got_in = rows.filter(success=True).exclude(credential="")
    return {one.credential: one for one in got_in.order_by("credential", "-id").distinct("credential")}


def with_last_use(actor: Actor, credentials: Sequence[dict[str, Any]], *, address: bool) -> list[dict[str, Any]]:
    """Credentials as the API says them, each with its newest sign-in that got in, of those kept. Two queries.

    known: whether this actor may look at sign-ins of its mailbox; only then is an empty `at` that there was none.
    address: from where too, which is a look at the mailbox.
    """
    of = {one["mailbox_id"] for one in credentials}
    seen = set(visible(actor, Mailbox, VIEW).filter(pk__in=of).values_list("pk", flat=True))
    names = {called(one["sort"], one["id"]) for one in credentials}
    uses = _newest(visible(actor, SignIn, VIEW).filter(mailbox__in=seen, credential__in=names))
    return [{**one, "last_use": _used(one, UUID(str(one["mailbox_id"])) in seen, uses, address)} for one in credentials]


def _used(credential: dict[str, Any], known: bool, uses: dict[str, SignIn], address: bool) -> dict[str, Any]:
    one = uses.get(called(credential["sort"], credential["id"]))
    last = one if one and str(one.mailbox_id) == str(credential["mailbox_id"]) else None
    said = {"known": known, "at": last.at.isoformat() if last else None, "protocol": last.protocol if last else None}
    return {**said, "address": last.address if last else None} if address else said


def live(actor: Actor, mailbox: Mailbox) -> Now:
    """Three queries. What was open when the node was last heard is no answer for now."""
    node = mailbox.client.node_id
    told = Report.objects.filter(node=node, sort="sessions").order_by("-at").first() if node else None
    return _listed(actor, mailbox.pk, node, told.at if told else None)


def own_live(actor: Actor, mailbox: UUID) -> Now:
    """The same, for the mailbox's owner: of its node they see nothing else than when it last listed who is in."""
    access_of(actor)
    return _listed(actor, mailbox, *own_node())


def own_history(actor: Actor, mailbox: UUID, *, after: str | None = None, limit: int = 25) -> Page[SignIn]:
    rows = visible(actor, SignIn).filter(mailbox=mailbox)
    return page(rows, key="id", after=after, limit=limit, newest_first=True)


@dataclass(frozen=True)
class Lately:
    """The newest sign-in since then, and how many wrong tries there were."""

    last: SignIn | None
    failed: int


def own_lately(actor: Actor, mailbox: UUID, *, since: datetime) -> Lately:
    """Two queries."""
    rows = visible(actor, SignIn).filter(mailbox=mailbox, at__gt=since)
    failed = rows.filter(success=False).aggregate(times=Sum("times"))["times"]
    return Lately(rows.filter(success=True).order_by("-id").first(), failed or 0)


def _listed(actor: Actor, mailbox: UUID, node: UUID | None, at: datetime | None) -> Now:
    if at is None or timezone.now() - at > LISTED:
        return Now(at, False)
    rows = visible(actor, LiveSession, VIEW).filter(mailbox=mailbox, node=node).order_by("-since", "-id")[:MOST]
    return Now(at, True, tuple(_as_signed_in(actor, mailbox, rows)))


def _as_signed_in(actor: Actor, mailbox: UUID, rows: Iterable[LiveSession]) -> list[LiveSession]:
    """By which program, and where the node does not say it by which credential: as it was at the sign-in from there
    then, if only one did."""
    found = list(rows)
    begun = [one.since for one in found if one.since]
    if begun:
        then = visible(actor, SignIn, VIEW).filter(mailbox=mailbox, success=True, at__gt=min(begun) - BEFORE)
        signed_in = list(then.order_by("-id")[:500])
        for one in found:
            openers = list(_openers(one, signed_in))
            one.credential = one.credential or _only(opener.credential for opener in openers)
            one.program = _only(opener.program for opener in openers)
    return found


def _openers(session: LiveSession, signed_in: Sequence[SignIn]) -> Iterator[SignIn]:
    """A row stands for an hour of its like, so the one that opened this session is in the hour before it."""
    for one in signed_in:
        alike = (one.protocol, one.address) == (session.protocol, session.address)
        by = session.credential in ("", one.credential)
        if session.since and alike and by and session.since - BEFORE < one.at < session.since + AFTER:
            yield one


def _only(said: Iterable[str]) -> str:
    found = set(said)
    return found.pop() if len(found) == 1 else ""


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
         "credential": one.credential or None, "program": one.program or None}
        for one in now.sessions
    ]  # fmt: skip
    return {"known": now.known, "at": now.at.isoformat() if now.at else None, "items": items if now.known else None}
