"""A zone as a resolver on loopback answers it, over UDP, from a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from judged_zone import Resolver, Zone


@contextlib.contextmanager
def served(zone: Zone) -> Iterator[str]:
    """ADDRESS:PORT of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.bind(("127.0.0.1", 0))
        plug.settimeout(0.05)
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(plug, Resolver(zone), over))
        thread.start()
        try:
            yield f"127.0.0.1:{plug.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def _serve(plug: socket.socket, zone: Resolver, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            asked, who = plug.recvfrom(4096)
            plug.sendto(_answer(dns.message.from_wire(asked), zone), who)


def _answer(query: dns.message.Message, zone: Resolver) -> bytes:
    question = query.question[0]
    name, type = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    held, reply = zone[name, type], dns.message.make_response(query, recursion_available=True)
    if held.failed:
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif held.nowhere:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    for alias in held.chain:
        reply.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "CNAME", f"{alias}."))
        name = alias
    if held.values:
        reply.answer.append(
            dns.rrset.from_text(f"{name}.", 300, "IN", type, *(_text(type, one) for one in held.values))
        )
    return reply.to_wire()


def _text(type: str, value: Any) -> str:
    if type == "MX":
        return f"{value[0]} {value[1]}."
    if type in ("NS", "CNAME", "PTR"):
        return f"{value}."
    if type == "CAA":
        return f'{value[0]} {value[1]} "{value[2]}"'
    if type in ("TXT", "SPF"):
        octets = value.encode("latin-1")
        parts = [octets[at : at + 255] for at in range(0, len(octets), 255)]
        return " ".join('"' + "".join(f"\\{each:03d}" for each in part) + '"' for part in parts)
    return str(value)
