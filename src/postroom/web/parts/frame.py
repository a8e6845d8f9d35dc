"""What stands around every page: menu, scope, palette, who is signed in. One value, made once a request.

The context of every page holds `frame` (a `Frame`), `theme` (`light` or `dark`, from the person's setting) and
`demo` (true in a demo installation); `page` is the page's own shape and its `nav` marks the menu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from postroom.web.parts.shapes import Link

ENTRIES: tuple[tuple[str, str, str], ...] = (
    ("overview", "Overview", "layout-dashboard"),
    ("clients", "Clients", "building"),
    ("domains", "Domains", "world"),
    ("posture", "DNS posture", "certificate"),
    ("mailboxes", "Mailboxes", "mailbox"),
    ("trace", "Where mail lands", "route"),
    ("forwards", "Forwards that leave", "mail-forward"),
    ("exceptions", "Exceptions", "hand-stop"),
    ("people", "People", "users"),
    ("access", "Access review", "shield-check"),
    ("changes", "Changes", "history"),
    ("approvals", "Approvals", "checklist"),
    ("findings", "Findings", "urgent"),
    ("nodes", "Nodes", "server-2"),
    ("entries", "Audit log", "file-certificate"),
)


@dataclass(frozen=True)
class NavItem:
    """An entry of the menu. `count` with what it counts: `2`, `waiting`."""

    key: str
    words: str
    icon: str
    url: str
    count: str = ""
    counted: str = ""


def nav(urls: Mapping[str, str], counts: Mapping[str, tuple[str, str]] | None = None) -> tuple[NavItem, ...]:
    """The menu: entries whose url the person may open, in the order of `ENTRIES`.

    `urls` and `counts` go by key; a count is (number, what it counts).
    """
    told = counts or {}
    return tuple(
        NavItem(key, words, icon, urls[key], *told.get(key, ("", ""))) for key, words, icon in ENTRIES if key in urls
    )


@dataclass(frozen=True)
class Frame:
    """Everything around a page. `scopes` are the clients to look at alone; empty: there is nothing to choose."""

    organization: str
    person: str
    role: str
    initials: str
    nav: tuple[NavItem, ...]
    palette_url: str
    theme_url: str
    sign_out_url: str
    account_url: str = ""
    home_url: str = "/"
    do_url: str = ""
    freeze_url: str = ""
    scope: str = "All clients"
    scopes: tuple[Link, ...] = ()
    polled: str = ""


@dataclass(frozen=True)
class Found:
    """One answer of the palette."""

    words: str
    url: str
    icon: str
    sub: str = ""


@dataclass(frozen=True)
class FoundGroup:
    words: str
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Palette:
    """The palette's answer: `palette.html` as a page (without script), `palette_options.html` as its fragment."""

    query: str
    groups: tuple[FoundGroup, ...] = ()
    searched: str = ""
    nav = ""
