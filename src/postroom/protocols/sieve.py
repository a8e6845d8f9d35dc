"""Where a Sieve script (RFC 5228) sends mail, from what Pigeonhole's `sieve-dump` prints of it once compiled.

Compiled, since a regular expression over the text finds neither what is worked out (RFC 5229) nor every branch. Each
line of the program must be one that is known here: what is not understood makes the script unreadable, and never one
that sends nothing. `notify` (RFC 5435) by mail is a forward under another name (RFC 5436). A string of more than 80
bytes is printed cut; it is looked up in the text, where that is certain, and its target is unknown otherwise. Why one
is unreadable is said in words of ours: a line of the program may quote the script.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote

VERSION = 5  # of what is read; raised when the same dump is read otherwise
REFUSES = "the compiler refuses it: "  # what stands of a script that is none; Dovecot runs none of it, and mail is kept
MOST = 200  # redirects that are listed of one script
SENT = 4  # to so many Dovecot sends one message (sieve_max_redirects); to pass it on to more ends a script: it stays
PROGRAM = "* Main program (block: "
HEAD = re.compile(r"\d+\):\n\nAddress   Line  Code\n")
MISSING = "* Extensions missing at compile "
# The address, the line of the text where that is another than before, and how deep it stands.
LINE = re.compile(r"([0-9a-f]{8}): (?: {0,3}\d+: | {6})( *)(\S.*)")
STRING = re.compile(r'STR\[(\d+)\] "(.*)')
TARGET = re.compile(r"\[([0-9a-f]{8})\]")
END = "[End of code]"

JUMPS = frozenset({"JMP", "JMPTRUE", "JMPFALSE"})
LEAVES = frozenset({"STOP", "ERROR"})
LOOPS = frozenset({"FOREVERYPART_BEGIN", "FOREVERYPART_END", "BREAK"})
TESTS = frozenset({
    "ADDRESS", "BODY", "CURRENTDATE", "DATE", "DUPLICATE", "ENVELOPE", "ENVIRONMENT", "EXISTS", "HASFLAG", "HEADER",
    "IHAVE", "MAILBOXEXISTS", "NOTIFY_METHOD_CAPABILITY", "SIZE-OVER", "SIZE-UNDER", "STRING-TEST",
    "VALID_NOTIFY_METHOD",
})  # fmt: skip
ACTIONS = frozenset({
    "ADDFLAG", "DISCARD", "EXTRACTTEXT", "FILEINTO", "KEEP", "NOTIFY", "REDIRECT", "REJECT", "REMOVEFLAG", "SET",
    "SETFLAG", "VACATION",
})  # fmt: skip
HEADINGS = ("DEBUG", "EXTENSIONS")
KNOWN = JUMPS | LEAVES | LOOPS | TESTS | ACTIONS | {*HEADINGS}
# What may stand below these two; anything else may be another way to name where mail goes.
COPY = "SIDE-EFFECT: copy"
OF_A_REDIRECT = (COPY, "address: ")
OF_A_NOTIFY = ("importance: ", "message: ", "from: ", "options: ", "method: ")
# A name of a folder that Dovecot opens in a Maildir, and the quote behind it: short, no dot, nothing that is a path.
FOLDER = "folder: "
OPENS = re.compile(r'(?!.{45})[^\x00-\x1f\x7f"./\\*%~?&]+(/[^\x00-\x1f\x7f"./\\*%?&]+)*"')
# Of a text: comments, quoted strings, and what begins a string of several lines (RFC 5228, 2.3 and 2.4.2).
TOKEN = re.compile(r'#[^\n]*|/\*.*?\*/|"((?:[^"\\]|\\.)*)"|\b(text):', re.DOTALL | re.IGNORECASE)


class _Unknown(ValueError):
    """Something in the output that is not known here."""


@dataclass(frozen=True)
class Redirect:
    """to: an address, its domain in lower case; empty where it is worked out when mail comes. copy: `:copy`, or a
    `keep` or a `fileinto` beside, so that the mail stays too (RFC 3894). conditional: not for every message, or one of
    more than are sent. by: the command. anyway: by then the message is filed, or answered, and so what comes after one
    that is refused is done too (kept.py). filed: some messages are filed beside, and stay."""

    to: str
    copy: bool
    conditional: bool
    by: Literal["redirect", "notify"]
    anyway: Literal["", "sometimes", "always"] = ""
    filed: bool = False


@dataclass(frozen=True)
class Reading:
    """What a script does, in any branch. discards: what it neither keeps nor files is thrown away, of every message or
    of some; whatever it passes on goes on all the same (RFC 5228, 4.4). unreadable: why that is not all, or nothing;
    empty where it is."""

    redirects: tuple[Redirect, ...] = ()
    vacation: bool = False
    discards: Literal["", "sometimes", "always"] = ""
    unreadable: str = ""


@dataclass(frozen=True)
class _Op:
    """One command of the compiled program: where it stands, what it says, and what stands right below it. What is
    deeper is of a string that is worked out, or of a list."""

    at: int
    name: str
    rest: str
    below: tuple[str, ...]
    deeper: tuple[str, ...]


def read(dump: str, text: str = "") -> Reading:
    """Of a whole dump. text: the script itself, for the strings that are printed cut."""
    try:
        ops = _ops(_program(dump))
        redirects = tuple(_redirects(ops, _literals(text)))
    except _Unknown as error:
        return Reading(unreadable=f"not understood: {error}")
    vacation, discards = any(op.name == "VACATION" for op in ops), _discards(list(_conditional(ops)))
    if _may_be_too_many(redirects):
        redirects = tuple(replace(one, conditional=True) for one in redirects)
        discards = discards and "sometimes"
    return Reading(redirects[:MOST], vacation, discards, _why(dump, redirects))


def _may_be_too_many(redirects: Sequence[Redirect]) -> bool:
    """To one address it sends once, however often it is named; where one is worked out, it may be another."""
    to = [one.to for one in redirects if one.by == "redirect"]
    return len(set(filter(None, to))) + to.count("") > SENT


def _why(dump: str, redirects: Sequence[Redirect]) -> str:
    # What it does where such an extension is there was left out when it was compiled (RFC 5463).
    if f"\n{MISSING}" in dump:
        return "it asks whether something is offered that is not known here (ihave)"
    return f"it has {len(redirects)} redirects, of which {MOST} are listed" if len(redirects) > MOST else ""


def _program(dump: str) -> list[str]:
    """The last part. What a script may write into an earlier one has other line ends (tried, ihave)."""
    _, found, program = dump.rpartition(f"\n{PROGRAM}")
    head = HEAD.match(program)
    if not found or head is None or "\r" in program:
        raise _Unknown("no program")
    return program[head.end() :].rstrip("\n").split("\n")


def _ops(lines: Sequence[str]) -> list[_Op]:
    found: list[tuple[int, str, list[tuple[int, str]]]] = []
    last = 0
    for line in lines:
        read = LINE.fullmatch(line)
        if read is None or int(read[1], 16) < last or (read[2] and not found):
            raise _Unknown("a line of the program that is not known here")
        last = int(read[1], 16)
        if read[2]:
            found[-1][2].append((len(read[2]), read[3]))
        else:
            found.append((last, read[3], []))
    if not found or found[-1][1:] != (END, []):
        raise _Unknown("it has no end")
    ops = [_op(at, said, below) for at, said, below in found[:-1]]
    if [op.name in HEADINGS for op in ops] != [n < len(HEADINGS) for n in range(max(len(ops), len(HEADINGS)))]:
        raise _Unknown("it has no beginning")
    return ops


def _op(at: int, said: str, lines: Sequence[tuple[int, str]]) -> _Op:
    name, _, rest = said.partition(" ")
    if name not in KNOWN:
        raise _Unknown("a command that is not known here")
    below = tuple(line for depth, line in lines if depth == 2)
    return _Op(at, name, rest, below, tuple(line for depth, line in lines if depth > 2))


def _redirects(ops: Sequence[_Op], literals: frozenset[str]) -> Iterator[Redirect]:
    if "encoded-character" in ops[1].below:  # its strings do not stand in the text as they are
        literals = frozenset()
    done = list(_conditional(ops))
    stays = any(op.name in ("KEEP", "FILEINTO") and not sometimes for op, sometimes in done)  # RFC 5228, 4.1 and 4.3
    stand = [sometimes for op, sometimes in done if op.name == "FILEINTO"]  # filed is first, wherever it stands
    filed = bool(stand)
    perhaps = any(op.name == "FILEINTO" and not _opens(op) for op in ops)  # where it fails, nothing else is done
    for op, conditional in done:
        if op.name == "VACATION":
            stand.append(conditional)
        elif op.name == "REDIRECT":
            address = _string(op, "address: ", OF_A_REDIRECT, literals)
            anyway: Literal["", "sometimes", "always"] = "" if not stand else "sometimes" if all(stand) else "always"
            to, copy, sometimes = _address(address), stays or COPY in op.below, conditional or perhaps
            yield Redirect(to, copy, sometimes, "redirect", anyway, not copy and filed)
        elif op.name == "NOTIFY":
            for to in _mailed_to(_string(op, "method: ", OF_A_NOTIFY, literals)):
                yield Redirect(to, True, conditional, "notify")


def _opens(op: _Op) -> bool:
    """Whether it files into a folder that is there, or can be made: that is certain of plain names only."""
    folders = [STRING.fullmatch(line.removeprefix(FOLDER)) for line in op.below if line.startswith(FOLDER)]
    return all(one is not None and OPENS.fullmatch(one[2]) for one in folders) and len(folders) == 1


def _discards(done: Sequence[tuple[_Op, bool]]) -> Literal["", "sometimes", "always"]:
    """Nothing where every message is kept, or filed, in so many words."""
    discards = [sometimes for op, sometimes in done if op.name == "DISCARD"]
    stays = [sometimes for op, sometimes in done if op.name in ("KEEP", "FILEINTO")]
    if not discards or not all(stays):
        return ""
    return "sometimes" if stays or all(discards) else "always"


def _conditional(ops: Sequence[_Op]) -> Iterator[tuple[_Op, bool]]:
    """Each, and whether it is not for every message: it stands between a jump and where that leads."""
    reach, left = 0, False
    for op in ops:
        yield op, left or op.at < reach
        reach, left = max(reach, _reach(op)), left or op.name in LEAVES


def _reach(op: _Op) -> int:
    if op.name not in JUMPS and op.name != "BREAK":
        return 0
    target = TARGET.search(" ".join((op.rest, *op.below)))
    if target is None:
        raise _Unknown(f"where {op.name} leads")
    return int(target[1], 16)


def _string(op: _Op, what: str, known: tuple[str, ...], literals: frozenset[str]) -> str:
    """What it says of this; empty where that is not certain."""
    values = [line.removeprefix(what) for line in op.below if line.startswith(what)]
    strange = [line for line in op.below if not line.startswith(known)]
    if strange or len(values) != 1:
        raise _Unknown(f"{op.name} with a value that is not known here")
    read = STRING.fullmatch(values[0])
    if read is None:
        return ""
    size, shown = int(read[1]), read[2]
    if shown.endswith('"') and _size(shown) == size + 1:
        return shown[:-1]
    meant = {one for one in literals if _size(one) == size and _printed(one).startswith(shown.removesuffix("..."))}
    return meant.pop() if shown.endswith("...") and len(meant) == 1 else ""


def _literals(text: str) -> frozenset[str]:
    """The quoted strings of a text; none where it has others, since what is looked for may be one of those."""
    found = set()
    for token in TOKEN.finditer(text):
        if token[2]:
            return frozenset()
        if token[1] is not None:
            found.add(re.sub(r"\\(.)", r"\1", token[1], flags=re.DOTALL))
    return frozenset(found)


def _printed(text: str) -> str:
    return "".join("?" if char < " " else char for char in text)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _address(text: str) -> str:
    """`Mia <mia@home.example>` and `mia@home.example` (RFC 5228, 2.4.2.3), in lower case; empty for what is neither."""
    inside = re.fullmatch(r".*<([^<>]*)>\s*", text)
    address = (inside[1] if inside else text).strip().lower()
    return address if re.fullmatch(r"[^@].*@[^@\s]+|[^@\s]+@[^@\s]+", address) else ""


def _mailed_to(uri: str) -> Iterator[str]:
    """The addresses of a `mailto:` (RFC 6068) that Pigeonhole writes to; of any other, and of one that is not known,
    one that is unknown. It leaves bcc out (tried)."""
    scheme, _, rest = uri.partition(":")
    to, _, fields = rest.partition("?")
    pairs = [field.partition("=") for field in fields.split("&")]
    lists = [to, *(value for name, _, value in pairs if name.lower() in ("to", "cc"))]
    named = [one for part in lists for one in unquote(part).split(",") if one.strip()]
    if scheme.lower() != "mailto" or not named:
        yield ""
        return
    yield from map(_address, named)
