"""Who is authoritative for a name: the walk from the root, referral by referral (RFC 1034 5.3.3).

The parent's word is what counts: it is what the rest of the world follows. Where name servers listen on
other ports than 53, as in an installation on one loopback address, a table of names says so.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.ask import TIMEOUT, ask, exchange, not_read
from postroom.resolve.pace import Pace

MAX_CUTS = 16
MAX_DEPTH = 3  # how far addresses of name servers may hang on other zones

ROOT_SERVERS = tuple(
    Server(f"{letter}.root-servers.net.", address)
    for letter, address in {
        "a": "198.41.0.4",
        "b": "170.247.170.2",
        "c": "192.33.4.12",
        "d": "199.7.91.13",
        "e": "192.203.230.10",
        "f": "192.5.5.241",
        "k": "193.0.14.129",
        "l": "199.7.83.42",
        "m": "202.12.27.33",
    }.items()
)


@dataclass(frozen=True)
class Cut:
    """A zone as its parent delegates it: `by` whom it was referred; None where a server that holds both said so."""

    zone: dns.name.Name
    names: tuple[str, ...]
    servers: tuple[Server, ...]
    by: Server | None = None


class NetResolver:
    """Asks the network. `roots` is where the walk starts, `names` maps server names to (address, port).

    ours: the names of our own name servers. What they say of a zone's parent is our own word, so it is no delegation.
    pace: how often one server is asked. What was learnt of zones on the way is kept as long as this is: for one look at
    many domains, which would else ask the servers of a TLD's parent for each of them.
    """

    def __init__(
        self,
        roots: Sequence[Server] = ROOT_SERVERS,
        names: Mapping[str, tuple[str, int]] | None = None,
        *,
        ours: Iterable[str] = (),
        timeout: float = TIMEOUT,
        pace: Pace | None = None,
    ) -> None:
        self.pace, self.kept = pace or Pace(), dict[dns.name.Name, Cut]()
        self.roots = tuple(roots)
        self.names = {_key(name): where for name, where in (names or {}).items()}
        self.ours = frozenset(map(_key, ours))
        self.timeout = timeout

    def ask(self, server: Server, name: str, type: str) -> Answer | NotRead:
        self.pace.wait(server)
        return ask(server, name, type, timeout=self.timeout)

    def look_up(self, name: str, type: str) -> Answer | NotRead:
        return self._look_up(name, type, 0)

    def authoritative(self, zone: str) -> tuple[Server, ...] | NotRead:
        cut = self._cut_of(zone)
        return cut if isinstance(cut, NotRead) else cut.servers

    def delegation(self, zone: str) -> tuple[str, ...] | NotRead:
        cut = self._cut_of(zone)
        if isinstance(cut, NotRead):
            return cut
        return () if cut.by is None or self._is_ours(cut.by) else cut.names

    def _is_ours(self, server: Server) -> bool:
        places = {self.names[name] for name in self.ours & self.names.keys()}
        return _key(server.name) in self.ours or (server.address, server.port) in places

    def _cut_of(self, zone: str) -> Cut | NotRead:
        name = dns.name.from_text(zone)
        last = self._walk(name, 0)
        if isinstance(last, NotRead) or last.zone == name:
            return last
        return Cut(name, (), ())

    def _look_up(self, name: str, type: str, depth: int) -> Answer | NotRead:
        cut = self._walk(dns.name.from_text(name), depth)
        if isinstance(cut, NotRead):
            return cut
        last = not_read(None, name, type, "its zone has no name server")
        for server in cut.servers:
            answer = self.ask(server, name, type)
            if isinstance(answer, Answer):
                return answer
            last = answer
        return last

    def _walk(self, name: dns.name.Name, depth: int) -> Cut | NotRead:
        """The deepest cut at or above the name."""
        cut = self._nearest(name)
        for _ in range(MAX_CUTS):
            if cut.zone == name:
                return cut
            said = self._first(cut, name)
            if isinstance(said, NotRead):
                return said
            deeper = self._next(cut, name, *said, depth)
            if deeper is None:
                return cut
            cut = deeper
            if cut.zone != name:
                self.kept[cut.zone] = cut
        return not_read(None, name.to_text(), "NS", f"more than {MAX_CUTS} referrals")

    def _nearest(self, name: dns.name.Name) -> Cut:
        """The deepest cut above the name that is known already; never the name's own, which is what is asked about."""
        above = name
        while above != dns.name.root:
            above = above.parent()
            if cut := self.kept.get(above):
                return cut
        return Cut(dns.name.root, (), self.roots)

    def _first(self, cut: Cut, name: dns.name.Name) -> tuple[Server, dns.message.Message] | NotRead:
        last: NotRead = not_read(None, name.to_text(), "NS", f"no name server for {cut.zone}")
        for server in cut.servers:
            self.pace.wait(server)
            reply = exchange(server, name.to_text(), "NS", timeout=self.timeout)
            if not isinstance(reply, NotRead) and self._helps(cut, name, reply):
                return server, reply
            last = reply if isinstance(reply, NotRead) else not_read(server, name.to_text(), "NS", "a lame answer")
        return last

    def _helps(self, cut: Cut, name: dns.name.Name, reply: dns.message.Message) -> bool:
        return bool(reply.flags & dns.flags.AA) or _referral(cut, name, reply) is not None

    def _next(
        self, cut: Cut, name: dns.name.Name, server: Server, reply: dns.message.Message, depth: int
    ) -> Cut | None:
        found = _referral(cut, name, reply)
        if found is None:
            return None
        zone, names = found
        servers = tuple(sorted(server for ns in names for server in self._servers(ns, reply, depth)))
        # An authoritative answer is the child's own word about itself: a server that holds both gives it.
        referred = not reply.flags & dns.flags.AA and not reply.answer
        return Cut(zone, names, servers, by=server if referred else None)

    def _servers(self, ns: str, reply: dns.message.Message, depth: int) -> list[Server]:
        if ns in self.names:
            return [Server(ns, *self.names[ns])]
        addresses = _glue(ns, reply) or self._addresses(ns, depth)
        return [Server(ns, address) for address in addresses if _public(address)] or [Server(ns, "")]

    def _addresses(self, ns: str, depth: int) -> list[str]:
        if depth >= MAX_DEPTH:
            return []
        answers = [self._look_up(ns, type, depth + 1) for type in ("A", "AAAA")]
        return [value for answer in answers if isinstance(answer, Answer) for value in answer.values]


