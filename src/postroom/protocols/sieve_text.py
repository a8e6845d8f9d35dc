"""Whether a text is a Sieve script by its grammar (RFC 5228, section 8), where in it that ends, and where it sends.

For the control plane, which runs no compiler on what strangers write: it says at once, and by its line, what no
compiler would take. What it lets through the mail server's compiler judges, which has the last word. Commands, tests
and extensions are those that the mail server offers to a mailbox's owner.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

LONGEST = 65_536  # bytes; of a script that is read whole by its node
DEEPEST = 15  # blocks and tests within each other; Pigeonhole's own limit is 32
COMMANDS = {
    "require": "", "if": "", "elsif": "", "else": "", "stop": "", "keep": "", "discard": "", "redirect": "",
    "fileinto": "fileinto", "vacation": "vacation", "set": "variables",
    "addflag": "imap4flags", "setflag": "imap4flags", "removeflag": "imap4flags", "foreverypart": "foreverypart",
    "break": "foreverypart", "extracttext": "extracttext", "error": "ihave",
}  # fmt: skip
TESTS = {
    "address": "", "allof": "", "anyof": "", "exists": "", "false": "", "header": "", "not": "", "size": "", "true": "",
    "envelope": "envelope", "body": "body", "currentdate": "date", "date": "date", "hasflag": "imap4flags",
    "string": "variables", "mailboxexists": "mailbox", "duplicate": "duplicate", "environment": "environment",
    "ihave": "ihave",
}  # fmt: skip
# Those that are known and are not offered → why.
NOT_OFFERED = dict.fromkeys(("reject", "ereject"), "mail that is rejected so would be lost: its sender is told nothing")
EXTENSIONS = frozenset({
    *COMMANDS.values(), *TESTS.values(), "copy", "subaddress", "relational", "comparator-i;octet", "regex",
    "comparator-i;ascii-casemap", "comparator-i;ascii-numeric", "encoded-character", "mime", "index",
}) - {""}  # fmt: skip
BLOCKS = frozenset({"if", "elsif", "else", "foreverypart"})
TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*(?:\n|\Z)|/\*.*?\*/)
    |(?P<text>text:[ \t]*(?:\#[^\n]*)?\n(?P<lines>|.*?\n)\.(?=\n|\Z))
    |"(?P<string>(?:[^"\\]|\\.)*)"
    |(?P<tag>:[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9]+[KMGkmg]?)(?![A-Za-z0-9_])
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>[][(){},;])""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class NoScript(ValueError):
    """It is no script; `line` is where that shows, from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


@dataclass(frozen=True)
class Token:
    sort: str  # string, tag, number, name, sign, end
    value: str
    line: int


@dataclass
class Script:
    """What was read. redirects: the addresses it names, empty where one is worked out when mail comes. answers: it has
    a vacation. kept, thrown: of each command that keeps or files a message, and of each that discards it, whether it is
    done with some messages only."""

    needs: set[str] = field(default_factory=set)
    redirects: list[str] = field(default_factory=list)
    answers: bool = False
    kept: list[bool] = field(default_factory=list)
    thrown: list[bool] = field(default_factory=list)

    @property
    def discards(self) -> Literal["", "sometimes", "always"]:
        """As it is read of a compiled one (sieve.py): what it neither keeps nor files is thrown away."""
        if not self.thrown or not all(self.kept):
            return ""
        return "sometimes" if self.kept or all(self.thrown) else "always"


def parsed(text: str) -> Script:
    """Raises NoScript."""
    if len(text.encode(errors="surrogatepass")) > LONGEST:
        raise NoScript(1, f"it is longer than {LONGEST:,} bytes")
    return _Reader(list(_tokens(text.replace("\r\n", "\n")))).read()


