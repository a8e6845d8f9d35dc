"""One question to one given server: UDP with EDNS 1232, over TCP when the answer is cut (RFC 1035, 6891, 7766).

dnspython draws ids and source ports and checks the echoed question. Recursion is not asked for. For many
questions at once this is the wrong tool; it is for reading back what was written.
"""

import errno
import socket
import time
from datetime import UTC, datetime

import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.rdtypes.txtbase import TXTBase

from postroom.protocols.rrset import as_read
from postroom.protocols.txt import txt_value
from postroom.resolve.answer import Answer, NotRead, Server

TIMEOUT = 2.0
TRIES = 2
PAYLOAD = 1232  # DNS flag day 2020: fits one unfragmented packet everywhere


def ask(server: Server, name: str, type: str, *, timeout: float = TIMEOUT, tries: int = TRIES) -> Answer | NotRead:
    """Ask an authoritative server for one RRset; `timeout` in seconds for each of `tries`.

    NotRead for silence, refusal, SERVFAIL and for a server that is not authoritative for the name.
    """
    reply = exchange(server, name, type, timeout=timeout, tries=tries)
    if isinstance(reply, NotRead):
        return reply
    owner, kind = dns.name.from_text(name), dns.rdatatype.from_text(type)
    found = reply.get_rrset(reply.answer, owner, dns.rdataclass.IN, kind)
    cname = reply.get_rrset(reply.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME)
    aa = bool(reply.flags & dns.flags.AA)
    if not aa and found is None and cname is None:
        return not_read(server, name, type, "it does not answer for this zone")
    values = tuple(map(value_text, found or ()))
    kept = as_read(name, type, found.ttl if found is not None else 0, values)
    return Answer(
        name=kept.name,
        type=kept.type,
        values=kept.values,
        ttl=kept.ttl,
        rcode=dns.rcode.to_text(reply.rcode()),
        server=server,
        at=now(),
        aa=aa,
        alias=str(cname[0]).lower() if cname and found is None else None,
    )


def exchange(
    server: Server, name: str, type: str, *, timeout: float = TIMEOUT, tries: int = TRIES
) -> dns.message.Message | NotRead:
    """The whole reply to one question, when it is NOERROR or NXDOMAIN; else NotRead."""
    if not server.address:
        return not_read(server, name, type, "its name has no address that may be asked")
    try:
        query = dns.message.make_query(name, type, use_edns=0, payload=PAYLOAD, flags=0)
    except (dns.exception.DNSException, UnicodeError) as problem:
        return not_read(server, name, type, f"the question cannot be asked: {problem}")
    why = "no answer"
    for _ in range(tries):
        try:
            reply = _once(query, server, timeout)
        except dns.exception.Timeout:
            why = f"no answer within {timeout:g} s"
            continue
        except ConnectionRefusedError:
            return not_read(server, name, type, "nothing listens there")
        except (OSError, dns.exception.DNSException, EOFError) as broken:
            why = _said(broken)
            continue
        if reply.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            return reply
        return not_read(server, name, type, f"it answered {dns.rcode.to_text(reply.rcode())}")
    return not_read(server, name, type, why)


def value_text(rdata: dns.rdata.Rdata) -> str:
    """A record's value in canonical form, string cuts of TXT kept."""
    return txt_value(rdata.strings) if isinstance(rdata, TXTBase) else rdata.to_text()


def not_read(server: Server | None, name: str, type: str, why: str) -> NotRead:
    return NotRead(as_read(name, type, 0, ()).name, type.upper(), why, server, now())


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _once(query: dns.message.Message, server: Server, timeout: float) -> dns.message.Message:
    family = dns.inet.af_for_address(server.address)
    with socket.socket(family, socket.SOCK_DGRAM) as plug:
        plug.setblocking(False)
        # Connected, so that a port nobody listens on is told at once instead of by silence.
        plug.connect((server.address, server.port))
        until = time.monotonic() + timeout
        reply, _ = dns.query.udp_with_fallback(
            query,
            server.address,
            timeout=until - time.monotonic(),
            port=server.port,
            udp_sock=plug,
            ignore_errors=True,
        )
    return reply


def _said(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.errno:
        return f"the network said {errno.errorcode.get(problem.errno, problem.errno)}"
    return f"its answer cannot be read ({type(problem).__name__})"
