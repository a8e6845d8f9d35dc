"""Before and after of a value, with the part that changed set bold. Text only; the marks are in the template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from postroom.web.parts.shapes import FieldDiff

PIECES = re.compile(r"\n|\s+|[^\s@.,;:=/]+|[@.,;:=/]")
MOST = 400
"""Pieces a side, above which all of it counts as changed: the comparison is quadratic."""
ALIKE = 0.3
"""Below this share of equal pieces, marking single words would only confuse."""


@dataclass(frozen=True)
class Span:
    """Text that is the same on both sides, or not."""

    text: str
    changed: bool


def both(field: FieldDiff) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The spans before and after; a side that holds nothing has none."""
    before, after = field.before, field.after
    if not before or not after:
        return whole(before), whole(after)
    old, new = PIECES.findall(before), PIECES.findall(after)
    if max(len(old), len(new)) > MOST:
        return whole(before), whole(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return whole(before), whole(after)
    blocks = matcher.get_opcodes()
    return (
        joined((tag != "equal", "".join(old[start:end])) for tag, start, end, _, _ in blocks),
        joined((tag != "equal", "".join(new[start:end])) for tag, _, _, start, end in blocks),
    )


def whole(text: str | None) -> tuple[Span, ...]:
    return (Span(text, True),) if text else ()


def joined(spans: Iterable[tuple[bool, str]]) -> tuple[Span, ...]:
    return tuple(Span(text, changed) for changed, text in spans if text)