def _tokens(text: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or "\0" in found[0]:
            what = "a string that does not end" if text[at] == '"' else f"{text[at]!r} has no meaning here"
            raise NoScript(line, what)
        sort = str(found.lastgroup)
        if sort in ("text", "lines"):
            yield Token("string", re.sub(r"(?m)^\.\.", ".", found["lines"]), line)
        elif sort == "string":
            yield Token("string", re.sub(r"\\(.)", r"\1", found["string"], flags=re.DOTALL), line)
        elif sort != "space":
            yield Token(sort, found[0].lower() if sort in ("name", "tag") else found[0], line)
        line += found[0].count("\n")
        at = found.end()
    yield Token("end", "", line)


class _Reader:
    """One pass over the tokens. `at`: the next one. sure: the blocks around it are those of every message. left: a
    command before it ends the script, or the loop around it, for some."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.script, self.sure, self.left = tokens, 0, Script(), True, False

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def read(self) -> Script:
        self._commands(0, first=True)
        if self.next.sort != "end":
            raise NoScript(self.next.line, f"{self.next.value!r} closes nothing")
        return self.script

    def _take(self, value: str, after: str) -> None:
        if (self.next.sort, self.next.value) != ("sign", value):
            shown = self.next.value[:40] or "the end"
            raise NoScript(self.next.line, f"after {after} stands {shown!r}, and not {value!r}")
        self.at += 1

    def _is(self, value: str) -> bool:
        return self.next.sort == "sign" and self.next.value == value

    def _commands(self, depth: int, *, first: bool = False) -> None:
        before, reached = "", True
        while self.next.sort == "name":
            name, line = self.next.value, self.next.line
            if name == "require" and not first:
                raise NoScript(line, "require stands before everything else")
            if name in ("elsif", "else") and before not in ("if", "elsif"):
                raise NoScript(line, f"{name} has no if before it")
            first = first and name == "require"
            before = name
            reached = self._command(name, line, depth, reached or name == "if")

    def _command(self, name: str, line: int, depth: int, reached: bool) -> bool:
        """reached: no test before it in its if was, or may be, true. Whether that holds for the next one too."""
        self._known(COMMANDS, name, line, "command")
        self.at += 1
        strings, holds = self._arguments(name, depth, tests=name in ("if", "elsif"))
        self._noted(name, strings, line)
        if name not in BLOCKS:
            self._take(";", name)
            return True
        before = self.sure
        self._take("{", name)
        self.sure = before and reached and holds is not None and holds
        self._commands(depth + 1)
        self._take("}", f"the block of {name}")
        self.sure = before
        return reached and holds is False

    def _known(self, table: dict[str, str], name: str, line: int, what: str) -> None:
        if name not in table:
            raise NoScript(line, f"there is no {what} {name[:40]!r}")
        if (needed := table[name]) and needed not in self.script.needs:
            raise NoScript(line, f"{name} needs require {needed!r}")

    def _arguments(self, of: str, depth: int, *, tests: bool) -> tuple[list[list[str]], bool | None]:
        """The strings and lists of strings among them; and what its test always is, where that is certain."""
        if depth > DEEPEST:
            raise NoScript(self.next.line, f"more than {DEEPEST} stand within each other")
        found: list[list[str]] = []
        while self.next.sort in ("string", "tag", "number") or self._is("["):
            if self._is("["):
                found.append(self._list())
                continue
            if self.next.sort == "string":
                found.append([self.next.value])
            self.at += 1
        return found, self._test(depth + 1) if tests else True

    def _list(self) -> list[str]:
        found: list[str] = []
        while not found or self._is(","):
            self.at += 1
            if self.next.sort != "string":
                raise NoScript(self.next.line, "a list holds strings")
            found.append(self.next.value)
            self.at += 1
        self._take("]", "a list")
        return found

    def _test(self, depth: int) -> bool | None:
        """What it is for every message; None where that depends on it."""
        if self.next.sort != "name":
            raise NoScript(self.next.line, f"a test is missing before {self.next.value[:40] or 'the end'!r}")
        name, line = self.next.value, self.next.line
        self._known(TESTS, name, line, "test")
        self.at += 1
        if name in ("allof", "anyof"):
            return self._tests(name, depth)
        found, holds = self._arguments(name, depth, tests=name == "not")
        if name == "ihave":
            self.script.needs.update(one for each in found for one in each if one in EXTENSIONS)
        if name in ("true", "false"):
            return name == "true"
        return not holds if name == "not" and holds is not None else None

    def _tests(self, name: str, depth: int) -> bool | None:
        if depth > DEEPEST:
            raise NoScript(self.next.line, f"more than {DEEPEST} stand within each other")
        self._take("(", name)
        found = [self._test(depth + 1)]
        while self._is(","):
            self.at += 1
            found.append(self._test(depth + 1))
        self._take(")", f"the tests of {name}")
        settles = name == "anyof"  # one of these is enough
        return settles if settles in found else None if None in found else not settles

    def _noted(self, name: str, strings: list[list[str]], line: int) -> None:
        if name == "require":
            wanted = [one for each in strings for one in each]
            if unknown := [one for one in wanted if one not in EXTENSIONS]:
                why = f": {NOT_OFFERED[unknown[0]]}" if unknown[0] in NOT_OFFERED else ""
                raise NoScript(line, f"{unknown[0][:40]!r} is not offered here{why}")
            self.script.needs.update(wanted)
        elif name == "redirect":
            to = strings[-1][0] if strings else ""
            if not to:
                raise NoScript(line, "redirect says to where")
            worked_out = "${" in to and self.script.needs & {"variables", "encoded-character"}
            self.script.redirects.append("" if worked_out else to.strip().lower())
        elif name == "vacation":
            self.script.answers = True
        elif name in ("keep", "fileinto"):
            self.script.kept.append(self.left or not self.sure)
        elif name == "discard":
            self.script.thrown.append(self.left or not self.sure)
        self.left |= name in ("stop", "error", "break")
