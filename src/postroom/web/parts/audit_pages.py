"""The pages of the record: its entries, and one of them with its proof. The same rules as in `pages`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.forms import Form
from postroom.web.parts.pages import ListPage, Page
from postroom.web.parts.shapes import Fact, ObjectDiff, Words


@dataclass(frozen=True, kw_only=True)
class EntriesPage(ListPage):
    """audit.html. `signed`: how far the log is; `compare`, `export`: its two forms."""

    nav: ClassVar[str] = "entries"
    signed: tuple[Fact, ...] = ()
    compare: Form | None = None
    export: Form | None = None


@dataclass(frozen=True)
class Copied:
    """Something to copy, as it is: `id` of its field, its name, its text."""

    id: str
    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class EntryPage(Page):
    """entry.html: what one entry holds, where it stands in the log, and what proves it."""

    nav: ClassVar[str] = "entries"
    objects: tuple[ObjectDiff, ...] = ()
    objects_sub: str = ""
    facts: tuple[Fact, ...] = ()
    told: tuple[Fact, ...] = ()
    place: tuple[Fact, ...] = ()
    copies: tuple[Copied, ...] = ()
    how: tuple[Words, ...] = ()
