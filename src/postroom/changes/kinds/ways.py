"""One way out ends, whatever it is: a forward is disabled, an alias leads there no more, a filter's redirect is
stopped at the port, a catch-all or a transport ends. Nothing is deleted, and no script is touched.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind, Ref
from postroom.changes.plan import Planned, edit
from postroom.changes.state import State
from postroom.models import Address, Alias, CatchAll, Domain, Mailbox, Transport
from postroom.models.routes import server
from postroom.protocols.addresses import address as plain_address
from postroom.protocols.mail_server import host

from .fields import Line
from .replacing import ended, source, ways_of

NOTIFIES = "a filter of {} tells of mail there and passes none on: its owner can end that, nobody else"
NO_WAY = "nothing at {} passes mail on to {} now"


def place(text: str) -> str:
    """A mail address; or another mail server, host:port. ValueError."""
    name, colon, port = text.rpartition(":")
    if "@" in text or not colon:
        return plain_address(text)
    if not (port.isascii() and port.isdecimal() and 0 < len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"{port[:40]!r} is no port: name the server as mx.partner.example:25")
    return server(host(name), int(port))


class StopWays(Kind, name="forwards.stop"):
    """Let nothing at an address pass mail on to one place: forward, alias, redirect, catch-all or transport alike."""

    step_up = frozenset({APPROVED})
    address: Annotated[Line, AfterValidator(source)] = Field(
        description="Whose mail leaves; @domain for what is caught there", json_schema_extra={"label": "Leaves at"}
    )
    target: Annotated[Line, AfterValidator(place)] = Field(
        description="Where it goes now and shall not any more: an address, or a server as host:port",
        json_schema_extra={"label": "Goes to now"},
    )

    def reads(self) -> Iterator[Ref]:
        if self.address.startswith("@"):
            yield Domain, self.address[1:]
        else:
            yield from ((model, self.address) for model in (Address, Alias, Mailbox))

    def plan(self, state: State) -> Iterator[Planned]:
        found = list(self._caught(state) if self.address.startswith("@") else self._at_address(state))
        if not found:
            raise Problem("target", NO_WAY.format(self.address, self.target))
        yield from found

    def _caught(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.address[1:], where="address")
        for one in state.hanging(CatchAll, "domain_id", domain.pk):
            if one.removed_at is None and one.until > state.now and one.target == self.target:
                yield edit(one, removed_at=state.now)

    def _at_address(self, state: State) -> Iterator[Planned]:
        address = state.get(Address, self.address, where="address")
        for one in state.hanging(Transport, "address_id", address.pk):
            if one.ended_at is None and one.until > state.now and server(one.host, one.port) == self.target:
                yield edit(one, ended_at=state.now)
        ways = ways_of(state, address, self.target)
        if ways.notifies and not ways.any:
            raise Problem("target", NOTIFIES.format(self.address, self.target))
        yield from ended(state, ways)
