"""What a judge of a domain says: the one shape of every result, whatever it is about (protocols/rules.py has them all).

A judge is a pure function of a domain and a store of answers. It gives a tuple of these in the order of the table; what
it needs and the store does not hold is raised as Missing. A look-up that failed makes what rests on it `unknown`.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from postroom.protocols.answers import Key, Missing
from postroom.protocols.rrset import DEFAULT_TTL, RRset
from postroom.protocols.rules import RULES, Level
from postroom.protocols.txt import txt_of

Parsed = tuple[tuple[str, str], ...]
T = TypeVar("T")


class Evidence(NamedTuple):
    """What a result rests on. name: where it stands. raw: values as read. parsed: (what, value). chain: CNAMEs."""

    name: str = ""
    raw: tuple[str, ...] = ()
    parsed: Parsed = ()
    chain: tuple[str, ...] = ()


class Judged(NamedTuple):
    """One result. rule: an id of the table. says: a sentence, what is and what follows. publish: what would mend it."""

    level: Level
    rule: str
    says: str
    source: str
    evidence: Evidence
    publish: RRset | None = None


def judged(
    rule: str,
    says: str,
    name: str = "",
    raw: tuple[str, ...] = (),
    *,
    parsed: Parsed = (),
    chain: tuple[str, ...] = (),
    publish: RRset | None = None,
) -> Judged:
    """A result of this rule; its level and source are the table's."""
    row = RULES[rule]
    return Judged(row.level, rule, says, row.source, Evidence(name, raw, parsed, chain), publish)


def record(name: str, type: str, *values: str) -> RRset:
    """An RRset to publish. name: without the last dot; values: texts as answers hold them, all else as RRset has it."""
    kept = map(txt_of, values) if type == "TXT" else values
    return RRset(f"{name}.", type, DEFAULT_TTL, tuple(sorted(set(kept))))


def at(name: str) -> str:
    """A name as sentences say it: short enough to be read; the root is a dot."""
    if len(name) <= 80:
        return name or "."
    return f"{name[:40]}…{name[-36:]}"


def in_order(results: Iterable[Judged]) -> tuple[Judged, ...]:
    """As the table has them; those of one rule as they came."""
    found = tuple(results)
    return found if len(found) < 2 else tuple(sorted(found, key=_place))


def at_once(questions: Iterable[Callable[[], T]]) -> list[T]:
    """The answer to each. Raises Missing with what all of them miss, so that it is fetched in one go."""
    said: list[T] = []
    missing: dict[Key, None] = {}
    for question in questions:
        try:
            said.append(question())
        except Missing as more:
            missing |= dict.fromkeys(more.keys)
    if missing:
        raise Missing(missing)
    return said


_PLACES = {id: place for place, id in enumerate(RULES)}


def _place(one: Judged) -> int:
    return _PLACES[one.rule]
