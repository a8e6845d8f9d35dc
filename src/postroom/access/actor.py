"""Who acts, and what they hold: a role at the organization, at a client or at one domain. Pure; asks nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from .roles import matches, permissions_of, rank, rank_of

CLOSED = "closed"  # no role: a client whose people have closed it to whoever runs the service


@dataclass(frozen=True)
class Actor:
    """Who acts.

    sort: person; token (a person's API token, which may less); owner (of the mailbox they signed in to); founder (the
    first change of all), clock, system; link (who holds an invite: its owner); code (who has a mailbox's recovery
    code). link: the SHA-256 of the link's token, or of the code, hex. epoch: of the mailbox as its owner signed in;
    once it has moved, they are nobody.
    """

    person: UUID | None
    name: str
    sort: str = "person"
    link: str = ""
    token: UUID | None = None
    mailbox: UUID | None = None
    epoch: int | None = None

    @property
    def code(self) -> str | None:
        """The hash of the recovery code they brought."""
        return self.link if self.sort == "code" else None

    @property
    def somebody(self) -> bool:
        """A person, by themselves or by a token of theirs: ranks and grants are asked of them."""
        return self.sort in ("person", "token")

    @property
    def limited(self) -> bool:
        """Rights are asked of them: of somebody, and of the owner of a mailbox."""
        return self.somebody or self.sort == "owner"


@dataclass(frozen=True)
class Own:
    """The mailbox its owner acts for. behind: its node has not yet taken what changed last. organization: who runs it.

    ids: of it, its address and its app passwords, which rows of its own name.
    """

    mailbox: UUID
    address_id: UUID
    address: str
    client: UUID
    client_name: str
    name: str
    epoch: int
    behind: bool
    app_passwords: list[UUID]
    organization: str

    @property
    def ids(self) -> tuple[UUID, ...]:
        return self.mailbox, self.address_id, *self.app_passwords


@dataclass(frozen=True)
class Held:
    """A role somebody holds, and where: no client means the whole organization.

    permissions: of a role of the organization's own; None for one of ours. only: what a token narrows it to; None: by
    nothing.
    """

    role: str
    client: UUID | None = None
    domain: UUID | None = None
    permissions: tuple[str, ...] | None = None
    only: tuple[str, ...] | None = None

    def allows(self, permission: str) -> bool:
        return matches(permissions_of(self.role, self.permissions), permission) and (
            self.only is None or matches(self.only, permission)
        )

    @property
    def rank(self) -> int:
        return rank([self.role]) if self.permissions is None else rank_of(self.permissions)


class SignedIn(NamedTuple):
    """Who it is, their roles, and when they were last suspended or removed: what they opened by then stays shut."""

    actor: Actor
    roles: frozenset[str]
    stopped: datetime | None


CLOCK = Actor(None, "clock", "clock")
SYSTEM = Actor(None, "system", "system")
FOUNDER = Actor(None, "founder", "founder")
