"""A stand-in for the parent zones: an authoritative name server for `example.` and `test.` (RFC 1034, 1035).

For demo and tests, where no registry can be asked. It refers to the name servers in the list of
delegations, says NXDOMAIN to what is not delegated, and knows the addresses of our own hosts. It is a
process of its own, so that a proof of delegation is never read from the server that holds the zone.
No DNSSEC, no transfers, no recursion.

    python -m postroom.dns.parent --folder F --listen 127.64.0.1:5301 --own-address 127.64.0.1 --names ns1.x.example,…
"""

import argparse
import asyncio
import contextlib
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from postroom.dns.delegations import Delegated, Watched

ZONES = ("example.", "test.")
NAMES = ("ns1.postroom.example", "ns2.postroom.example", "mx.postroom.example")
TTL = 2  # seconds; short, so that tests need not wait for caches
TCP_IDLE = 10.0
UDP_SIZE = 512


@dataclass(frozen=True)
class Parent:
    """What the parent knows: its zones, the hosts it answers for itself, and a way to the delegations."""

    zones: tuple[dns.name.Name, ...]
    hosts: dict[dns.name.Name, str]
    delegations: Callable[[], Delegated]

    def answer(self, wire: bytes, at_most: int) -> bytes | None:
        """The reply to one packet, cut to `at_most` octets; None for what deserves none."""
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.flags & dns.flags.QR:
            return None
        reply = dns.message.make_response(query)
        self._fill(reply, query)
        size = at_most if at_most > UDP_SIZE else max(UDP_SIZE, query.payload if query.edns >= 0 else 0)
        return reply.to_wire(max_size=size, prefer_truncation=True)

    def _fill(self, reply: dns.message.Message, query: dns.message.Message) -> None:
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            reply.set_rcode(dns.rcode.NOTIMP)
            return
        name, type = query.question[0].name, query.question[0].rdtype
        zone = next((one for one in self.zones if name.is_subdomain(one)), None)
        if zone is None or query.question[0].rdclass != dns.rdataclass.IN:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        delegated = {dns.name.from_text(child): names for child, names in self.delegations().items()}
        cut = _cut(name, zone, delegated)
        if cut is not None and not (type == dns.rdatatype.DS and name == cut):
            self._refer(reply, cut, delegated[cut])
        else:
            reply.flags |= dns.flags.AA
            self._own(reply, zone, name, type, set(delegated))

    def _refer(self, reply: dns.message.Message, cut: dns.name.Name, names: tuple[str, ...]) -> None:
        reply.authority.append(dns.rrset.from_text(cut, TTL, "IN", "NS", *names))
        for host in map(dns.name.from_text, names):
            if host in self.hosts:
                reply.additional.append(dns.rrset.from_text(host, TTL, "IN", "A", self.hosts[host]))

    def _own(
        self,
        reply: dns.message.Message,
        zone: dns.name.Name,
        name: dns.name.Name,
        type: dns.rdatatype.RdataType,
        children: set[dns.name.Name],
    ) -> None:
        soa = dns.rrset.from_text(zone, TTL, "IN", "SOA", f"parent.{zone} hostmaster.{zone} 1 60 60 600 {TTL}")
        if name in self.hosts and type == dns.rdatatype.A:
            reply.answer.append(dns.rrset.from_text(name, TTL, "IN", "A", self.hosts[name]))
        elif name == zone and type == dns.rdatatype.SOA:
            reply.answer.append(soa)
        elif name == zone and type == dns.rdatatype.NS:
            reply.answer.append(dns.rrset.from_text(zone, TTL, "IN", "NS", f"parent.{zone}"))
        else:
            reply.authority.append(soa)
            # A name with something below it exists, though it holds nothing itself (RFC 8020).
            if not any(other.is_subdomain(name) for other in {zone, *self.hosts, *children}):
                reply.set_rcode(dns.rcode.NXDOMAIN)


def _cut(
    name: dns.name.Name, zone: dns.name.Name, delegated: Delegated | dict[dns.name.Name, tuple[str, ...]]
) -> dns.name.Name | None:
    while name != zone:
        if name in delegated:
            return name
        name = name.parent()
    return None


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, parent: Parent) -> None:
        self.parent = parent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self.parent.answer(data, UDP_SIZE)
        if reply is not None:
            self.transport.sendto(reply, addr)


async def _tcp(parent: Parent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        while True:
            (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), TCP_IDLE))
            reply = parent.answer(await asyncio.wait_for(reader.readexactly(length), TCP_IDLE), 65535)
            if reply is None:
                break
            writer.write(struct.pack("!H", len(reply)) + reply)
            await writer.drain()
    writer.close()


async def serve(parent: Parent, address: str, port: int) -> None:
    """Answer on UDP and TCP until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, ended.set)
    server = await asyncio.start_server(lambda reader, writer: _tcp(parent, reader, writer), address, port)
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(parent), local_addr=(address, port))
    try:
        await ended.wait()
    finally:
        transport.close()
        server.close()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="postroom.dns.parent", description="stand-in name server for parent zones")
    parser.add_argument("--folder", type=Path, required=True, help="holds delegations.json")
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--own-address", required=True, help="the address of all names below")
    parser.add_argument("--names", default=",".join(NAMES), help="hosts it answers for, with commas")
    parser.add_argument("--zones", default=",".join(ZONES), help="the parent zones, with commas")
    given = parser.parse_args(arguments)
    address, _, port = given.listen.rpartition(":")
    zones = tuple(map(dns.name.from_text, given.zones.split(",")))
    names = [*given.names.split(","), *(f"parent.{zone}" for zone in zones)]
    hosts = {dns.name.from_text(name): given.own_address for name in names}
    asyncio.run(serve(Parent(zones, hosts, Watched(given.folder).now), address, int(port)))


if __name__ == "__main__":
    main()
