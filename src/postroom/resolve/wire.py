"""One question as octets, and an answer read from octets (RFC 1035 4, 2308, 6840, 6891).

Reads as little as can be, and every record's outline: a message that is not whole from its first octet to its last is
Malformed, since a part of it is no better than a guess. Nothing here asks anybody.
"""

from struct import Struct, error
from typing import Any, NamedTuple

from postroom.protocols.answers import Held

from .names import HEADER, Malformed, from_wire, is_plain, passed, to_wire
from .records import NUMBERS, READERS, name, number_of, other

PAYLOAD = 1232  # DNS flag day 2020: fits one unfragmented packet everywhere
CHAIN = 16  # aliases in a row that are followed
NOERROR, NXDOMAIN = 0, 3
RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH", 16: "BADVERS"}
# RD: recursion desired. AD: tell whether it was validated, without the signatures (RFC 6840 5.7).
_COUNTS = b"\x01\x20\0\1\0\0\0\0\0\1"
_OPT = b"\0" + Struct("!HHIH").pack(41, PAYLOAD, 0, 0)
_IN = b"\0\1"
_CNAME, _SOA, _NS = NUMBERS["CNAME"], NUMBERS["SOA"], NUMBERS["NS"]
_head = Struct("!HHHHHH").unpack_from
_record = Struct("!HHIH").unpack_from


_NOTHING = Held(ttl=0x7FFFFFFF)
_OPT_SAID = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"  # as most servers say it


class NoType(ValueError):
    """No such type can be asked for."""


class Record(NamedTuple):
    owner: str
    type: int
    ttl: int
    at: int  # where its data begins
    end: int


def question(name: str, type: str) -> tuple[str, int, bytes]:
    """The name as answers call it, the type's number, and the question section. Raises NoName, NoType."""
    number = NUMBERS.get(type) or number_of(type)
    if number is None:
        raise NoType(f"{type} is no type that can be asked for")
    wire = to_wire(name)
    owner = name if is_plain(name) else from_wire(wire, 0)[0]
    return owner, number, wire + number.to_bytes(2, "big") + _IN


def query(id: int, asked: bytes) -> bytes:
    """A whole message with one question and EDNS."""
    return id.to_bytes(2, "big") + _COUNTS + asked + _OPT


def echoes(wire: bytes, asked: bytes) -> bool:
    """It is a response, to one question, which is this one. Letters may come back in another case (RFC 1035 2.3.3)."""
    end = HEADER + len(asked)
    if len(wire) < end or wire[2] & 0xF8 != 0x80 or wire[4:6] != b"\0\1":
        return False
    said = wire[HEADER:end]
    return said == asked or (said[-4:] == asked[-4:] and said[:-4].lower() == asked[:-4].lower())


def is_cut(wire: bytes) -> bool:
    """TC: the rest is to be had over TCP."""
    return bool(wire[2] & 2)


def read(wire: bytes, owner: str, number: int, asked: bytes) -> Held:
    """What a response that `echoes` the question says, by the contract of protocols/answers.py. Raises Malformed.

    The ttl of "none" is the lesser of the SOA's own and its minimum; without SOA it is 0 (RFC 2308 5). An answer that
    only says where to ask is no answer: `failed`.
    """
    try:
        return _read(wire, owner, number, HEADER + len(asked))
    except (IndexError, error):
        raise Malformed("a message that is cut") from None


def _read(wire: bytes, owner: str, number: int, at: int) -> Held:
    flags = wire[3]
    if wire[7] and not (flags & 15 or wire[6] or wire[8] or wire[9] or wire[10] or wire[11] > 1):
        held = _plain(wire, number, at, wire[7], flags)
        if held is not None:
            return held
    return _whole(wire, owner, number, at)


def _plain(wire: bytes, number: int, at: int, many: int, flags: int) -> Held | None:
    """The usual answer: records of the name and type asked for, then at most EDNS. None for any other."""
    read = READERS.get(number, other)
    size, least, values = len(wire), 0x7FFFFFFF, []
    for _ in range(many):
        if wire[at] != 0xC0 or wire[at + 1] != HEADER:
            return None
        type, kind, ttl, length = _record(wire, at + 2)
        begin = at + 12
        at = begin + length
        if type != number or kind != 1 or at > size:
            return None
        values.append(read(wire, begin, at))
        if ttl < least:
            least = ttl
        elif ttl > 0x7FFFFFFF:
            least = 0
    if wire[at:] != (_OPT_SAID if wire[11] else b"") and not _is_opt(wire, at, size):
        return None
    return Held(tuple(values) if many == 1 else tuple(sorted(set(values))), least, secure=flags & 0x20 != 0)


