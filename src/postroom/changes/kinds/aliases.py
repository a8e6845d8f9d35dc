"""Aliases: addresses that pass their mail on to others of the same client."""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Address, Alias, Domain, Organization

from .fields import AliasRef, MailAddress

OUTSIDE = "is outside this client; mail that leaves comes as a forward, by exception"


class CreateAlias(Kind, name="aliases.create"):
    """An address that passes its mail on. Its targets are addresses of the same client."""

    address: MailAddress
    targets: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)

    def reads(self) -> Iterator[Ref]:
        yield Domain, self.address.rpartition("@")[2]
        yield Alias, self.address
        yield from _of(self.targets)

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
        yield from _of(self.targets)

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


def _of(targets: tuple[str, ...]) -> Iterator[Ref]:
    for one in targets:
        yield Address, one
        yield Alias, one


def inside(targets: tuple[str, ...], client: UUID, state: State, *, itself: str) -> list[str]:
    """The targets, once each, all of this client (or the organization's postmaster); else a Problem with each."""
    wanted = list(dict.fromkeys(targets))
    own, postmaster = _own(client, state), state.once("postmaster", _postmaster)
    wrong = [f"{one} {OUTSIDE}" for one in wanted if one.rpartition("@")[2] not in own and one != postmaster]
    if itself in wanted:
        wrong.append(f"{itself} would pass mail to itself")
    held = {one for one in wanted if (row := state.there(Address, one)) and row.client_id == client}
    known = held | {postmaster}
    wrong += [f"{one} does not exist yet" for one in wanted if one.rpartition("@")[2] in own and one not in known]
    back = [one if state.find(Alias, one) else "an alias you do not see" for one in _back_by(wanted, itself, state)]
    wrong += [f"mail to {itself} would come back to it by {one}" for one in back]
    if wrong:
        raise Problem("targets", "; ".join(wrong))
    return wanted


def _postmaster() -> str | None:
    found = Organization.objects.first()
    return found.postmaster if found else None


def _own(client: UUID, state: State) -> set[str]:
    """The names of this client's domains."""
    names = Domain.objects.filter(client_id=client).values_list("name", flat=True)
    return state.once(f"domains of {client}", lambda: set(names))


def _back_by(targets: list[str], itself: str, state: State) -> list[str]:
    """The aliases among what these targets pass mail on to, in any number of steps, that name `itself`."""
    seen: set[str] = {itself}
    back: list[str] = []
    reached = set(targets) - seen
    while reached:
        seen |= reached
        found = [row for one in sorted(reached) if (row := state.there(Alias, one)) and row.removed_at is None]
        back += [row.label for row in found if itself in row.targets]
        reached = {one for row in found for one in row.targets} - seen
    return back
