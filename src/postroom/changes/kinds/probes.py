"""Probes: one message to an address, to see that mail arrives where it is computed to."""

from collections.abc import Iterator
from datetime import timedelta

from postroom.changes.errors import NotThere, Problem
from postroom.changes.kind import Kind, Ref
from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Domain, Probe
from postroom.protocols.extensions import parts

from .fields import MailAddress

MOST, OF_A_CLIENT = 5, 60  # an hour: to one address, and to all of a client
HOUR = timedelta(hours=1)


class SendProbe(Kind, name="probes.send"):
    """Send a message to an address, and look where it arrives: it says what it is, and nobody has to do anything."""

    may_wait_for_a_time = False
    address: MailAddress

    @property
    def _domain(self) -> str:
        return parts(self.address)[2].removeprefix("@")

    def reads(self) -> Iterator[Ref]:
        yield Domain, self._domain

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.find(Domain, self._domain)
        if domain is None:
            raise NotThere("address", f"no address {self.address} at a domain that you can see")
        if domain.removed_at or domain.proof != "read":
            raise Problem("address", f"{domain.name} is not served here: mail to it goes where its MX says")
        lately = state.rows(Probe, client=domain.client_id, made__gt=state.now - HOUR)
        if lately.filter(address=self.address).count() >= MOST:
            raise Problem("address", f"{MOST} probes went there within the hour; look at what they found first")
        if lately.count() >= OF_A_CLIENT:
            raise Problem("address", f"{OF_A_CLIENT} probes were sent for this client within the hour; wait a little")
        yield create(
            Probe, state.new_id(), client_id=domain.client_id, domain_id=domain.pk, address=self.address, made=state.now
        )