def _is_opt(wire: bytes, at: int, size: int) -> bool:
    """EDNS stands there and nothing else, with no upper part of the code (RFC 6891 6.1.3)."""
    return bool(wire[11]) and wire[at : at + 3] == b"\0\0\x29" and not wire[at + 5] and (
        at + 11 + (wire[at + 9] << 8 | wire[at + 10]) == size
    )  # fmt: skip


def _whole(wire: bytes, owner: str, number: int, at: int) -> Held:
    """Any answer, by all of its sections."""
    _, flags, _, answers, authorities, additional = _head(wire)
    found: list[Any] = []
    rcode = flags & 15
    if answers:
        found, at = _records(wire, at, owner, answers)
    negative, referred, at = _authority(wire, at, authorities)
    rcode |= _upper_code(wire, at, additional)
    if rcode not in (NOERROR, NXDOMAIN):
        return Held(failed=RCODES.get(rcode, f"RCODE{rcode}"))
    held = _followed(wire, owner, number, found) if found else _NOTHING
    nowhere, secure = rcode == NXDOMAIN, bool(flags & 0x20)
    if held.values:
        if nowhere:
            raise Malformed("a name that does not exist and holds something")
        return held._replace(secure=True) if secure else held
    # RA: a resolver went to the end. AA: who serves the name asked for, and not where an alias may lead, says so.
    knows = not referred and (flags & 0x80 or (flags & 0x400 and not held.chain))
    if not (nowhere or knows or negative is not None):
        return Held(failed="it only says where else to ask")
    return Held((), min(negative or 0, held.ttl), nowhere, held.chain, secure)


def _records(wire: bytes, at: int, owner: str, many: int) -> tuple[list[Record], int]:
    """Those of our class; what is of another is passed over."""
    found, size = [], len(wire)
    for _ in range(many):
        if wire[at] == 0xC0 and wire[at + 1] == HEADER:
            name, at = owner, at + 2
        else:
            name, at = from_wire(wire, at)
        type, kind, ttl, length = _record(wire, at)
        at += 10
        end = at + length
        if end > size:
            raise Malformed("a record longer than its message")
        if kind == 1:
            found.append(Record(name, type, ttl, at, end))
        at = end
    return found, at


def _authority(wire: bytes, at: int, many: int) -> tuple[int | None, bool, int]:
    """For how long "none" counts, by a SOA; whether other servers are named; where the next section begins."""
    negative, referred, size = None, False, len(wire)
    for _ in range(many):
        at = passed(wire, at)
        type, kind, ttl, length = _record(wire, at)
        at += 10
        end = at + length
        if end > size:
            raise Malformed("a record longer than its message")
        if type == _SOA and kind == 1:
            if passed(wire, passed(wire, at)) + 20 != end:
                raise Malformed("a SOA that is cut or too long")
            negative = min(_seconds(ttl), _seconds(int.from_bytes(wire[end - 4 : end], "big")))
        elif type == _NS:
            referred = True
        at = end
    return negative, referred, at


def _upper_code(wire: bytes, at: int, many: int) -> int:
    """What EDNS adds to the response code. The message ends with this section."""
    code, size = 0, len(wire)
    for _ in range(many):
        at = passed(wire, at)
        type, _, ttl, length = _record(wire, at)
        at += 10 + length
        if type == 41:
            code = ttl >> 24 << 4
        if at > size:
            raise Malformed("a record longer than its message")
    if at != size:
        raise Malformed("octets after the last record")
    return code


def _followed(wire: bytes, owner: str, number: int, found: list[Record]) -> Held:
    """From the name asked for along the aliases to the records of the type, all inside of the answer."""
    read = READERS.get(number, other)
    chain: list[str] = []
    ttl = _NOTHING.ttl
    while True:
        here = [record for record in found if record.owner == owner]
        if values := [(read(wire, one.at, one.end), one.ttl) for one in here if one.type == number]:
            return Held(
                tuple(sorted({value for value, _ in values})),
                min(ttl, *(_seconds(one) for _, one in values)),
                chain=tuple(chain),
            )
        aliases = {name(wire, one.at, one.end): one.ttl for one in here if one.type == _CNAME}
        if not aliases:
            return Held(ttl=ttl, chain=tuple(chain))
        if len(aliases) > 1 or len(chain) == CHAIN:
            raise Malformed("several aliases of one name" if len(aliases) > 1 else "a chain of aliases without end")
        owner, alias_ttl = aliases.popitem()
        chain.append(owner)
        ttl = min(ttl, _seconds(alias_ttl))


def _seconds(ttl: int) -> int:
    """RFC 2181 8: one with its first bit set is 0."""
    return ttl if ttl < 0x80000000 else 0
