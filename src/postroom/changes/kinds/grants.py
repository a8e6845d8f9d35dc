"""Roles for people: given for good or for a while, asked for, taken away."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from pydantic import Field

from postroom.access.roles import CLIENT_ROLES, ROLES, SEALED, rank
from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Client, Domain, Grant, Person, Role

from .fields import ClientRef, DomainRef, GrantRef, Line, Moment, PersonRef, RoleRef


class GiveGrant(Kind, name="grants.give"):
    """A role for a person: at the whole organization, at a client, or at one domain; with a reason and an end."""

    mints = True
    step_up = frozenset({APPROVED})  # a high role where it is asked for too
    person: PersonRef
    role: RoleRef
    client: ClientRef | None = None
    domain: DomainRef | None = None
    reason: Line = Field(default="", description="Why they hold it; the change's own why if left out")
    until: Moment | None = None

    def steps_up(self, act: str) -> bool:
        high = self.role not in ROLES or rank([self.role]) >= rank(["approver"])
        return act in self.step_up or (act == ASKED and high)

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        client, domain = _where(self.client, self.domain, state)
        if client is None and person.client_id:
            raise Problem("person", f"{person.name} belongs to a client, and holds roles there alone")
        if self.until and self.until <= state.now:
            raise Problem("until", f"{self.until.isoformat()} has passed")
        yield create(
            Grant, state.new_id(), client_id=client, domain_id=domain and domain.pk, person_id=person.pk,
            role=_role(self.role, client, state), reason=self.reason or state.why, given_by_id=state.actor.person,
            until=self.until,
        )  # fmt: skip


class Elevate(Kind, name="grants.elevate"):
    """More than one holds, for some hours: asked for by whoever needs it, let through by somebody who holds as much."""

    mints = elevates = True
    step_up = frozenset({ASKED, APPROVED})
    role: RoleRef
    hours: int = Field(ge=1, le=12, description="For how long; it ends by itself")
    client: ClientRef | None = None
    domain: DomainRef | None = None

    def plan(self, state: State) -> Iterator[Planned]:
        client, domain = _where(self.client, self.domain, state)
        person = state.get(Person, state.actor.person or "", where="role")
        yield create(
            Grant, state.new_id(), client_id=client, domain_id=domain and domain.pk, person_id=person.pk,
            role=_role(self.role, client, state), reason=state.why, given_by_id=person.pk,
            until=state.now + timedelta(hours=self.hours),
        )  # fmt: skip


def _where(client: str | None, domain: str | None, state: State) -> tuple[UUID | None, Domain | None]:
    """The client and the domain that are meant; a domain says whose it is."""
    one = state.get(Domain, domain, where="domain") if domain else None
    whose = state.get(Client, client, where="client").pk if client else one.client_id if one else None
    if one and one.client_id != whose:
        raise Problem("domain", f"{one.name} is not a domain of that client")
    return whose, one


def _role(role: str, client: UUID | None, state: State) -> str:
    """One of ours, or of the organization's own."""
    if role in CLIENT_ROLES and client is None:
        raise Problem("client", f"a {role} is one of some client: name it")
    own = None if role in ROLES else state.find(Role, role)
    if role == SEALED or (role not in ROLES and (own is None or own.ended_at)):
        raise Problem(
            "role", f"{role} is no role: {', '.join(one for one in ROLES if one != SEALED)}, or one of your own"
        )
    return own.name if own else role


class EndGrant(Kind, name="grants.end"):
    """Take a role away."""

    by = frozenset({"person", "clock"})
    grant: GrantRef

    def plan(self, state: State) -> Iterator[Planned]:
        grant = state.get(Grant, self.grant, where="grant")
        if grant.ended_at is None:
            yield edit(grant, ended_at=state.now)
