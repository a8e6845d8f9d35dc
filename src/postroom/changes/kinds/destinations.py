"""Destinations: the invoicing address, said once; aliases that use it follow, each of them an edit of the same plan."""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind, Ref
from postroom.changes.leads import inside, named
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State, not_there
from postroom.models import Alias, Client, Destination

from .fields import ClientRef, DestinationRef, MailAddress, Name

TAKEN = "there is a destination of this name"
SEVERAL = "several clients have a destination {0}: say whose, as in acme:{0}"


class CreateDestination(Kind, name="destinations.create"):
    """A name for where mail of one sort goes: addresses of one client."""

    client: ClientRef
    name: Name = Field(description="What the destination is called: invoicing, reception")
    targets: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)

    def reads(self) -> Iterator[Ref]:
        yield from super().reads()
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        if Destination.objects.filter(client=client.pk, name=self.name, removed_at=None).exists():
            raise Problem("name", TAKEN)
        targets = inside(self.targets, client.pk, state, itself="")
        yield create(Destination, state.new_id(), client_id=client.pk, name=self.name, targets=targets)


class ChangeDestination(Kind, name="destinations.change"):
    """Other targets for a destination, and so for every alias that uses it."""

    destination: DestinationRef
    targets: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)

    def reads(self) -> Iterator[Ref]:
        yield from super().reads()
        yield from named(self.targets)

    def plan(self, state: State) -> Iterator[Planned]:
        one = there(state, self.destination)
        yield edit(one, targets=inside(self.targets, one.client_id, state, itself=""))
        for alias in _using(state, one.pk):
            yield edit(alias, targets=inside(self.targets, one.client_id, state, itself=alias.label))


class EndDestination(Kind, name="destinations.end"):
    """A destination that no alias uses any more."""

    destination: DestinationRef

    def plan(self, state: State) -> Iterator[Planned]:
        one = there(state, self.destination)
        if using := _using(state, one.pk):
            raise Problem("destination", f"in use by {', '.join(sorted(row.label for row in using)[:5])}")
        yield edit(one, removed_at=state.now)


def there(state: State, ref: str, client: UUID | None = None) -> Destination:
    """One that stands, by its id or name; a name is meant within `client` where that is known. NotThere, Problem."""
    found = state.find(Destination, ref) or _named(state, ref, client)
    if found.removed_at:
        raise Problem("destination", "it has ended")
    return found


def _named(state: State, ref: str, client: UUID | None) -> Destination:
    rows = state.once(f"destination {ref}", lambda: list(state.rows(Destination).filter(Destination.called(ref))))
    own = [one for one in rows if one.client_id == client] or rows
    if not own:
        raise not_there(Destination, ref, "destination")
    if len(own) > 1:
        raise Problem("destination", SEVERAL.format(ref))
    return own[0]


def _using(state: State, destination: UUID) -> list[Alias]:
    return [one for one in state.hanging(Alias, "destination_id", destination) if one.removed_at is None]
