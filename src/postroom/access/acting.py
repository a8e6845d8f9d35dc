"""The one way into the database: act as somebody. No query runs outside it.

`acting_as` opens the transaction and lets the database work out, from the grants as they stand, what
the transaction may see; row security holds that against every query, ours and raw.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from .actor import CLOCK, CLOSED, FOUNDER, SYSTEM, Actor, Held, Own
from .known import ask, own_of, owner_at, session_of, signed_in, token_of
from .roles import MAILBOX_OWNER, SEALED, matches, roles_that

__all__ = [
    "CLOCK", "FOUNDER", "SYSTEM", "Access", "Actor", "Held", "NoSuchLink", "NoSuchOwner", "NotActing", "Own",
    "access_of", "acted", "acting_as", "acting_for", "as_shown", "current", "may_act", "others_who_may", "own_of",
    "owner_at", "roles_allowing", "session_of", "signed_in", "stand_above", "taken", "token_of", "widened",
]  # fmt: skip


@dataclass
class Access:
    """What an actor may do, as the grants stood when this was read.

    closed: clients whose own people have closed them to whoever runs the service. own: of a mailbox's owner.
    """

    actor: Actor
    held: tuple[Held, ...] = ()
    invite: UUID | None = None
    own: Own | None = None
    closed: frozenset[UUID] = frozenset()
    lets: dict[str, list[Held]] = field(default_factory=dict, repr=False, compare=False)  # what scope.py worked out

    @property
    def everything(self) -> bool:
        """A part of Postroom itself: it reads what its change needs and may do what a kind lets it."""
        return self.actor.sort in ("clock", "system", "founder")

    @property
    def narrow(self) -> bool:
        """Whether some of it is at single domains, of whose records such a person sees what is about those; or all
        of it is at one mailbox, whose owner sees nothing else of the client."""
        return self.own is not None or any(h.domain for h in self.held)

    def at(self, client: UUID | None) -> Iterator[Held]:
        """What counts at a client, or (None) at the organization itself; roles at one domain do not."""
        return (h for h in self.held if self._counts(h, client))

    def _counts(self, held: Held, client: UUID | None) -> bool:
        if held.client is None:
            return client is None or client not in self.closed
        return held.client == client and not held.domain

    def roles_at(self, client: UUID | None) -> set[str]:
        return {h.role for h in self.at(client)}

    def can(self, permission: str, client: UUID | None) -> bool:
        return any(h.allows(permission) for h in self.at(client))

    def can_at_domain(self, permission: str, domain: UUID) -> bool:
        return any(h.domain == domain and h.allows(permission) for h in self.held)

    def can_about(self, permission: str, client: UUID | None, domains: Iterable[UUID] | None) -> bool:
        """At the client; or at each of these domains, which is all that it is about."""
        about = list(domains or ())
        return self.can(permission, client) or (bool(about) and all(self.can_at_domain(permission, d) for d in about))

    def can_somewhere(self, permission: str) -> bool:
        return any(h.allows(permission) for h in {h.role: h for h in self.held}.values())  # a role says it, wherever

    def reaches(self, client: UUID | None) -> bool:
        """Whether a change of this client (None: the organization's own) can be on a record they see."""
        return not self.actor.limited or any(self._counts(h, client) or h.client == client for h in self.held)

    def rank_at(self, client: UUID | None) -> int:
        return max((h.rank for h in self.at(client)), default=-1)

    def refresh(self) -> None:
        """Read the grants again: they may have ended since; or whether the mailbox still is as its owner signed in."""
        if self.actor.mailbox is not None:
            self.owns(own_of(self.actor.mailbox, self.actor.epoch, self.actor.code))
        if self.actor.person is None or not self.actor.somebody:
            return
        self.hold(ask("SELECT * FROM postroom_holds(%s, %s)", self.actor.person, self.actor.token))

    def hold(self, found: list[tuple[Any, ...]]) -> None:
        rows = [Held(*row) for row in found if row[0]]
        self.held = tuple(h for h in rows if h.role != CLOSED)
        self.closed = frozenset(h.client for h in rows if h.role == CLOSED and h.client)
        self.lets.clear()

    def owns(self, own: Own | None) -> None:
        """Of the owner of a mailbox: that one, and the role that is nobody else's."""
        self.own = own
        self.held = (Held(MAILBOX_OWNER, own.client),) if own else ()


class MayAct(NamedTuple):
    """A role, or a token, by which somebody may act at a client. here: it was given for this client, not for all."""

    sort: str
    id: UUID
    person: UUID
    name: str
    role: str
    here: bool
    domain: str | None
    until: datetime | None


class NotActing(RuntimeError):
    """A query, or a question, outside `acting_as`."""


class NoSuchLink(LookupError):
    """No link, or one that is no longer good: the answer is the same."""


class NoSuchOwner(LookupError):
    """Nobody owns this mailbox as it stands now: its access ended since they signed in, or it is suspended or gone."""


_now: ContextVar[Access | None] = ContextVar("access", default=None)
_shown: ContextVar[tuple[str, str] | None] = ContextVar("shown", default=None)  # while widened: what they are shown


@contextmanager
def acting_as(actor: Actor) -> Iterator[Access]:
    """One transaction in the scope of `actor`. Inside it, the same actor joins; another one may not."""
    if (outer := _now.get()) is not None:
        if outer.actor != actor:
            raise NotActing(f"acting as {outer.actor.name}; {actor.name} needs a transaction of their own")
        yield outer
        return
    with _transaction() as begin:
        yield begin(_enter(actor))


def _enter(actor: Actor) -> Access:
    """Tell the database who this is; it works out the scope."""
    access = Access(actor)
    if actor.sort == "link":
        found = ask("SELECT * FROM postroom_enter_link(%s)", actor.link)
        if not found:
            raise NoSuchLink("no such link")
        access.invite = found[0][0]
    elif actor.sort in ("owner", "code"):
        found = ask("SELECT * FROM postroom_enter_owner(%s, %s, %s)", actor.mailbox, actor.epoch, actor.code)
        if not found:
            raise NoSuchOwner("the mailbox is not open to its owner")
        access.owns(Own(*found[0]))
    elif access.everything:
        ask(EVERYTHING)
    else:
        access.hold(ask("SELECT * FROM postroom_enter(%s, %s)", actor.person, actor.token))
    return access


@contextmanager
def acting_for(change: UUID) -> Iterator[Access]:
    """As the proposer of a change, in the scope of that change: its client, whatever else they may see."""
    with _transaction() as begin:
        ((sort, person, name, token, mailbox),) = ask("SELECT * FROM postroom_enter_change(%s)", change)
        access = Access(Actor(person, name, sort, token=token, mailbox=mailbox))
        access.refresh()
        yield begin(access)


@contextmanager
def _transaction() -> Iterator[Callable[[Access], Access]]:
    with transaction.atomic(durable=True):
        token = _now.set(None)
        try:
            yield _begin
        finally:
            _now.reset(token)


def _begin(access: Access) -> Access:
    _now.set(access)
    return access


def current() -> Access:
    access = _now.get()
    if access is None:
        raise NotActing("no query outside acting_as")
    return access


def access_of(actor: Actor) -> Access:
    access = current()
    if access.actor != actor:
        raise NotActing(f"not acting as {actor.name}")
    return access


@contextmanager
def widened(access: Access | None = None) -> Iterator[None]:
    """For planning, judging and writing a change: the whole record of every client where its proposer holds anything.

    What they are shown of it stays as narrow as what they hold (Access.narrow).
    """
    access = access or _now.get()  # none: a transaction of the sign-in library's, which sees everything by itself
    if access is None or not access.narrow or access.everything:
        yield
        return
    own = f"{{{access.own.client}}}" if access.own else None
    was = ask(SCOPE)[0]
    token = _shown.set(was if _shown.get() is None else _shown.get())
    try:
        with _seeing((own or was[0], own or was[0])):
            yield
    finally:
        _shown.reset(token)


@contextmanager
def as_shown() -> Iterator[None]:
    """Inside of `widened`, as narrow again as what its proposer is shown: whether they may name this at all."""
    narrow = _shown.get()
    with nullcontext() if narrow is None else _seeing(narrow):
        yield


@contextmanager
def _seeing(scope: tuple[str, str]) -> Iterator[None]:
    """Other clients, and other whole records, until it is over."""
    was = ask(SCOPE)[0]
    ask(SEEING, *scope)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            ask(SEEING, *was)


SCOPE = "SELECT current_setting('postroom.clients'), current_setting('postroom.whole')"
SEEING = "SELECT set_config('postroom.clients', %s, true), set_config('postroom.whole', %s, true)"
EVERYTHING = (
    "SELECT set_config('postroom.person', '', true), set_config('postroom.clients', '', true),"
    " set_config('postroom.everything', 'yes', true)"
)


OWN_ROLES = "SELECT name, permissions FROM roles WHERE ended_at IS NULL"


def taken(table: str, names: list[str]) -> list[str]:
    """Which of these names somebody has already, in their order; never who."""
    return [name for (name,) in ask("SELECT postroom_taken(%s, %s)", table, names)]


def others_beside(domains: Sequence[tuple[str, UUID | None]]) -> list[str]:
    """Which of these (name, whose) lie above or below a domain of another client, in their order; never of whom."""
    names, clients = zip(*domains, strict=True)
    return [name for (name,) in ask("SELECT postroom_others_beside(%s, %s::uuid[])", list(names), list(clients))]


def others_who_may(roles: list[str], *, clients: Sequence[UUID | None], beside: Iterable[UUID | None]) -> int:
    """How many people, `beside` left out, hold one of `roles` at every one of these clients or above it."""
    ((count,),) = ask("SELECT postroom_others(%s::uuid[], %s::uuid[], %s)", list(clients), list(beside), roles)
    return int(count)


def acted(people: Iterable[UUID]) -> dict[UUID, str]:
    """The names of those of these people who acted at a client that is seen; of the others, nothing."""
    wanted = list(people)
    return dict(ask("SELECT * FROM postroom_acted(%s::uuid[])", wanted)) if wanted else {}


def stand_above(among: Sequence[str], above: Mapping[str, Sequence[str]]) -> bool:
    """Whether any of these people, suspended or not, holds one of the roles named for where they hold it; never which.

    above: roles by place: a client's id, `organization`, or '' for wherever else.
    """
    ((found,),) = ask("SELECT postroom_stand_above(%s::uuid[], %s::jsonb)", list(among), json.dumps(above))
    return bool(found)


def may_act(client: UUID) -> list[MayAct]:
    """Who may act at this client, for whoever sees it as a whole; nothing for anybody else."""
    return [MayAct(*row) for row in ask("SELECT * FROM postroom_may_act(%s) ORDER BY name, id LIMIT 500", client)]


def roles_allowing(permission: str) -> list[str]:
    """Names of the roles that allow it: ours, and the organization's own. A sealed login is nobody's second person."""
    own = [name for name, permissions in ask(OWN_ROLES) if matches(permissions, permission)]
    return [*(role for role in roles_that(permission) if role != SEALED), *own]
