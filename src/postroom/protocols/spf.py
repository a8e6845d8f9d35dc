"""SPF records: read, built and merged (RFC 7208). TXT only; the SPF type is obsolete (3.1).

Grammar and static counts, no evaluation of a sender: what a record *says*, not whom it lets in. One
record a name (3.2); at most ten terms that cost a look-up (4.6.4); we never publish `ptr` (5.5) or `+all`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from postroom.protocols.text import shown

MAX_LOOKUPS = 10
COSTLY = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
OPENNESS = "-~?+"  # from "nobody else" to "everybody", as qualifiers of `all`

_MACRO = r"%\{[slodiphcrtv][0-9]*r?[-.+,/_=]*\}|%%|%_|%-"
_MACRO_TEXT = rf"(?:{_MACRO}|[\x21-\x24\x26-\x7e])*"
_DOMAIN = rf"(?:{_MACRO}|[\x21-\x24\x26-\x2e\x30-\x7e])*"
_END = rf"(?:\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?|{_MACRO})"
_SPEC = re.compile(rf"{_DOMAIN}{_END}", re.I)
_CIDR = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?$")
_TERM = re.compile(r"([-+?~]?)([a-z][a-z0-9]*)(?:([:/])(.*))?", re.I | re.S)
_MODIFIER = re.compile(rf"([a-z][a-z0-9_.-]*)=({_MACRO_TEXT})", re.I)


class BadSpf(ValueError):
    """Receivers answer permerror to this record, which counts as no SPF at all; `problems` lists why."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class Term:
    """One mechanism: `qualifier` is one of + - ~ ?, `value` what follows the name (":x", "/24", "")."""

    qualifier: str
    name: str
    value: str = ""

    def __str__(self) -> str:
        return f"{'' if self.qualifier == '+' else self.qualifier}{self.name}{self.value}"

    @property
    def domain(self) -> str:
        return self.value.removeprefix(":").rstrip(".").lower()


@dataclass(frozen=True)
class Spf:
    """A record that follows the grammar."""

    terms: tuple[Term, ...]
    modifiers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join(["v=spf1", *map(str, self.terms), *(f"{name}={value}" for name, value in self.modifiers)])

    @property
    def all(self) -> str | None:
        """The qualifier of `all`, or None."""
        return next((term.qualifier for term in self.terms if term.name == "all"), None)

    @property
    def redirect(self) -> str | None:
        """Where `redirect=` points; it counts only without an `all` (6.1)."""
        found = dict(self.modifiers).get("redirect")
        return found.rstrip(".").lower() if found and self.all is None else None


@dataclass(frozen=True)
class Lookups:
    """How many look-ups a record costs; `missing` are records it needs that were not at hand."""

    count: int
    missing: frozenset[str]
    problems: tuple[str, ...] = ()


