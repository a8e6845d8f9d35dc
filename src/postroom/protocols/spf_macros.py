"""Macros of SPF, `%{ir}.%{v}._spf.%{d2}`: read, expanded, and made a name to ask (RFC 7208, 7).

What cannot be asked is nobody's name: an empty label, one over 63 octets (4.3, 4.8 leaves it open), anything but
ASCII (RFC 8616, 4: `%{l}` and `%{s}` of such a sender match nothing).
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

MAX_NAME, MAX_LABEL = 253, 63
EVERYWHERE = frozenset("slodiphv")
IN_EXPLANATIONS = EVERYWHERE | set("crt")  # 7.2: only in the text that exp= leads to

_PIECE = re.compile(
    r"(?P<literal>[\x21-\x24\x26-\x7e]+)|%(?P<sign>[%_-])"
    r"|%\{(?P<letter>[a-z])0*(?P<keep>[0-9]*)(?P<reverse>r?)(?P<delimiters>[-.+,/_=]*)\}",
    re.IGNORECASE | re.ASCII,
)
_SIGNS = {"%": "%", "_": " ", "-": "%20"}
_ALNUM = re.compile(r"[a-z0-9]+", re.IGNORECASE | re.ASCII)
_WITH_DASH = re.compile(r"[a-z0-9]+-[a-z0-9-]*", re.IGNORECASE | re.ASCII)


class BadMacro(ValueError):
    """Not the grammar of 7.1; receivers answer permerror, or give no explanation."""


class Macro(NamedTuple):
    """`%{d2r-}`: keep: that many parts from the right, 0 for all. escaped: it stood in capitals (7.3)."""

    letter: str
    keep: int
    reverse: bool
    delimiters: str
    escaped: bool


Parts = tuple[str | Macro, ...]
Value = Callable[[str], str]  # what a letter stands for, of this sender


def macro_string(text: str, letters: frozenset[str] = EVERYWHERE) -> Parts:
    """Text with macros. Raises BadMacro."""
    return _read(text, letters)[0]


def explain_string(text: str) -> Parts:
    """What `exp=` leads to: spaces are allowed, and three letters more. Raises BadMacro."""
    words = [macro_string(word, IN_EXPLANATIONS) for word in text.split(" ")]
    return tuple(part for word in words for part in (" ", *word))[1:]


def domain_spec(text: str) -> Parts:
    """A name with macros; it ends in a macro or in a dot and a top label that is not all digits. Raises BadMacro."""
    parts, last = _read(text, EVERYWHERE)
    if last and not _ends_in_a_top_label(last):
        raise BadMacro("it is no domain name with at least two labels")
    if not parts:
        raise BadMacro("it is empty")
    return parts


def expand(parts: Parts, value: Value) -> str:
    """The text, of this sender."""
    return "".join(part if isinstance(part, str) else _expanded(part, value(part.letter)) for part in parts)


def letters(parts: Parts) -> set[str]:
    """Which macros the text needs."""
    return {part.letter for part in parts if isinstance(part, Macro)}


def as_name(text: str) -> str:
    """A name to ask, as the store calls it; what is too long loses labels on its left (7.3). Empty: it cannot be."""
    name = text.removesuffix(".").lower()
    if len(name) > MAX_NAME:
        name = name[name.find(".", len(name) - MAX_NAME - 1) + 1 :]
    whole = name.isascii() and all(0 < len(label) <= MAX_LABEL for label in name.split("."))
    return name if whole and len(name) <= MAX_NAME else ""


def _read(text: str, letters: frozenset[str]) -> tuple[Parts, str]:
    """The parts, and the literal that stands last: empty when a macro does."""
    parts: list[str | Macro] = []
    place, last = 0, ""
    while place < len(text):
        found = _PIECE.match(text, place)
        if not found:
            raise BadMacro("it holds a character or a macro that must not stand there")
        last = found["literal"] or ""
        parts.append(last or _SIGNS.get(found["sign"] or "") or _macro(found, letters))
        place = found.end()
    return tuple(parts), last


def _macro(found: re.Match[str], letters: frozenset[str]) -> Macro:
    letter = found["letter"].lower()
    if letter not in letters:
        raise BadMacro(f"%{{{letter}}} must not stand there")
    if not found["keep"] and "0" in found[0]:
        raise BadMacro("to keep no part of a macro is not allowed")
    keep = int(found["keep"][:9] or 0)  # no text here has more parts
    return Macro(letter, keep, bool(found["reverse"]), found["delimiters"] or ".", found["letter"].isupper())


def _expanded(macro: Macro, value: str) -> str:
    parts = re.split(f"[{re.escape(macro.delimiters)}]", value)
    if macro.reverse:
        parts.reverse()
    text = ".".join(parts[-macro.keep :])
    return quote(text, safe="", errors="replace") if macro.escaped else text


def _ends_in_a_top_label(literal: str) -> bool:
    _, dot, label = literal.removesuffix(".").rpartition(".")
    if _ALNUM.fullmatch(label):
        return bool(dot) and not label.isdigit()
    return bool(dot and _WITH_DASH.fullmatch(label)) and label[-1] != "-"
