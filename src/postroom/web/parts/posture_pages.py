"""What the pages of DNS posture hold: many domains by area, and one with every result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.pages import ListPage, Page
from postroom.web.parts.shapes import Badge, Fact, Item, Table


@dataclass(frozen=True, kw_only=True)
class PosturesPage(ListPage):
    """list.html"""

    nav: ClassVar[str] = "posture"


@dataclass(frozen=True, kw_only=True)
class PosturePage(Page):
    """posture.html. unknown: why there are no results; mend: what is not as it should be, rest: all that is."""

    nav: ClassVar[str] = "posture"
    unknown: Badge | None = None
    mend: Table | None = None
    rest: Table | None = None
    score: tuple[Fact, ...] = ()
    lost: tuple[Item, ...] = ()
    facts: tuple[Fact, ...] = ()
