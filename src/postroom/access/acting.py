"""The one way into the database: act as somebody. No query runs outside it.

`acting_as` opens the transaction and lets the database work out, from the grants as they stand, what
the transaction may see; row security holds that against every query, ours and raw.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from .roles import allows, rank


@dataclass(frozen=True)
class Actor:
    """Who acts.

    sort: person; founder (the first change of all), clock, system; link (who holds an invite: its owner).
    link: the SHA-256 of the link's token, hex, for sort link alone.
    """

    person: UUID | None
    name: str
    sort: str = "person"
    link: str = ""


CLOCK = Actor(None, "clock", "clock")
SYSTEM = Actor(None, "system", "system")
FOUNDER = Actor(None, "founder", "founder")


@dataclass(frozen=True)
class Held:
    """A role somebody holds, and where: no client means the whole organization."""

    role: str
    client: UUID | None = None
    domain: UUID | None = None


@dataclass
class Access:
    """What an actor may do, as the grants stood when this was read."""

    actor: Actor
    held: tuple[Held, ...] = ()
    invite: UUID | None = None

    @property
    def everything(self) -> bool:
        """A part of Postroom itself: it reads what its change needs and may do what a kind lets it."""
        return self.actor.sort in ("clock", "system", "founder")

    def roles_at(self, client: UUID | None) -> set[str]:
        return {h.role for h in self.held if h.client is None or (h.client == client and not h.domain)}

    def can(self, permission: str, client: UUID | None) -> bool:
        return allows(self.roles_at(client), permission)

    def can_at_domain(self, permission: str, domain: UUID) -> bool:
        return any(h.domain == domain and allows([h.role], permission) for h in self.held)

    def can_somewhere(self, permission: str) -> bool:
        return allows({h.role for h in self.held}, permission)

    def reaches(self, client: UUID | None) -> bool:
        """Whether a change of this client (None: the organization's own) can be on a record they see."""
        return self.actor.sort != "person" or any(h.client is None or h.client == client for h in self.held)

    def rank_at(self, client: UUID | None) -> int:
        return rank(self.roles_at(client))

    def refresh(self) -> None:
        """Read the grants again: they may have ended since."""
        if self.actor.person is not None and self.actor.sort == "person":
            self.hold(_ask("SELECT * FROM postroom_grants(%s)", self.actor.person))

    def hold(self, grants: list[tuple[Any, ...]]) -> None:
        self.held = tuple(Held(*row) for row in grants if row[0])


class NotActing(RuntimeError):
    """A query, or a question, outside `acting_as`."""


class NoSuchLink(LookupError):
    """No link, or one that is no longer good: the answer is the same."""


_now: ContextVar[Access | None] = ContextVar("access", default=None)


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
        found = _ask("SELECT * FROM postroom_enter_link(%s)", actor.link)
        if not found:
            raise NoSuchLink("no such link")
        access.invite = found[0][0]
    elif access.everything:
        _ask(EVERYTHING)
    else:
        access.hold(_ask(ENTER, actor.person, actor.person))
    return access


@contextmanager
def acting_for(change: UUID) -> Iterator[Access]:
    """As the proposer of a change, in the scope of that change: its client, whatever else they may see."""
    with _transaction() as begin:
        ((sort, person, name),) = _ask("SELECT * FROM postroom_enter_change(%s)", change)
        access = Access(Actor(person, name, sort))
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


# The scope, then the grants; a row without a role where there is none of them.
ENTER = "SELECT g.* FROM postroom_enter(%s) LEFT JOIN postroom_grants(%s) g ON true"
EVERYTHING = (
    "SELECT set_config('postroom.person', '', true), set_config('postroom.clients', '', true),"
    " set_config('postroom.everything', 'yes', true)"
)


def _ask(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def session_of(hashed: str) -> tuple[UUID, Actor, str] | None:
    """(session, who, how the second factor was shown) of an API token's SHA-256; None for any that is no good."""
    found = _ask("SELECT * FROM postroom_session(%s)", hashed)
    return (found[0][0], Actor(found[0][1], found[0][2]), found[0][3]) if found else None


def signed_in(person: UUID) -> tuple[Actor, frozenset[str]] | None:
    """(who, their roles) of a signed-in person; None when the person may not sign in (any more)."""
    found = _ask("SELECT * FROM postroom_signed_in(%s)", person)
    return (Actor(person, found[0][0]), frozenset(found[0][1])) if found else None


def taken(table: str, names: list[str]) -> list[str]:
    """Which of these names somebody has already, in their order; never who."""
    return [name for (name,) in _ask("SELECT postroom_taken(%s, %s)", table, names)]


def others_who_may(roles: list[str], *, clients: Sequence[UUID | None], beside: UUID | None) -> int:
    """How many people, `beside` left out, hold one of `roles` at every one of these clients or above it."""
    ((count,),) = _ask("SELECT postroom_others(%s::uuid[], %s, %s)", list(clients), beside, roles)
    return int(count)


def hold_any(roles: Sequence[str], *, client: UUID | None, among: Sequence[str]) -> bool:
    """Whether any of these people holds one of `roles` at this client or above it; never which of them."""
    ((found,),) = _ask("SELECT postroom_hold_any(%s, %s::uuid[], %s)", client, list(among), list(roles))
    return bool(found)
