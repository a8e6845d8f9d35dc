"""What one record holds, by its type: the forms that protocols/answers.py says (RFC 1035 3.3 and those named below).

Each reader gets the whole message, since names in it may be compressed, and where the data begins and ends. What does
not fill its data exactly is Malformed; past the end of the message is IndexError or struct.error.
"""

from collections.abc import Callable
from socket import AF_INET6, inet_ntoa, inet_ntop
from struct import Struct
from typing import Any

from .names import Malformed, from_wire

NUMBERS = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35,
    "DNAME": 39, "DS": 43, "SSHFP": 44, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "NSEC3": 50, "NSEC3PARAM": 51,
    "TLSA": 52, "SMIMEA": 53, "CDS": 59, "CDNSKEY": 60, "OPENPGPKEY": 61, "SVCB": 64, "HTTPS": 65, "SPF": 99,
    "CAA": 257,
}  # fmt: skip
_unpack_mx = Struct("!H").unpack_from
_unpack_srv = Struct("!HHH").unpack_from
_unpack_soa = Struct("!IIIII").unpack_from
_unpack_ds = _unpack_dnskey = Struct("!HBB").unpack_from


def number_of(type: str) -> int | None:
    """Its number, also of TYPE123 (RFC 3597); None for a type that is not known or is no type of data (RFC 6895)."""
    number = NUMBERS.get(type)
    if number is None and type.startswith("TYPE") and type[4:].isdecimal() and len(type) <= 9:
        number = int(type[4:])
    is_data = number is not None and 0 < number < 0xFFFF and not (128 <= number < 256 and number != 99) and number != 41
    return number if is_data else None


def _a(wire: bytes, at: int, end: int) -> str:
    _whole(end - at == 4)
    return inet_ntoa(wire[at:end])


def _aaaa(wire: bytes, at: int, end: int) -> str:
    _whole(end - at == 16)
    return inet_ntop(AF_INET6, wire[at:end])


def name(wire: bytes, at: int, end: int) -> str:
    """NS, CNAME, PTR."""
    found, after = from_wire(wire, at)
    _whole(after == end)
    return found


def _mx(wire: bytes, at: int, end: int) -> tuple[int, str]:
    return _unpack_mx(wire, at)[0], name(wire, at + 2, end)


def strings(wire: bytes, at: int, end: int) -> str:
    """TXT, SPF: one string or more, joined (RFC 7208 3.3)."""
    if at < end and at + 1 + wire[at] == end:
        return wire[at + 1 : end].decode("latin-1")
    parts = []
    while at < end:
        after = at + 1 + wire[at]
        parts.append(wire[at + 1 : after])
        at = after
    _whole(at == end and bool(parts))
    return b"".join(parts).decode("latin-1")


def _srv(wire: bytes, at: int, end: int) -> tuple[int, int, int, str]:
    """RFC 2782."""
    priority, weight, port = _unpack_srv(wire, at)
    return priority, weight, port, name(wire, at + 6, end)


def soa(wire: bytes, at: int, end: int) -> tuple[str, str, int, int, int, int, int]:
    primary, at = from_wire(wire, at)
    mailbox, at = from_wire(wire, at)
    _whole(at + 20 == end)
    serial, refresh, retry, expire, minimum = _unpack_soa(wire, at)
    return primary, mailbox, serial, refresh, retry, expire, minimum


def _ds(wire: bytes, at: int, end: int) -> tuple[int, int, int, str]:
    """RFC 4034 5.1; DNSKEY (2.1) has the same shape."""
    _whole(end - at > 4)
    return *_unpack_ds(wire, at), wire[at + 4 : end].hex()


def _tlsa(wire: bytes, at: int, end: int) -> tuple[int, int, int, str]:
    """RFC 6698 2.1."""
    _whole(end - at >= 3)
    return wire[at], wire[at + 1], wire[at + 2], wire[at + 3 : end].hex()


def _caa(wire: bytes, at: int, end: int) -> tuple[int, str, str]:
    """RFC 8659 4.1."""
    tag = at + 2 + wire[at + 1]
    _whole(at + 2 < tag <= end)
    return wire[at], wire[at + 2 : tag].decode("latin-1"), wire[tag:end].decode("latin-1")


def other(wire: bytes, at: int, end: int) -> str:
    return wire[at:end].hex()


def _whole(right: bool) -> None:
    if not right:
        raise Malformed("a record whose data is cut or too long")


Reader = Callable[[bytes, int, int], Any]
READERS: dict[int, Reader] = {
    NUMBERS[type]: reader
    for type, reader in (
        ("A", _a), ("NS", name), ("CNAME", name), ("SOA", soa), ("PTR", name), ("MX", _mx), ("TXT", strings),
        ("AAAA", _aaaa), ("SRV", _srv), ("DS", _ds), ("DNSKEY", _ds), ("TLSA", _tlsa), ("SPF", strings), ("CAA", _caa),
    )
}  # fmt: skip