def is_spf(text: str) -> bool:
    """True for a TXT text that receivers take for SPF (4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def spf_in_use(texts: Iterable[str]) -> str | None:
    """The record receivers use: the only one. None when there is none, or several (3.2, permerror)."""
    found = [text for text in texts if is_spf(text)]
    return found[0] if len(found) == 1 else None


def parse(text: str) -> Spf:
    """Read one record. Raises BadSpf with every term receivers would stumble over."""
    if not is_spf(text):
        raise BadSpf(["it does not start with v=spf1"])
    terms: list[Term] = []
    modifiers: list[tuple[str, str]] = []
    problems: list[str] = []
    for word in filter(None, text[6:].split(" ")):
        try:
            if found := _MODIFIER.fullmatch(word):
                modifiers.append(_modifier(found[1].lower(), found[2], modifiers))
            else:
                terms.append(term(word))
        except ValueError as why:
            problems.append(str(why))
    if problems:
        raise BadSpf(problems)
    return Spf(tuple(terms), tuple(modifiers))


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


def baseline(*mechanisms: str, all: str = "-all") -> str:
    """A record of our own, such as `baseline("mx")` → `v=spf1 mx -all`. Raises BadSpf."""
    return _ours(parse(" ".join(["v=spf1", *mechanisms, all])))


def _ours(spf: Spf) -> str:
    problems = []
    if spf.all == "+":
        problems.append("+all lets everybody send")
    if any(term.name == "ptr" for term in spf.terms):
        problems.append("ptr is not to be used (RFC 7208, 5.5)")
    if (count := own_lookups(spf)) > MAX_LOOKUPS:
        problems.append(f"{count} terms need a look-up; receivers stop at {MAX_LOOKUPS}")
    if problems:
        raise BadSpf(problems)
    return str(spf)


def merge(found: Iterable[str], ours: Iterable[str]) -> str:
    """One record out of those found at a name and our mechanisms, theirs kept in their order.

    Ours come before `all`. Of several records every mechanism stays and the most open `all` wins: none
    of them worked before, and nobody's mail may break by our tidying. `ptr` goes and `+all` becomes
    `~all`. Not SPF is ignored. Raises BadSpf when a record found cannot be read or the sum is too long.
    """
    records = [parse(text) for text in found if is_spf(text)]
    several = len(records) > 1
    terms = [term(f"include:{spf.redirect}") for spf in records if several and spf.redirect]
    theirs = [one for spf in records for one in spf.terms if one.name not in {"all", "ptr"}]
    kept = list(dict.fromkeys([*theirs, *terms, *(term(word) for word in ours)]))
    ends = [spf.all for spf in records if spf.all]
    end = max(ends, key=OPENNESS.index, default="-" if not records else "~" if several else "")
    modifiers = dict(pair for spf in records for pair in spf.modifiers if not (several and pair[0] == "redirect"))
    last = [Term("~" if end == "+" else end, "all")] if end else []
    return _ours(Spf(tuple(kept + last), tuple(modifiers.items())))


def own_lookups(spf: Spf) -> int:
    """How many terms of this record alone cost a look-up (4.6.4)."""
    return sum(one.name in COSTLY for one in spf.terms) + (spf.redirect is not None)


def lookups(text: str, known: Mapping[str, str]) -> Lookups:
    """Count through includes and redirect; `known` maps a domain name to its SPF record.

    What is not known is reported, not guessed; names with macros count once and cannot be followed.
    """
    count, missing, problems = 0, set[str](), list[str]()
    waiting: list[tuple[str, tuple[str, ...]]] = [(text, ())]
    while waiting and count <= 10 * MAX_LOOKUPS:
        record, path = waiting.pop()
        try:
            spf = parse(record)
        except BadSpf as why:
            problems += [f"{path[-1]}: {problem}" if path else problem for problem in why.problems]
            continue
        count += own_lookups(spf)
        for name in _followed(spf):
            if name in path:
                problems.append(f"{name} includes itself")
            elif name in known:
                waiting.append((known[name], (*path, name)))
            else:
                missing.add(name)
    return Lookups(count, frozenset(missing), tuple(problems))


def _followed(spf: Spf) -> Iterable[str]:
    names = [one.domain for one in spf.terms if one.name == "include"] + [spf.redirect or ""]
    return (name for name in names if name and "%" not in name)


def _modifier(name: str, value: str, before: list[tuple[str, str]]) -> tuple[str, str]:
    if name in {"redirect", "exp"}:
        if any(name == other for other, _ in before):
            raise ValueError(f"{name}= stands twice")
        if not _SPEC.fullmatch(value):
            raise ValueError(f"“{shown(name)}={shown(value)}” names no domain")
    return name, value


def _nothing(value: str) -> bool:
    return value == ""


def _a_domain(value: str) -> bool:
    return bool(value.startswith(":") and _SPEC.fullmatch(value[1:]))


def _maybe_domain(value: str) -> bool:
    return value == "" or _a_domain(value)


def _domain_and_length(value: str) -> bool:
    found = _CIDR.search(value)
    if not found or int(found[1] or 0) > 32 or int(found[2] or 0) > 128:
        return False
    return _maybe_domain(value[: found.start()])


def _network(sort: type[IPv4Network] | type[IPv6Network], value: str) -> bool:
    address, slash, length = value.removeprefix(":").partition("/")
    if not value.startswith(":") or "%" in address or (slash and not re.fullmatch(r"0|[1-9]\d{0,2}", length)):
        return False
    try:
        sort(f"{address}{slash}{length}", strict=False)
    except ValueError:
        return False
    return True


_VALUES = {
    "all": _nothing,
    "include": _a_domain,
    "a": _domain_and_length,
    "mx": _domain_and_length,
    "ptr": _maybe_domain,
    "ip4": lambda value: _network(IPv4Network, value),
    "ip6": lambda value: _network(IPv6Network, value),
    "exists": _a_domain,
}
