"""Rows of comma-separated values (RFC 4180) that a spreadsheet opens as what they say.

A cell that begins like a formula is text here: an apostrophe stands before it (OWASP, *CSV Injection*). What cannot be
printed, line ends included, is written as its escape, so that a row is one line.
"""

from collections.abc import Iterable

from .text import printable

START = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def row(cells: Iterable[str]) -> str:
    """One record, every cell quoted, ended by CR LF."""
    return ",".join(f'"{cell(one)}"' for one in cells) + "\r\n"


def cell(text: str) -> str:
    """What stands between the quotes."""
    shown = "".join(char if printable(char) else f"\\u{ord(char):04x}" for char in text)
    return ("'" if text.lstrip(" ").startswith(FORMULA) else "") + shown.replace('"', '""')
