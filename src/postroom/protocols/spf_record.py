"""One SPF record as the linter sees it: what costs a look-up, how it ends, what is wrong with its text (RFC 7208)."""

from typing import Literal, NamedTuple

from postroom.protocols.spf import read
from postroom.protocols.spf_macros import letters
from postroom.protocols.spf_terms import COSTLY, Term

Level = Literal["error", "warning", "info"]


class Note(NamedTuple):
    """cause: a rule's name (rules.py). section: of RFC 7208. breaks: receivers answer permerror: as no SPF at all."""

    cause: str
    level: Level
    section: str
    text: str
    breaks: bool = False


class Record(NamedTuple):
    """costly: the mechanisms that need a look-up and can be reached. redirect: as a term, when it counts (6.1). end:
    the qualifier of `all`, empty without one; None when the record cannot be read."""

    costly: tuple[Term, ...]
    redirect: Term | None
    end: str | None
    notes: tuple[Note, ...]


def read_record(text: str, known: dict[str, Term]) -> Record:
    """known: words met before, filled here."""
    spf, problems = read(text, known)
    costly: list[Term] = []
    notes = [Note("syntax", "error", "4.6", problem, True) for problem in problems]
    end: str | None = ""
    for place, term in enumerate(spf.terms):
        if term.name == "all":
            end = term.qualifier
            if after := spf.terms[place + 1 :]:
                notes.append(_never_tested(after))
            break
        if term.name in COSTLY:
            costly.append(term)
            notes += _discouraged(term)
    to = spf.modifier("redirect")
    if to and end:
        notes.append(
            Note("redirect_unused", "warning", "6.1", f"redirect={to} stands beside “all” and is never followed")
        )
    redirect = Term("+", "redirect", f":{to}") if to and not end and not problems else None
    return Record(tuple(costly), redirect, None if problems else end, tuple(notes))


def _never_tested(after: tuple[Term, ...]) -> Note:
    return Note("after_all", "warning", "5.1", f"what follows “all” is never tested: {' '.join(map(str, after[:5]))}")


def _discouraged(term: Term) -> list[Note]:
    if term.name == "ptr":
        return [Note("ptr", "warning", "5.5", "“ptr” is slow and not reliable; it is not to be used")]
    if term.asks is None and term.spec and "p" in letters(term.spec):
        return [Note("macro_p", "warning", "7.2", f"“{term}” rests on %{{p}}, which is slow and not reliable")]
    return []
