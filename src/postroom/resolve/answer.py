"""What a name server said, or why it is not known what it says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from postroom.protocols.rrset import RRset


@dataclass(frozen=True, order=True)
class Server:
    """One name server. `address` is an IP address, or empty when its name leads nowhere."""

    name: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"{self.name.rstrip('.')} ({self.address or 'no address'}:{self.port})"


@dataclass(frozen=True)
class Answer:
    """An authoritative answer: `values` in canonical form and sorted, empty when there is no such record.

    `rcode` is NOERROR or NXDOMAIN; `alias` is where the name points when it is a CNAME and another type
    was asked for; `at` is UTC, whole seconds.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int
    rcode: str
    server: Server
    at: datetime
    aa: bool = True
    alias: str | None = None

    @property
    def rrset(self) -> RRset | None:
        return RRset(self.name, self.type, self.ttl, self.values) if self.values else None

    def __str__(self) -> str:
        return " | ".join(self.values) or (f"an alias for {self.alias}" if self.alias else self.rcode)


@dataclass(frozen=True)
class NotRead:
    """Nothing is known: `why` in plain words. `server` is None when no server was found to ask."""

    name: str
    type: str
    why: str
    server: Server | None
    at: datetime

    def __str__(self) -> str:
        return f"not read: {self.why}"


class Resolver(Protocol):
    """Who serves a name, and what they say about it."""

    def ask(self, server: Server, name: str, type: str) -> Answer | NotRead:
        """One question to one server."""

    def look_up(self, name: str, type: str) -> Answer | NotRead:
        """One question to the servers of the zone that holds the name; the first good answer."""

    def authoritative(self, zone: str) -> tuple[Server, ...] | NotRead:
        """The servers a zone is delegated to, all of them; empty when it is not delegated."""

    def delegation(self, zone: str) -> tuple[str, ...] | NotRead:
        """The names of the NS set at the zone's parent, sorted; empty when there is none, or we said it ourselves."""
