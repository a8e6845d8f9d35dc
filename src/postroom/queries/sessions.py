"""Where somebody is signed in to Postroom now: browsers at its pages, terminals at its API.

A browser's session is the sign-in library's; one that would not be let in any more is a row until it is used, and is
none. Who may see the mailbox, or the person, and sign-ins there, may see this much of them.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session as Kept
from django.db.models import QuerySet
from django.utils import timezone

from postroom.access.acting import Actor, access_of, own_of, signed_in
from postroom.access.actor import SignedIn
from postroom.access.roles import operates
from postroom.access.scope import visible
from postroom.models import ApiSession, Person
from postroom.models.base import made_at

from .sign_ins import VIEW

BEGAN, SEEN = "began", "seen"  # in a browser's session: when it was opened, when its person last did something
EPOCH = "epoch"  # in that of a mailbox's owner: the mailbox's, as it was when its password was asked
TERMINALS = "api_sessions.view"
MOST = 50


@dataclass(frozen=True)
class Session:
    """sort: browser or terminal. program: what it calls itself, its own word. id: of a terminal, which `sessions.end`
    ends by it."""

    sort: str
    since: datetime
    address: str = ""
    program: str = ""
    last_seen: datetime | None = None
    until: datetime | None = None
    id: UUID | None = None


def at_owners_pages(mailbox: UUID, epoch: int) -> list[UserSession]:
    """The owner's, the newest first. Two queries."""
    rows = UserSession.objects.filter(user__mailbox=mailbox)
    return _standing(rows, lambda session: session.get(EPOCH) == epoch and not over(session, time.time()))


def of_mailbox(mailbox: UUID) -> list[Session]:
    """Three queries; none where its owner would not be let in, as while its client is suspended."""
    own = own_of(mailbox)
    return [_browser(one) for one in at_owners_pages(mailbox, own.epoch)] if own else []


def of_person(actor: Actor, person: Person) -> list[Session] | None:
    """None where this actor may not look at all of them. Four queries."""
    access = access_of(actor)
    if not (access.can_about(VIEW, person.client_id, ()) and access.can_about(TERMINALS, None, ())):
        return None
    found = signed_in(person.pk)
    if found is None:
        return []  # suspended or removed: nobody at once
    rows = UserSession.objects.filter(user__person=person.pk)
    browsers = _standing(rows, lambda session: not over(session, time.time(), found.roles, found.stopped))
    open_ones = visible(actor, ApiSession).filter(person=person.pk, ended_at=None, until__gt=timezone.now())
    terminals = [one for one in open_ones.order_by("-id")[:MOST] if not _shut(made_at(one.pk), found)]
    return [*map(_browser, browsers), *map(_terminal, terminals)]


def _standing(rows: "QuerySet[UserSession]", stands: Callable[[Mapping[str, Any]], bool]) -> list[UserSession]:
    newest = list(rows.order_by("-created_at")[:MOST])
    kept = Kept.objects.filter(session_key__in=[one.session_key for one in newest], expire_date__gt=timezone.now())
    good = {one.session_key for one in kept if stands(one.get_decoded())}
    return [one for one in newest if one.session_key in good]


def over(session: Mapping[str, Any], now: float, roles: Iterable[str] = (), stopped: datetime | None = None) -> str:
    """Why a browser's session ends at its next click; empty while it goes on. It begins with the first click in it.

    now: in seconds since 1970. roles: of its person; nobody who signed in to a mailbox has any. stopped: when they were
    last suspended or removed, or somebody ended all of it.
    """
    if BEGAN not in session:
        return ""
    began, env = session[BEGAN], settings.POSTROOM
    if stopped is not None and began <= stopped.timestamp():
        return "ended by somebody, suspended or removed since"
    if now - began >= env.session_hours * 3600:
        return f"{env.session_hours} hours are over"
    if operates(roles) and now - session.get(SEEN, began) >= env.session_idle_minutes * 60:
        return f"nothing was done for {env.session_idle_minutes} minutes"
    return ""


def _shut(since: datetime, person: SignedIn) -> bool:
    return person.stopped is not None and since <= person.stopped


def _browser(one: UserSession) -> Session:
    return Session("browser", one.created_at, str(one.ip), one.user_agent[:120], one.last_seen_at)


def _terminal(one: ApiSession) -> Session:
    return Session("terminal", made_at(one.pk), program=one.label, until=one.until, id=one.pk)


def shown(found: list[Session] | None) -> dict[str, Any]:
    """`items` is null, and not empty, where it is not for who asks to know."""
    return {"known": found is not None, "items": None if found is None else [_shown(one) for one in found]}


def _shown(one: Session) -> dict[str, Any]:
    said = {"sort": one.sort, "program": one.program or None, "since": one.since.isoformat()}
    if one.sort == "terminal":
        return {**said, "id": str(one.id), "until": one.until.isoformat() if one.until else None}
    return {**said, "address": one.address, "last_seen": one.last_seen.isoformat() if one.last_seen else None}
