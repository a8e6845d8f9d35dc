"""Three clients that must not see each other, with something of every sort, each text of theirs marked as theirs.

A and B have nobody in common; C shares one technician of the agency with A. Everything that a client is called, and
whatever somebody may type about it, carries its canary: where `CANARY-B-…` stands in an answer, B's data stands there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from cast import House, agreed, do, person, reasons
from postroom.access.acting import SYSTEM, Actor
from postroom.models import Change

LETTERS = ("A", "B", "C")
SPACE = UUID("7b0b2d1c-6d1e-4c5e-9a39-3a4f1f6a9c55")  # the same marks in every run


@dataclass
class Ground:
    """One client and what is on it. ids: what the factories made, each by a name (`mailbox`, `held`, …)."""

    letter: str
    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # tokens as their holder has them, by what they open

    @property
    def mark(self) -> str:
        """What no answer to a stranger holds."""
        return str(uuid5(SPACE, self.letter))

    @property
    def canary(self) -> str:
        return f"CANARY-{self.letter}-{self.mark}"

    @property
    def slug(self) -> str:
        return self.canary.lower()

    @property
    def domain(self) -> str:
        return f"{self.slug}.example"

    def at(self, local: str) -> str:
        return f"{local}@{self.domain}"

    def words(self, what: str) -> str:
        """Something somebody typed about this client."""
        return f"{what} {self.canary}"

    @property
    def client(self) -> UUID:
        return UUID(self.ids["client"])


@dataclass
class World:
    """The house of cast.py with three more clients in it. staff: people of the agency, by what they are here."""

    house: House
    grounds: dict[str, Ground]
    staff: dict[str, Actor] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # tokens and links of principals, as they hold them

    def __getitem__(self, letter: str) -> Ground:
        return self.grounds[letter]

    def foreign(self, known: Iterable[str]) -> list[Ground]:
        """The clients that somebody who knows these must not know."""
        return [self.grounds[letter] for letter in LETTERS if letter not in set(known)]


def done(house: House, permission: str, by: Actor, /, **params: Any) -> Change:
    return agreed(house, do(permission, by, **params))


def ours(permission: str, secrets: dict[str, str] | None = None, /, **params: Any) -> Change:
    """What Postroom itself does."""
    change = do(permission, SYSTEM, secrets=secrets, **params)
    assert change.version is not None, reasons(change)
    return change


def joins(house: House, email: str, *grants: dict[str, str], client: str | None = None, name: str = "") -> Actor:
    """Somebody who is invited and given these roles; they belong to `client`, or to the agency."""
    done(house, "people.invite", house.oskar, name=name or email, email=email, client=client)
    for grant in grants:
        done(house, "grants.give", house.oskar, person=email, **grant)
    return person(email, house.oskar)
