"""Transports: mail of an address that is handed to another mail server instead of landing here, until a day.

Split delivery, a move in steps, a fax or ticket gateway. Each is an exception by itself: somebody answers for it, it
has a reason and an end, and somebody else agrees to it (decision 44).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from django.conf import settings
from pydantic import Field

from postroom.changes.errors import Problem, Problems
from postroom.changes.kind import Kind, Ref
from postroom.changes.plan import Planned, create, edit
from postroom.changes.state import State
from postroom.models import Address, Domain, Mailbox, Transport
from postroom.models.routes import REQUIRED, server
from postroom.protocols.mail_server import numeric

from .ends import late, unfit
from .fields import Line, MailAddress, MailServer, Moment, TransportRef, date
from .forwards import NO_OWNER

PORT = 25
Tls = Literal["opportunistic", "required"]


class CreateTransport(Kind, name="transports.create"):
    """Hand mail of one address to another mail server, until a day: none of it lands here meanwhile."""

    address: MailAddress = Field(description="Whose mail; one that is none yet is only handed over")
    host: MailServer = Field(description="The other server: its name, or an IPv4 address of the public network")
    port: int = Field(default=PORT, ge=1, le=65535, description="At which it takes mail; 25 for nearly all")
    tls: Tls = Field(
        default="opportunistic", description="required: mail waits unless the server shows a certificate of its name"
    )
    until: Moment = Field(description="When it ends by itself, a year from now at most")
    owner: Line = Field(default="", description="Who answers for it; the mailbox's owner if left out")
    review_on: date | None = Field(
        default=None, description="When it is looked at again; a month before it ends, or half-way"
    )

    def reads(self) -> Iterator[Ref]:
        yield Domain, self.address.rpartition("@")[2]
        yield Address, self.address
        yield Mailbox, self.address

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address.rpartition("@")[2], where="address")
        address = state.find(Address, self.address)
        old = _standing(address)
        box = state.find(Mailbox, self.address)
        owner = self.owner or (box.contact or box.name if box else "")
        if wrong := list(self._wrong(domain, old, owner, state)):
            raise Problems(wrong)
        early = (self.until - min(timedelta(days=30), (self.until - state.now) / 2)).date()
        own = address.pk if address else state.new_id()
        if address is None:
            yield create(Address, own, client_id=domain.client_id, domain_id=domain.pk, address=self.address)
        if old:
            yield edit(old, ended_at=state.now)  # its time is over
        yield create(
            Transport, state.new_id(), client_id=domain.client_id, address_id=own, host=self.host, port=self.port,
            tls=self.tls, owner=owner, reason=state.why, until=self.until, review_on=self.review_on or early,
            made=state.now,
        )  # fmt: skip

    def _wrong(self, domain: Domain, old: Transport | None, owner: str, state: State) -> Iterator[Problem]:
        yield from late(self.until, state)
        yield from unfit(self.review_on, self.until, state)
        if not owner:
            yield Problem("owner", NO_OWNER)
        if domain.removed_at:
            yield Problem("address", f"{domain.name} is removed")
        elif domain.proof != "read":
            yield Problem("address", f"{domain.name} is not proven: no mail of it comes here yet")
        if old and old.until > state.now:
            there = server(old.host, old.port)
            yield Problem("address", f"mail of {self.address} is handed to {there} already: end that first")
        if self.host in _ours():
            yield Problem("host", f"{self.host} is this mail server: mail would come round and back")
        if self.tls == REQUIRED and numeric(self.host):
            yield Problem("tls", "a certificate is of a name: name the server, or leave TLS opportunistic")


class EndTransport(Kind, name="transports.end"):
    """Hand nothing over any more: mail lands in the mailbox of the address again, or is refused where there is none."""

    by = frozenset({"person", "clock"})
    transport: TransportRef

    def plan(self, state: State) -> Iterator[Planned]:
        row = state.get(Transport, self.transport, where="transport")
        early = state.actor.sort == "clock" and row.until > state.now
        if row.ended_at is None and not early:
            yield edit(row, ended_at=state.now)


def _standing(address: Address | None) -> Transport | None:
    """The one at this address that has not been ended, whether or not its time is over."""
    found: Transport | None = Transport.objects.filter(address=address.pk, ended_at=None).first() if address else None
    return found


def _ours() -> set[str]:
    """Names under which mail comes to us."""
    return {settings.POSTROOM.mail_host.rstrip(".").lower()}
