"""API tokens: for programs, each less than its maker. The token itself is drawn by the door and shown once."""

import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.access.roles import APPROVE
from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, KINDS, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import ApiToken, Client, Person, Secret

from .fields import ClientRef, Line, Moment, Name, TokenRef
from .roles import Permissions, known

LONGEST = timedelta(days=366)


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


Network = Annotated[Line, AfterValidator(_network)]


class CreateToken(Kind, name="tokens.create"):
    """A token for a program of yours: it reads and proposes what its permissions name, and approves nothing."""

    carries_secret = True
    mints = True
    step_up = frozenset({ASKED})
    name: Name
    permissions: Permissions
    clients: list[ClientRef] = Field(default=[], description="None: wherever you may yourself")
    networks: list[Network] = Field(default=[], description="Where it may come from, as 192.0.2.0/24; none: anywhere")
    until: Moment

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, state.actor.person or "", where="name")
        if not state.now < self.until <= state.now + LONGEST:
            raise Problem("until", "a token ends within a year, and not in the past")
        names = known(self.permissions)
        approving = {APPROVE, *(kind.approved_by for kind in KINDS.values())}
        if never := [one for one in names if one in approving or (one in KINDS and KINDS[one].mints)]:
            raise Problem("permissions", f"no token may ever {', '.join(never)}")
        clients = sorted({state.get(Client, one, where=f"clients.{n}").pk for n, one in enumerate(self.clients)})
        token, client = state.new_id(), person.client_id or (clients[0] if len(clients) == 1 else None)
        if not state.access.reaches(client):
            raise Problem("clients", "name the one client it is for: you hold nothing at the organization itself")
        yield create(
            ApiToken, token, client_id=client, person_id=person.pk, name=self.name, clients=clients,
            permissions=names, networks=sorted(set(self.networks)), until=self.until,
        )  # fmt: skip
        yield create(Secret, state.new_id(), client_id=client, owner_row=token, purpose="token",
                     made=state.now)  # fmt: skip


class EndToken(Kind, name="tokens.end"):
    """End a token at once."""

    by = frozenset({"person", "clock", "system"})
    token: TokenRef

    def plan(self, state: State) -> Iterator[Planned]:
        token = state.get(ApiToken, self.token, where="token")
        if token.ended_at is None:
            yield edit(token, ended_at=state.now)
        for secret in state.hanging(Secret, "owner_row", token.pk):
            yield end(secret)
