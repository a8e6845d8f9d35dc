"""RRsets in one canonical form (RFC 1035, 2181, 2782, 3596, 7505, 8659).

Names are lower case with a trailing dot; values are sorted, without doubles. `rrset` checks what people
ask for and lists every problem; `as_read` takes what a server gave and never refuses. Nothing here says
whether a record is wise: that is for the policies and checks.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import idna

from postroom.protocols.text import shown
from postroom.protocols.txt import txt_quoted, txt_strings, txt_value

MAX_TTL = 2**31 - 1  # RFC 2181, 8
DEFAULT_TTL = 3600
NULL_MX = "0 ."

_OWNER_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CAA = re.compile(r'([0-9]{1,3})\s+([A-Za-z0-9]+)\s+(?:"([^"]*)"|([^\s"]+))')


class BadRRset(ValueError):
    """An RRset that cannot stand in DNS; `problems` lists all that is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, order=True)
class RRset:
    """All values of one name and type. Equal when name, type, TTL and the set of values are."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    def same_values(self, other: "RRset | None") -> bool:
        """True when only the TTL may differ: what an authoritative answer must show."""
        return other is not None and (self.name, self.type, self.values) == (other.name, other.type, other.values)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "ttl": self.ttl, "values": list(self.values)}

    def master_file(self) -> list[str]:
        """A line a record, as zone files and most providers' panels take them (RFC 1035, 5.1)."""
        said = txt_quoted if self.type == "TXT" else str
        return [f"{self.name} {self.ttl} IN {self.type} {said(value)}" for value in self.values]

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} {self.type} {' | '.join(self.values)}"


def from_json(data: dict[str, Any]) -> RRset:
    """The RRset that `as_json` gave."""
    return RRset(data["name"], data["type"], data["ttl"], tuple(data["values"]))


def rrset(name: str, type: str, ttl: int, values: Iterable[str]) -> RRset:
    """A checked RRset in canonical form; `ttl` in seconds. Raises BadRRset with every problem found."""
    problems: list[str] = []
    kind = type.upper()
    owner = _collected(problems, "name", owner_name, name)
    if kind not in TYPES:
        problems.append(f"type “{shown(type)}” is not one of {', '.join(TYPES)}")
    if not 0 <= ttl <= MAX_TTL:
        problems.append(f"TTL {ttl} is outside 0 to {MAX_TTL}")
    kept = [
        _collected(problems, f"value {place} “{shown(value)}”", lambda text: value_of(kind, text), value)
        for place, value in enumerate(values, start=1)
        if kind in TYPES
    ]
    problems += _together(kind, kept)
    if problems:
        raise BadRRset(problems)
    return RRset(owner, kind, ttl, tuple(sorted(set(kept))))


def as_read(name: str, type: str, ttl: int, values: Iterable[str]) -> RRset:
    """An RRset as a server gave it: canonical where its values can be read so, else as they stand."""
    kind = type.upper()
    return RRset(_dotted(name), kind, ttl, tuple(sorted({_read_value(kind, value) for value in values})))


def value_of(type: str, text: str) -> str:
    """One value of a type in canonical form. Raises ValueError saying what would be right."""
    return TYPES[type](text.strip(" "))


def owner_name(text: str) -> str:
    """A name that may own records: underscores and a leading `*` are possible. Raises ValueError."""
    labels = _labels(text)
    rest = labels[1:] if labels[0] == "*" else labels
    return _name(labels, [label for label in rest if not _OWNER_LABEL.fullmatch(label)])


def host_name(text: str) -> str:
    """A name that may be the target of MX, NS or SRV: letters, digits, hyphens. Raises ValueError."""
    labels = _labels(text)
    return _name(labels, [label for label in labels if not _HOST_LABEL.fullmatch(label)])


def _labels(text: str) -> list[str]:
    plain = text.strip(" ")
    if not plain.isascii():
        try:
            plain = idna.encode(plain, uts46=True, std3_rules=True).decode()
        except idna.IDNAError as why:
            raise ValueError(str(why)) from None
    return plain.lower().removesuffix(".").split(".")


def _name(labels: list[str], bad: list[str]) -> str:
    if bad:
        raise ValueError(f"the label “{shown(bad[0])}” is not possible in this name")
    if len(labels) < 2:
        raise ValueError("a full name is needed, like mx.acme.example.")
    whole = ".".join(labels)
    if len(whole) > 253:
        raise ValueError(f"the name is {len(whole)} octets long; at most 253 are possible")
    return whole + "."


def _a(text: str) -> str:
    return str(IPv4Address(text))


def _aaaa(text: str) -> str:
    if "%" in text:
        raise ValueError("an address with a scope means nothing in DNS")
    return str(IPv6Address(text))


def _mx(text: str) -> str:
    number, target = _fields(text, 2, "10 mx.acme.example.")
    preference = _number(number, 65535)
    if target == ".":
        if preference:
            raise ValueError(f"the null MX is {NULL_MX}")
        return NULL_MX
    return f"{preference} {host_name(target)}"


def _srv(text: str) -> str:
    *numbers, target = _fields(text, 4, "0 1 993 imap.acme.example.")
    heads = " ".join(str(_number(number, 65535)) for number in numbers)
    return f"{heads} {'.' if target == '.' else host_name(target)}"


def _caa(text: str) -> str:
    found = _CAA.fullmatch(text)
    if not found:
        raise ValueError('three fields are needed, like 0 issue "ca.example"')
    return f'{_number(found[1], 255)} {found[2].lower()} "{found[3] if found[3] is not None else found[4]}"'


def _txt(text: str) -> str:
    if len(text) > 16_000:
        raise ValueError("the text is too long for one record")
    return txt_value(txt_strings(text))


TYPES: dict[str, Callable[[str], str]] = {
    "A": _a,
    "AAAA": _aaaa,
    "MX": _mx,
    "TXT": _txt,
    "CNAME": owner_name,
    "NS": host_name,
    "CAA": _caa,
    "SRV": _srv,
}


def _fields(text: str, count: int, like: str) -> list[str]:
    fields = text.split()
    if len(fields) != count:
        raise ValueError(f"{count} fields are needed, like {like}")
    return fields


def _number(text: str, at_most: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > at_most:
        raise ValueError(f"“{shown(text)}” is not a number from 0 to {at_most}")
    return int(text)


def _together(type: str, values: list[str]) -> Iterable[str]:
    if not values:
        yield "no value; take the whole set away instead"
    if type == "CNAME" and len(set(values)) > 1:
        yield "a CNAME has one target only"
    if type == "MX" and NULL_MX in values and len(set(values)) > 1:
        yield f"the null MX {NULL_MX} says that no mail is taken, so it stands alone (RFC 7505, 3)"


def _collected(problems: list[str], where: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except ValueError as why:
        problems.append(f"{where}: {why}")
        return ""


def _dotted(name: str) -> str:
    return name.lower() if name.endswith(".") else name.lower() + "."


def _read_value(type: str, text: str) -> str:
    try:
        return value_of(type, text) if type in TYPES else text
    except ValueError:
        return text
