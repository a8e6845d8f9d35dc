"""What was found below a name that publishes SPF, and what of it is kept from one domain to the next.

Providers give thousands of domains the same words, records and includes. A Memo keeps what was read, by the text
itself, and what names lead to, with every answer that this rests on: it counts as long as those are still the answers.
"""

from typing import NamedTuple

from postroom.protocols.answers import Held, Key
from postroom.protocols.spf_record import Level, Record, read_record
from postroom.protocols.spf_terms import Term

MANY = 100_000  # of words, records or names; then all is read anew


class Problem(NamedTuple):
    """cause: a rule's name (rules.py). section: of RFC 7208. chain: the names that lead to the record it is in, the
    domain first. breaks: receivers answer permerror, which counts as no SPF at all."""

    cause: str
    level: Level
    section: str
    text: str
    chain: tuple[str, ...]
    breaks: bool = False


class Unknown(NamedTuple):
    """A look-up that failed, and what led to it."""

    name: str
    type: str
    why: str
    chain: tuple[str, ...]


class Branch(NamedTuple):
    """A term and all below it. name: what it looks up, empty when the sender decides. voids: queries that find nothing,
    for a sender over IPv4 and one over IPv6. text: the record it leads to."""

    term: str
    name: str
    lookups: int = 1
    voids: tuple[int, int] = (0, 0)
    text: str = ""
    below: "tuple[Branch, ...]" = ()


class Reach(NamedTuple):
    """records: how many SPF records the name has, None when that is unknown; text: the only one. end: the qualifier of
    the `all` it ends in, through redirects; empty without, None when unknown. at_least: the sender decides on more, or
    there is too much. seen: what all this rests on. height: records in a row. whole: it may be kept."""

    name: str
    records: int | None = None
    text: str = ""
    nowhere: bool = False
    end: str | None = None
    lookups: int = 0
    voids: tuple[int, int] = (0, 0)
    branches: tuple[Branch, ...] = ()
    problems: tuple[Problem, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    at_least: bool = False
    seen: tuple[tuple[Key, Held], ...] = ()
    height: int = 1
    whole: bool = True


class Memo:
    """Kept by the caller for as long as it likes; right whatever changes, as nothing in it rests on a name alone."""

    def __init__(self) -> None:
        self.words: dict[str, Term] = {}
        self.records: dict[str, Record] = {}
        self.reaches: dict[str, Reach] = {}

    def record(self, text: str) -> Record:
        """The record as it was read before, or now."""
        if not (found := self.records.get(text)):
            found = self.records[text] = read_record(text, self.words)
        return found

    def kept_small(self) -> "Memo":
        """Emptied when it has grown too large."""
        for kept in (self.words, self.records, self.reaches):
            if len(kept) > MANY:
                kept.clear()
        return self
