"""A name server over UDP and TCP at one port that the kernel gave, which answers as a test tells it to.

Lives in the test's own loop. `answer` gets the question as dnspython reads it, `udp` or `tcp`, and how often that name
was asked before; it gives what is sent back, one message or several, now or later.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import dns.flags
import dns.message
import dns.rrset

Answer = Callable[[dns.message.Message, str, int], Sequence[bytes]]


class Misbehaving(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer, after: Callable[[str], float]) -> None:
        self.answer, self.after = answer, after
        self.asked: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.seen: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, who: tuple[str, int]) -> None:
        name, said = self.said(data, "udp")
        for one in said:
            asyncio.get_running_loop().call_later(self.after(name), self.transport.sendto, one, who)  # type: ignore[attr-defined]

    async def by_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            for one in self.said(await reader.readexactly(size), "tcp")[1]:
                writer.write(len(one).to_bytes(2, "big") + one)
                await writer.drain()
        writer.close()

    def said(self, data: bytes, way: str) -> tuple[str, Sequence[bytes]]:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(f"{way} {name}")
        self.seen[way + name] += 1
        return name, self.answer(query, way, self.seen[way + name] - 1)


@contextlib.asynccontextmanager
async def misbehaving(
    answer: Answer, after: Callable[[str], float] = lambda name: 0.0
) -> AsyncIterator[tuple[Misbehaving, int]]:
    """The server and its port."""
    server = Misbehaving(answer, after)
    tcp = await asyncio.start_server(server.by_tcp, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", port), family=socket.AF_INET)
    try:
        yield server, port
    finally:
        transport.close()
        tcp.close()
        for _ in range(3):  # who was let in just now is known only then
            await asyncio.sleep(0.01)
            for writer in server.writers:
                writer.close()
        await tcp.wait_closed()


def good(query: dns.message.Message, *lines: str, rcode: int = 0, flags: int = dns.flags.RA) -> bytes:
    """Lines are `ttl type value`, all of the name that was asked."""
    made = dns.message.make_response(query)
    made.flags |= flags
    made.set_rcode(rcode)  # type: ignore[arg-type]
    for line in lines:
        ttl, type, value = line.split(" ", 2)
        made.answer.append(dns.rrset.from_text(query.question[0].name, int(ttl), "IN", type, value))
    return made.to_wire(max_size=65535)
