"""SPF records: read, built and merged (RFC 7208). TXT only; the SPF type is obsolete (3.1).

Grammar and static counts, no evaluation of a sender: what a record *says*, not whom it lets in. One
record a name (3.2); at most ten terms that cost a look-up (4.6.4); we never publish `ptr` (5.5) or `+all`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.protocols.spf_macros import BadMacro, domain_spec, macro_string
from postroom.protocols.spf_terms import COSTLY, Term, term
from postroom.protocols.text import shown

MAX_LOOKUPS = 10
OPENNESS = "-~?+"  # from "nobody else" to "everybody", as qualifiers of `all`

_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE | re.DOTALL | re.ASCII)


class BadSpf(ValueError):
    """Receivers answer permerror to this record, which counts as no SPF at all; `problems` lists why."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


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
        found = self.modifier("redirect")
        return found.rstrip(".").lower() if found and self.all is None else None

    def modifier(self, name: str) -> str | None:
        """What follows `redirect=` or `exp=`, as it stands."""
        return next((value for found, value in self.modifiers if found == name), None)


def is_spf(text: str) -> bool:
    """True for a TXT text that receivers take for SPF (4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def spf_in_use(texts: Iterable[str]) -> str | None:
    """The record receivers use: the only one. None when there is none, or several (3.2, permerror)."""
    found = [text for text in texts if is_spf(text)]
    return found[0] if len(found) == 1 else None


def parse(text: str) -> Spf:
    """Read one record. Raises BadSpf with every term receivers would stumble over."""
    spf, problems = read(text, {})
    if problems:
        raise BadSpf(problems)
    return spf


def read(text: str, known: dict[str, Term]) -> tuple[Spf, tuple[str, ...]]:
    """One record, as far as it can be read, and what receivers stumble over. known: words met before, filled here."""
    if not is_spf(text):
        return Spf(()), ("it does not start with v=spf1",)
    terms: list[Term] = []
    modifiers: list[tuple[str, str]] = []
    problems: list[str] = []
    for word in text[6:].split(" "):
        if found := known.get(word):
            terms.append(found)
        elif word:
            try:
                if modifier := _MODIFIER.fullmatch(word):
                    modifiers.append(_modifier(modifier[1].lower(), modifier[2], modifiers))
                else:
                    terms.append(known.setdefault(word, term(word)))
            except ValueError as why:
                problems.append(str(why))
    return Spf(tuple(terms), tuple(modifiers)), tuple(problems)


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


def _modifier(name: str, value: str, before: list[tuple[str, str]]) -> tuple[str, str]:
    known = name in {"redirect", "exp"}
    if known and any(name == other for other, _ in before):
        raise ValueError(f"{name}= stands twice")
    try:
        (domain_spec if known else macro_string)(value)
    except BadMacro as why:
        raise ValueError(f"“{shown(name)}={shown(value)}”: {why}") from None
    return name, value
