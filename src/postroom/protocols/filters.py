"""Filters and an auto-reply as small rules, and the Sieve script (RFC 5228) that does them; read back from that script.

A rule moves what it finds into a folder (RFC 5490), with a copy here or without (RFC 3894), and marks it as read
(RFC 5232). Nothing is thrown away by one, and nothing leaves. The auto-reply is `vacation` (RFC 5230), between two days
(RFC 5260). Whatever is typed stands in quoted strings, in which two characters alone mean anything; no extension is
asked for that would give others a meaning.

A script of ours says its rules in a comment of its first line. They are read back only where they make this very
script, so one that somebody has changed by hand is never taken for its rules.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

MOST = 100  # rules of a mailbox
LONGEST, LONGEST_ANSWER = 200, 4_000  # characters of a line, and of what is answered
DAYS = range(1, 31)  # between two answers to the same sender
HEAD = "# Made by Postroom. Changed by hand it is a script like any other. "
HEADERS = {"from": '"from"', "to": '["to", "cc"]', "subject": '"subject"'}
# Of a folder's name: what separates folders, stands for others, or is a mask.
NOT_IN_A_FOLDER = re.compile(r"[/.\\*%~\"#&]")

Where = Literal["from", "to", "subject"]


class NoRule(ValueError):
    """What a rule, or the auto-reply, cannot be; the message says why."""


@dataclass(frozen=True)
class Rule:
    """Mail whose `where` contains a text, in either case. folder: empty leaves it here. copy: one stays here too."""

    where: Where
    contains: str
    folder: str = ""
    copy: bool = False
    read: bool = False

    def __post_init__(self) -> None:
        _line("what it looks for", self.contains)
        if self.where not in HEADERS:
            raise NoRule("a rule looks at from, to or subject")
        if self.folder:
            _line("the folder", self.folder)
            if NOT_IN_A_FOLDER.search(self.folder) or self.folder != self.folder.strip():
                raise NoRule("a folder's name has none of / . \\ * % ~ \" # &")
        if not self.folder and not self.read:
            raise NoRule("a rule moves mail into a folder, or marks it as read")


@dataclass(frozen=True)
class Answer:
    """What is answered, once in so many days to each sender. first, last: both days are among them; none: at once, and
    for good. A day begins when it does in UTC."""

    subject: str
    text: str
    first: date | None = None
    last: date | None = None
    days: int = 7

    def __post_init__(self) -> None:
        _line("the subject", self.subject)
        if not self.text.strip() or len(self.text) > LONGEST_ANSWER:
            raise NoRule(f"say what is answered, in at most {LONGEST_ANSWER:,} characters")
        if any(not char.isprintable() and char != "\n" for char in self.text):
            raise NoRule("the answer has a character that cannot be shown")
        if self.days not in DAYS:
            raise NoRule(f"between two answers are {DAYS[0]} to {DAYS[-1]} days")
        if self.first and self.last and self.last < self.first:
            raise NoRule("the last day is before the first")


@dataclass(frozen=True)
class Filters:
    """All that one script of ours does."""

    rules: tuple[Rule, ...] = ()
    answer: Answer | None = None

    def __post_init__(self) -> None:
        if len(self.rules) > MOST:
            raise NoRule(f"there are {MOST} rules at most")


def script(filters: Filters) -> str:
    """The Sieve script; lines end in a line feed, and the last one in none."""
    needs = _needs(filters)
    asked = [f"require [{', '.join(map(quoted, needs))}];"] if needs else []
    answer = _answer(filters.answer) if filters.answer else ()
    rules = (line for rule in filters.rules for line in _rule(rule))
    return "\n".join([HEAD + _written(filters), *asked, *answer, *rules])


def read(text: str) -> Filters | None:
    """The rules of a script that this module made; None of any other."""
    first = text.partition("\n")[0].rstrip("\r")
    if not first.startswith(HEAD):
        return None
    try:
        found = _of(json.loads(first.removeprefix(HEAD)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if script(found) == text.replace("\r\n", "\n").strip() else None


def quoted(text: str) -> str:
    """As a quoted string (RFC 5228, 2.4.2): two characters are escaped, and all others are themselves."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(what: str, text: str) -> None:
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        raise NoRule(f"{what} is one line of at most {LONGEST} characters that can be shown")


def _written(filters: Filters) -> str:
    """In ASCII on one line: nothing in it ends a comment."""
    return json.dumps(asdict(filters), default=date.isoformat, sort_keys=True)


def _of(said: dict[str, Any]) -> Filters:
    answer = said["answer"]
    rules = tuple(Rule(**one) for one in said["rules"])
    if not answer:
        return Filters(rules)
    days = {name: date.fromisoformat(answer[name]) if answer[name] else None for name in ("first", "last")}
    return Filters(rules, Answer(**{**answer, **days}))


def _needs(filters: Filters) -> list[str]:
    """The extensions that it asks for, and no other."""
    rules, answer = filters.rules, filters.answer
    wanted = {
        "fileinto": any(one.folder for one in rules), "mailbox": any(one.folder for one in rules),
        "copy": any(one.folder and one.copy for one in rules), "imap4flags": any(one.read for one in rules),
        "vacation": bool(answer), "date": bool(answer and (answer.first or answer.last)),
        "relational": bool(answer and (answer.first or answer.last)),
    }  # fmt: skip
    return sorted(name for name, needed in wanted.items() if needed)


def _answer(answer: Answer) -> Iterator[str]:
    said = f"vacation :days {answer.days} :subject {quoted(answer.subject)} {quoted(answer.text)};"
    days = [
        f'currentdate :zone "+0000" :value "{how}" "date" "{day.isoformat()}"'
        for how, day in (("ge", answer.first), ("le", answer.last)) if day
    ]  # fmt: skip
    if not days:
        yield said
        return
    yield f"if allof({', '.join(days)}) {{"
    yield f"    {said}"
    yield "}"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"if header :contains {HEADERS[rule.where]} {quoted(rule.contains)} {{"
    if rule.read:
        yield '    addflag "\\\\Seen";'
    if rule.folder:
        yield f"    fileinto {':copy ' if rule.copy else ''}:create {quoted(rule.folder)};"
        if not rule.copy:
            yield "    stop;"
    yield "}"