def _referral(
    cut: Cut, name: dns.name.Name, reply: dns.message.Message
) -> tuple[dns.name.Name, tuple[str, ...]] | None:
    """The delegation in a reply, when it lies strictly below the cut and not beside the name."""
    for rrset in [*reply.answer, *reply.authority]:
        inside = name.is_subdomain(rrset.name) and rrset.name.is_subdomain(cut.zone) and rrset.name != cut.zone
        if rrset.rdtype == dns.rdatatype.NS and inside:
            return rrset.name, tuple(sorted(_key(rdata.target.to_text()) for rdata in rrset))
    return None


def _glue(ns: str, reply: dns.message.Message) -> list[str]:
    owner = dns.name.from_text(ns)
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    found = [reply.get_rrset(reply.additional, owner, dns.rdataclass.IN, kind) for kind in kinds]
    return [rdata.to_text() for rrset in found if rrset is not None for rdata in rrset]


def _public(address: str) -> bool:
    """Other people's zones may not send our questions into our own network."""
    return ipaddress.ip_address(address).is_global


def _key(name: str) -> str:
    return name.lower().rstrip(".") + "."


def servers_of(names: Iterable[str], where: Mapping[str, tuple[str, int]]) -> tuple[Server, ...]:
    """Our own name servers, from their names and the table of addresses."""
    table = {_key(name): place for name, place in where.items()}
    return tuple(Server(_key(name), *table[_key(name)]) for name in sorted(names))
