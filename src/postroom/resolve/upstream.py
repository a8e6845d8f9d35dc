"""Whom questions go to, how many at a time, and how fast: what is known of one server while it is asked."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from postroom.protocols.answers import Held

from .line import IN_FLIGHT, Line
from .pace import PER_SECOND

FEWEST = 4  # questions in flight that even a server which answers nothing is asked, to see it come back
BURST = 0.05  # seconds' worth of questions that may go at once
LOST = 0.1  # as many unanswered beside answered, and it is asked less


@dataclass(frozen=True)
class Upstream:
    """A server. address: IP. per_second: questions at most; None: our own, on loopback, without end, and others as
    pace.py says. validates: its word that an answer was validated is taken, so the way to it must be ours as well."""

    address: str
    port: int = 53
    per_second: float | None = None
    validates: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError where it cannot be asked."""
        ipaddress.ip_address(self.address)
        if not 0 < self.port < 65536:
            raise ValueError(f"{self.port} is no port")

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    @cached_property
    def apart(self) -> float:
        """Seconds from one question to the next; 0 without a cap."""
        if self.per_second is not None:
            return 1 / self.per_second
        return 0.0 if ipaddress.ip_address(self.address).is_loopback else 1 / PER_SECOND


Told = Callable[[Held], None]


class Asked:
    """An upstream with its sockets.

    window: how many questions may be in flight now: halved after a second in which many were lost, half as many more
    after one in which few were. answered, lost: in this second.
    """

    __slots__ = ("answered", "apart", "in_flight", "lines", "lost", "most", "next", "turn", "upstream", "window")

    def __init__(self, upstream: Upstream, sockets: int) -> None:
        self.upstream, self.apart = upstream, upstream.apart
        self.lines = [Line(upstream.address, upstream.port) for _ in range(sockets)]
        self.window = self.most = IN_FLIGHT * sockets
        self.in_flight = self.answered = self.lost = self.next = 0
        self.turn = 0.0

    def line(self, now: float) -> Line | None:
        """Where one more may be sent now: the sockets in turn, so that none is fuller than the others by much."""
        if self.in_flight >= self.window or self.turn > now:
            return None
        lines = self.lines
        for _ in lines:
            self.next = (self.next + 1) % len(lines)
            if len(lines[self.next].in_flight) < IN_FLIGHT:
                return lines[self.next]
        return None

    def note_sent(self, now: float) -> None:
        if self.apart:
            self.turn = max(self.turn, now - BURST) + self.apart

    def judge(self) -> None:
        """Once a second."""
        if self.lost > LOST * self.answered:
            self.window = max(FEWEST, self.window // 2)
        elif self.answered:
            self.window = min(self.most, self.window * 3 // 2)
        self.answered = self.lost = 0

    @property
    def silent(self) -> bool:
        """It answers too little to be trusted with what another server can be asked."""
        return self.window <= FEWEST


class Ask:
    """One question until it is answered. tries: how often it was sent; due: when it is sent again; places: under which
    line and id the answer may come, of each server that was asked; turned_down: servers that said they cannot."""

    __slots__ = ("asked", "due", "number", "owner", "places", "since", "told", "tries", "turned_down", "why")

    def __init__(self, owner: str, number: int, asked: bytes, told: Told, since: float) -> None:
        self.owner, self.number, self.asked, self.told, self.since = owner, number, asked, told, since
        self.tries, self.due, self.why = 0, 0.0, "no answer"
        self.places: dict[Asked, tuple[Line, int]] = {}
        self.turned_down: set[Asked] = set()

    def leave(self, server: Asked) -> None:
        """No answer of this one is waited for any more."""
        if place := self.places.pop(server, None):
            del place[0].in_flight[place[1]]
            server.in_flight -= 1


def chosen(servers: list[Asked], ask: Ask, turn: int) -> Asked | None:
    """Who is asked next: whom it was not put to yet, before who is silent, in turn; None where all turned it down."""
    if len(servers) == 1:
        return servers[0] if not ask.turned_down else None
    left = [one for n in range(len(servers)) if (one := servers[(turn + n) % len(servers)]) not in ask.turned_down]
    return min(left, key=lambda one: (one.silent, one in ask.places), default=None)
