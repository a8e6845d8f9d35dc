"""Telephone numbers as people type them, kept in one form: + and digits (ITU-T E.164). Asks no directory."""

import re

SHORTEST, LONGEST = 7, 15  # digits, the country's included (E.164, 6.2.1)
_BETWEEN = re.compile(r"[\s().\-/\u00a0]")


class BadNumber(ValueError):
    """Not a number we can keep; the message says what would be right."""


def number(text: str) -> str:
    """`+1 (555) 010-4477` → `+15550104477`. Raises BadNumber for one without its country, or that is none."""
    digits = _BETWEEN.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+"):
        raise BadNumber("begin it with + and the country, like +44 20 7946 0123")
    if not digits[1:].isascii() or not digits[1:].isdigit() or digits[1] == "0":
        raise BadNumber("a number is + and digits, like +44 20 7946 0123")
    if not SHORTEST <= len(digits) - 1 <= LONGEST:
        raise BadNumber(f"{len(digits) - 1} digits; a number has {SHORTEST} to {LONGEST}, its country's included")
    return digits


def masked(value: str) -> str:
    """An address or number as it is told to who may know that it is there, and not which: `m…@home.example`, `…23`."""
    local, at, domain = value.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"…{value[-2:]}"
