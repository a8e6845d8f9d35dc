"""Words inside a line, as HTML: escaped, each state with its icon and words.

A long table holds a thousand of these, so they are put together here and not by templates.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from postroom.web.parts.shapes import Badge, Code, Inline, Link, State, Strong, Words

ICONS = files("postroom.web.parts") / "icons.svg"
"""The subset of Tabler's outline icons that pages use, as symbols named like the icon."""

LOOK: dict[State, tuple[str, str]] = {
    "good": ("tk", "check"),
    "warn": ("pb pb-warn", "alert-triangle"),
    "bad": ("pb pb-bad", "x"),
    "fact": ("pb pb-na", "minus"),
    "waits": ("wt", "clock-pause"),
    "unmeasured": ("un", "minus"),
    "unknown": ("un", "question-mark"),
    "blocks": ("wd-bad", "question-mark"),
}
"""A state's class and its icon, where a badge names no other."""


@cache
def drawings() -> dict[str, str]:
    """What is drawn, by icon name."""
    found = re.findall(r'<symbol id="([a-z0-9-]+)"[^>]*>(.*?)</symbol>', ICONS.read_text(encoding="utf-8"), re.S)
    return dict(found)


@cache
def icon(name: str) -> SafeString:
    """An icon from the packaged subset; KeyError names one that is not in it. Words always stand beside it."""
    drawn = drawings()[name]
    return mark_safe(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{drawn}</svg>')


def words(said: Words | None) -> SafeString:
    """A line's words: a piece, or pieces set apart by one space, none before a comma or full stop."""
    if said is None:
        return mark_safe("")
    pieces = [one for one in (said if isinstance(said, tuple) else (said,)) if one != ""]
    return mark_safe("".join(gap(one) + piece(one) for one in pieces).removeprefix(" "))


def gap(one: Inline) -> str:
    return "" if isinstance(one, str) and one[0] in ",.;:?)" else " "


def piece(one: Inline) -> SafeString:
    match one:
        case Badge():
            return badge(one)
        case Code(text):
            return format_html("<code>{}</code>", text)
        case Strong(text):
            return format_html("<b>{}</b>", text)
        case Link(said, url, strong, of):
            about = format_html('<span class="visually-hidden">: {}</span>', of) if of else ""
            css = mark_safe(' class="name"') if strong else ""
            return format_html('<a href="{}"{}>{}{}</a>', url, css, said, about)
    return escape(one)


def badge(shown: Badge) -> SafeString:
    """A state: the icon and the words, the words for screen readers alone where the badge says so."""
    look, usual = LOOK[shown.state]
    hidden = mark_safe(' class="visually-hidden"') if shown.hidden else ""
    return format_html(
        '<span class="{}">{}<span{}>{}</span></span>', look, icon(shown.icon or usual), hidden, shown.words
    )
