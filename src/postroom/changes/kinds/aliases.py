"""Aliases: addresses that pass their mail on to others of the same client."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.leads import inside, named
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Address, Alias, Domain, Mailbox

from .destinations import there
from .fields import AliasRef, DestinationRef, MailAddress


class CreateAlias(Kind, name="aliases.create"):
    """An address that passes its mail on. Its targets are addresses of the same client."""

    address: MailAddress
    targets: tuple[MailAddress, ...] = Field(default=(), max_length=50, description="Where its mail goes on to")
    destination: DestinationRef | None = Field(default=None, description="Instead of targets: a destination's, always")

    def reads(self) -> Iterator[Ref]:
        yield Domain, self.address.rpartition("@")[2]
        yield Alias, self.address
        yield Address, self.address
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address.rpartition("@")[2], where="address")
        if domain.removed_at:
            raise Problem("address", f"{domain.name} is removed")
        led = _led(self, domain.client_id, state, itself=self.address)
        old = state.find(Alias, self.address)
        if old and old.removed_at:
            yield edit(old, **led, removed_at=None)
            return
        free = _passes_only(state.find(Address, self.address))
        address = free.pk if free else state.new_id()
        if free is None:
            yield create(Address, address, client_id=domain.client_id, domain_id=domain.pk, address=self.address)
        yield create(Alias, state.new_id(), client_id=domain.client_id, address_id=address, **led)


class ChangeAlias(Kind, name="aliases.change"):
    """Other targets for an alias."""

    by = frozenset({"person", "system"})  # role accounts follow the organization's postmaster
    alias: AliasRef
    targets: tuple[MailAddress, ...] = Field(default=(), max_length=50, description="Where its mail goes on to")
    destination: DestinationRef | None = Field(default=None, description="Instead of targets: a destination's, always")

    def reads(self) -> Iterator[Ref]:
        yield from super().reads()
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at:
            raise Problem("alias", "it is removed; create it again to use it")
        yield edit(alias, **_led(self, alias.client_id, state, itself=alias.label))


class RemoveAlias(Kind, name="aliases.remove"):
    """Stop passing mail on; the address stays taken, and creating the alias again brings it back."""

    step_up = frozenset({APPROVED})
    alias: AliasRef

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at is None:
            yield edit(alias, removed_at=state.now)


def _passes_only(address: Address | None) -> Address | None:
    """One that was made for a forward alone may be an alias too; where a mailbox is, or was, it is taken."""
    return None if address is None or Mailbox.objects.filter(address=address.pk).exists() else address


def _led(asked: CreateAlias | ChangeAlias, client: UUID, state: State, *, itself: str) -> dict[str, Any]:
    """Where an alias leads: to what was said, or to what a destination of the same client says."""
    if bool(asked.targets) == bool(asked.destination):
        raise Problem("targets", "say where it leads: targets, or a destination, and not both")
    one = there(state, asked.destination, client) if asked.destination else None
    if one and one.client_id != client:
        raise Problem("destination", "it is of another client")
    wanted = tuple(one.targets) if one else asked.targets
    return {"targets": inside(wanted, client, state, itself=itself), "destination_id": one and one.pk}
