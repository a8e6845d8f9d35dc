"""Aliases: addresses that pass their mail on to others of the same client."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind, Ref
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

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address.rpartition("@")[2], where="address")
        if domain.removed_at:
            raise Problem("address", f"{domain.name} is removed")
        targets = inside(self.targets, domain.client_id, state, itself=self.address)
        old = state.rows(Alias, address__address=self.address).first()
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

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at:
            raise Problem("alias", "it is removed; create it again to use it")
        yield edit(alias, targets=inside(self.targets, alias.client_id, state, itself=alias.label))


class RemoveAlias(Kind, name="aliases.remove"):
    """Stop passing mail on; the address stays taken, and creating the alias again brings it back."""

    alias: AliasRef

    def plan(self, state: State) -> Iterator[Planned]:
        alias = state.get(Alias, self.alias, where="alias")
        if alias.removed_at is None:
            yield edit(alias, removed_at=state.now)


def inside(targets: tuple[str, ...], client: object, state: State, *, itself: str) -> list[str]:
    """The targets, once each, all of this client (or the organization's postmaster); else a Problem with each."""
    wanted = list(dict.fromkeys(targets))
    own = set(Domain.objects.filter(client_id=client).values_list("name", flat=True))
    postmaster = Organization.objects.values_list("postmaster", flat=True).first()
    wrong = [f"{one} {OUTSIDE}" for one in wanted if one.rpartition("@")[2] not in own and one != postmaster]
    if itself in wanted:
        wrong.append(f"{itself} would pass mail to itself")
    held = set(Address.objects.filter(client_id=client, address__in=wanted).values_list("address", flat=True))
    known = held | {postmaster}
    wrong += [f"{one} does not exist yet" for one in wanted if one.rpartition("@")[2] in own and one not in known]
    wrong += [f"mail to {itself} would come back to it by {one}" for one in _back_by(wanted, itself)]
    if wrong:
        raise Problem("targets", "; ".join(wrong))
    return wanted


def _back_by(targets: list[str], itself: str) -> list[str]:
    """The aliases among what these targets pass mail on to, in any number of steps, that name `itself`."""
    seen: set[str] = {itself}
    back: list[str] = []
    reached = set(targets) - seen
    while reached:
        seen |= reached
        further = Alias.objects.filter(address__address__in=reached, removed_at=None)
        passed = dict(further.values_list("address__address", "targets"))
        back += sorted(one for one, on in passed.items() if itself in on)
        reached = {one for on in passed.values() for one in on} - seen
    return back
