"""What all results for a domain come to: the worst of each area, a score, and their form as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from postroom.protocols.judged import Judged

WORST = ("bad", "unknown", "warn", "info", "good")
AREAS = (
    "mx",
    "ptr",
    "spf",
    "dkim",
    "dmarc",
    "mta_sts",
    "tls_rpt",
    "dane",
    "caa",
    "bimi",
    "ns",
    "cname",
    "dnssec",
    "parked",
)
"""Before the dot of a rule's id; in the order in which they are shown."""
COSTS: Mapping[str, int] = {"bad": 20, "warn": 5}  # points of a hundred, a rule


class Loss(NamedTuple):
    """One line of a score: this many points for this rule, however many results it has."""

    points: int
    rule: str


class Score(NamedTuple):
    """points: of 100, never below 0. at_most: something is unknown, so it may be less. lost: the most costly first."""

    points: int
    at_most: bool
    lost: tuple[Loss, ...]


def area(rule: str) -> str:
    return rule.partition(".")[0]


def worst(levels: Iterable[str]) -> str:
    """`unknown` where there are none: nothing is known then."""
    return min(levels, key=WORST.index, default="unknown")


def by_area(results: Iterable[Judged]) -> dict[str, str]:
    """The worst level of each area that was judged."""
    found: dict[str, list[str]] = {}
    for one in results:
        found.setdefault(area(one.rule), []).append(one.level)
    return {name: worst(found[name]) for name in AREAS if name in found}


def score(levels: Sequence[tuple[str, str]]) -> Score:
    """Of (rule, level): a hundred less what each rule costs once."""
    rules = dict(levels)
    lost = sorted((Loss(COSTS[level], rule) for rule, level in rules.items() if level in COSTS), reverse=True)
    known = bool(levels) and "unknown" not in rules.values()
    return Score(max(0, 100 - sum(one.points for one in lost)), not known, tuple(lost))


def as_json(one: Judged) -> dict[str, Any]:
    """A result for JSON: `evidence` as read and as parsed, `publish` the record set that would mend it, or None."""
    evidence = {"name": one.evidence.name, "raw": [str(value) for value in one.evidence.raw],
                "parsed": dict(one.evidence.parsed), "chain": list(one.evidence.chain)}  # fmt: skip
    publish = one.publish.as_json() if one.publish else None
    return {"level": one.level, "rule": one.rule, "says": one.says, "source": one.source, "evidence": evidence,
            "publish": publish}  # fmt: skip
