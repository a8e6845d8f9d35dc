"""A client's own say over who runs its mail: it may close itself to the organization, and open itself again."""

from collections.abc import Iterator

from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, edit
from postroom.changes.state import State
from postroom.models import Client

from .fields import ClientRef


class SuspendAccess(Kind, name="access.suspend"):
    """Let nobody of the organization see or change this client any more. Its own people go on; of the others, a sealed
    login alone gets in, and every owner is told.
    """

    step_up = frozenset({ASKED})
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        if client.closed_at is None:
            yield edit(client, closed_at=state.now)


class ResumeAccess(Kind, name="access.resume"):
    """Let the organization's people in again, each with the roles they hold."""

    step_up = frozenset({ASKED})
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(Client, self.client, where="client"), closed_at=None)
