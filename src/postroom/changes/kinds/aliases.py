"""Aliases: addresses that pass their mail on to others of the same client."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Address, Alias, Domain

from .fields import AliasRef, MailAddress
from .leads import inside, named


class CreateAlias(Kind, name="aliases.create"):
    """An address that passes its mail on. Its targets are addresses of the same client."""

    address: MailAddress
    targets: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)

    def reads(self) -> Iterator[Ref]:
        yield Domain, self.address.rpartition("@")[2]
        yield Alias, self.address
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address.rpartition("@")[2], where="address")
        if domain.removed_at:
            raise Problem("address", f"{domain.name} is removed")
        targets = inside(self.targets, domain.client_id, state, itself=self.address)
        old = state.find(Alias, self.address)
        if old and old.removed_at:
            yield edit(old, targets=targets, removed_at=None)
            return
        address = state.new_id()
        yield create(Address, address, client_id=domain.client_id, domain_id=domain.pk, address=self.address)
        yield create(Alias, state.new_id(), client_id=domain.client_id, address_id=address, targets=targets)


class ChangeAlias(Kind, name="aliases.change"):
    """Other targets for an alias."""

    alias: AliasRef
    targets: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)

    def reads(self) -> Iterator[Ref]:
        yield from super().reads()
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at:
            raise Problem("alias", "it is removed; create it again to use it")
        yield edit(alias, targets=inside(self.targets, alias.client_id, state, itself=alias.label))


class RemoveAlias(Kind, name="aliases.remove"):
    """Stop passing mail on; the address stays taken, and creating the alias again brings it back."""

    step_up = frozenset({APPROVED})
    alias: AliasRef

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at is None:
            yield edit(alias, removed_at=state.now)
