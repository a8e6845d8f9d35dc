"""What is wrong with a domain's SPF, whoever sends: a linter over a store of answers (RFC 7208).

It counts what a sender that matches nothing would cause: the most that is possible, but for terms whose names the
sender decides. It says what it could not find out: a look-up that failed is unknown, and so are the counts then, which
are the least they can be. It does not say whether the listed senders are the right ones.
"""

from typing import Literal, NamedTuple

from postroom.protocols.answers import Answers, Held, Missing, key
from postroom.protocols.spf import MAX_LOOKUPS, is_spf
from postroom.protocols.spf_check import MAX_VOIDS
from postroom.protocols.spf_reach import Branch, Memo, Problem, Reach, Unknown
from postroom.protocols.spf_tree import Walk

NEAR = MAX_LOOKUPS - 1  # one more include, as a provider may add any day, and the record is too long
PLAIN_UDP, SAFE_UDP = 512, 1232  # octets: without EDNS, and what passes every path unbroken (DNS flag day 2020)


class Report(NamedTuple):
    """state: what receivers make of the record: none, permerror, usable, or unknown. voids: for a sender over IPv4 and
    one over IPv6. tree: what each term costs. at_least: the counts may be higher. size: octets of the TXT answer.
    end: the qualifier of the `all` it ends in."""

    domain: str
    state: Literal["none", "permerror", "usable", "unknown"]
    text: str
    lookups: int
    voids: tuple[int, int]
    at_least: bool
    tree: tuple[Branch, ...]
    problems: tuple[Problem, ...]
    unknown: tuple[Unknown, ...]
    size: int
    end: str | None = None


def lint(answers: Answers, domain: str, memo: Memo | None = None, *, obsolete: bool = True) -> Report:
    """Read the domain's record and all it leads to. memo: kept by the caller over many domains. obsolete: ask for a
    record of the type SPF too. Raises Missing, with all that is known to be needed."""
    name, type = key(domain, "TXT")
    walk = Walk(answers, memo.kept_small() if memo else Memo())
    top = walk.reach(name)
    old = answers.held.get((name, "SPF")) if obsolete else Held()
    if old is None:
        walk.missing[name, "SPF"] = None
    if walk.missing or old is None:
        raise Missing(walk.missing)
    size = _size(name, answers.held[name, type])
    problems = (*top.problems, *_counts(top), *_ending(top), *_around(top, size, old))
    return Report(
        name,
        _state(top, problems),
        top.text,
        top.lookups,
        top.voids,
        top.at_least or bool(top.unknown),
        top.branches,
        problems,
        top.unknown,
        size,
        top.end,
    )


def _state(top: Reach, problems: tuple[Problem, ...]) -> Literal["none", "permerror", "usable", "unknown"]:
    if any(problem.breaks for problem in problems):
        return "permerror"
    if top.unknown:
        return "unknown"
    return "usable" if top.records else "none"


def _counts(top: Reach) -> list[Problem]:
    found: list[Problem] = []
    if top.lookups >= NEAR:
        found.append(_lookups(top))
    four, six = top.voids
    if four > MAX_VOIDS:
        text = f"{four} look-ups find nothing; receivers stop after {MAX_VOIDS}"
        found.append(Problem("voids", "error", "4.6.4", text, (top.name,), True))
    elif six > MAX_VOIDS:
        text = f"of a sender over IPv6, {six} look-ups find nothing; receivers stop after {MAX_VOIDS}"
        found.append(Problem("voids_ipv6", "warning", "4.6.4", text, (top.name,)))
    return found


def _lookups(top: Reach) -> Problem:
    count = f"at least {top.lookups}" if top.at_least or top.unknown else f"{top.lookups}"
    costs = ", ".join(f"{branch.term} {branch.lookups}" for branch in top.branches[: MAX_LOOKUPS + 1])
    if top.lookups > MAX_LOOKUPS:
        text = f"it needs {count} look-ups; receivers stop at {MAX_LOOKUPS} and use nothing: {costs}"
        return Problem("lookups", "error", "4.6.4", text, (top.name,), True)
    text = f"it needs {count} of the {MAX_LOOKUPS} look-ups that receivers make: {costs}"
    return Problem("lookups_near", "warning", "4.6.4", text, (top.name,))


def _ending(top: Reach) -> list[Problem]:
    here = (top.name,)
    match top.end:
        case "+":
            return [
                Problem("plus_all", "error", "5.1", "it ends in +all: everybody may send in the domain's name", here)
            ]
        case "?":
            return [
                Problem(
                    "neutral", "warning", "5.1", "it ends in ?all: it says nothing about anybody it does not list", here
                )
            ]
        case "":
            text = "it ends without “all”: it says nothing about anybody it does not list"
            return [Problem("no_all", "warning", "4.7", text, here)]
    return []


def _around(top: Reach, size: int, old: Held) -> list[Problem]:
    """What stands beside the record."""
    here = (top.name,)
    found: list[Problem] = []
    if top.records == 0:
        found.append(Problem("none", "error", "3", f"{top.name} has no SPF record", here))
    if any(is_spf(text) for text in old.values):
        text = "there is a record of the type SPF, which nobody reads any more; only TXT counts"
        found.append(Problem("obsolete_type", "warning", "3.1", text, here))
    if top.records and size > PLAIN_UDP:
        over = SAFE_UDP if size > SAFE_UDP else PLAIN_UDP
        text = f"the TXT answer has about {size} octets, more than {over}; some receivers have to ask again over TCP"
        found.append(Problem("large", "info", "3.4", text, here))
    return found


def _size(name: str, held: Held) -> int:
    """Octets of the answer: header, question, an EDNS record, and each text in strings of at most 255."""
    texts = sum(12 + len(text) + (len(text) + 254) // 255 for text in held.values)
    return 12 + len(name) + 6 + 11 + texts
