"""Mechanisms of SPF, one word each: `~all`, `include:x.example`, `a:x.example/24` (RFC 7208, 4.6.1 and 5)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address

from postroom.protocols.spf_macros import BadMacro, Parts, as_name, domain_spec
from postroom.protocols.text import shown

COSTLY = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})  # each costs a look-up (4.6.4)

_TERM = re.compile(r"([-+?~]?)([a-z][a-z0-9]*)(?:([:/])(.*))?", re.IGNORECASE | re.DOTALL | re.ASCII)
_LENGTHS = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z", re.ASCII)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IP4 = re.compile(rf":({_OCTET}(?:\.{_OCTET}){{3}})(?:/(3[0-2]|[12]?[0-9]))?", re.ASCII)
_IP6 = re.compile(r":([0-9a-f:.]+)(?:/(0|[1-9][0-9]{0,2}))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Term:
    """One mechanism: `qualifier` is one of + - ~ ?, `value` what follows the name (":x", "/24", "").

    Where a redirect is looked at like one, it is `redirect` with ":x".
    """

    qualifier: str
    name: str
    value: str = ""

    def __str__(self) -> str:
        return f"{'' if self.qualifier == '+' else self.qualifier}{self.name}{self.value}"

    @property
    def domain(self) -> str:
        return self.value.removeprefix(":").rstrip(".").lower()

    @cached_property
    def said(self) -> str:
        """As a sentence quotes it."""
        return shown(f"redirect={self.value[1:]}" if self.name == "redirect" else str(self))

    @cached_property
    def spec(self) -> Parts | None:
        """The name it looks up; None for the domain whose record it stands in. Not for `ip4` and `ip6`."""
        text = _LENGTHS.sub("", self.value) if self.name in {"a", "mx"} else self.value
        return domain_spec(text[1:]) if text else None

    @cached_property
    def asks(self) -> str | None:
        """The name it looks up whoever sends and wherever it stands; None when macros or the domain itself decide."""
        fixed = self.spec and all(isinstance(part, str) for part in self.spec)
        return as_name("".join(map(str, self.spec or ()))) if fixed else None

    @cached_property
    def lengths(self) -> tuple[int, int]:
        """Of `a` and `mx`: how many bits of an IPv4 and of an IPv6 address count."""
        found = _LENGTHS.search(self.value)
        four, six = found.groups() if found else (None, None)
        return int(four or 32), int(six or 128)


def term(word: str) -> Term:
    """Read one mechanism, such as `~all`, `include:x.example` or `a:x.example/24`. Raises ValueError."""
    found = _TERM.fullmatch(word)
    check = _VALUES.get(found[2].lower()) if found else None
    if not found or not check:
        raise ValueError(f"“{shown(word)}” is no mechanism")
    value = (found[3] or "") + (found[4] or "")
    if not check(value):
        raise ValueError(f"“{shown(word)}”: what follows {found[2].lower()} cannot be read")
    return Term(found[1] or "+", found[2].lower(), value)


def _nothing(value: str) -> bool:
    return value == ""


def _a_domain(value: str) -> bool:
    try:
        return value.startswith(":") and bool(domain_spec(value[1:]))
    except BadMacro:
        return False


def _maybe_domain(value: str) -> bool:
    return value == "" or _a_domain(value)


def _domain_and_length(value: str) -> bool:
    found = _LENGTHS.search(value)
    if not found or int(found[1] or 0) > 32 or int(found[2] or 0) > 128:
        return False
    return _maybe_domain(value[: found.start()])


def _ip4(value: str) -> bool:
    return _IP4.fullmatch(value) is not None


def _ip6(value: str) -> bool:
    found = _IP6.fullmatch(value)
    try:
        return found is not None and IPv6Address(found[1]).max_prefixlen >= int(found[2] or 128)
    except ValueError:
        return False


_VALUES: dict[str, Callable[[str], bool]] = {
    "all": _nothing,
    "include": _a_domain,
    "a": _domain_and_length,
    "mx": _domain_and_length,
    "ptr": _maybe_domain,
    "ip4": _ip4,
    "ip6": _ip6,
    "exists": _a_domain,
}
