"""Free text people type: one line or several, without what breaks a log, a header or a page.

Refuses line ends where there must be none, control characters (header and log injection), and the
bidirectional overrides that make a line read differently from what it says (CVE-2021-42574). It
does not escape: that is the work of whoever prints.
"""

import unicodedata

LINE = 200
TEXT = 4000

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAMES = {"\r": "a carriage return", "\n": "a line end", "\0": "a NUL", "\t": "a tab"}


class BadText(ValueError):
    """Text that holds a character it must not, or is too long."""


def plain_text(text: str, at_most: int = LINE) -> str:
    """One line in NFC, at most `at_most` characters, outer spaces taken off.

    Raises BadText naming the character and its place.
    """
    return _checked(text, at_most, allowed="")


def long_text(text: str, at_most: int = TEXT) -> str:
    r"""Several lines in NFC; the only control characters are \n and \t.

    Browsers send text areas with CR LF (HTML, "constructing the entry list"), which becomes \n; a
    CR of its own is refused.
    """
    return _checked(text.replace("\r\n", "\n"), at_most, allowed="\n\t")


def printable(char: str) -> bool:
    """True for a character that may stand in any text; controls, surrogates, overrides, noncharacters may not.

    Characters newer than this Python's Unicode are let through: what is text must not depend on the version.
    """
    code = ord(char)
    nothing = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return not nothing and unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} and char not in _BIDI


def named(char: str) -> str:
    """How a message names a character that cannot be shown."""
    return _NAMES.get(char) or f"the character U+{ord(char):04X}"


def shown(text: str, at_most: int = 60) -> str:
    """Text as a message may quote it: cut, with everything unprintable escaped."""
    cut = text if len(text) <= at_most else text[: at_most - 1] + "…"
    return "".join(
        char if printable(char) and unicodedata.category(char) != "Cf" else f"\\u{ord(char):04x}" for char in cut
    )


def _checked(text: str, at_most: int, allowed: str) -> str:
    for place, char in enumerate(text, start=1):
        if char not in allowed and not printable(char):
            raise BadText(f"{named(char)} at character {place} is not allowed here")
    whole = unicodedata.normalize("NFC", text).strip(" ")
    if len(whole) > at_most:
        raise BadText(f"{len(whole)} characters; at most {at_most} fit here")
    return whole
