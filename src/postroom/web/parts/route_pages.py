"""What the pages of routes hold: the map, forwards that leave, a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.forms import Form
from postroom.web.parts.pages import ListPage, Page
from postroom.web.parts.route_map import Drawing
from postroom.web.parts.shapes import Act, Badge, Item, Progress, Words


@dataclass(frozen=True, kw_only=True)
class RoutingPage(ListPage):
    """routing.html. `drawing`: where each box and line of the map is; each box leads to its row of the table."""

    nav: ClassVar[str] = "trace"
    drawing: Drawing | None = None


@dataclass(frozen=True, kw_only=True)
class LeavingPage(ListPage):
    """leaving.html. known: how many mailboxes were checked, and unchecked: why the others were not; views: those that
    the person saved, and the form that saves what is shown."""

    nav: ClassVar[str] = "forwards"
    known: Progress | None = None
    sure: Badge
    unchecked: tuple[Item, ...] = ()
    export: Form | None = None
    views: tuple[Item, ...] = ()
    save: Form


@dataclass(frozen=True, kw_only=True)
class ExceptionsPage(ListPage):
    """exceptions.html. policy: the patterns by which mail may leave without one, or not with one either."""

    nav: ClassVar[str] = "exceptions"
    policy: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class DestinationsPage(ListPage):
    """list.html"""

    nav: ClassVar[str] = "trace"


@dataclass(frozen=True, kw_only=True)
class ViewPage(Page):
    """leaving_view.html: another name for a saved view."""

    nav: ClassVar[str] = "forwards"
    form: Form


@dataclass(frozen=True, kw_only=True)
class LooksPage(Page):
    """leaving_looks.html: nodes that were asked to look. again: where it asks itself for how far they are; empty: it is
    over, and asks no more."""

    nav: ClassVar[str] = "forwards"
    looked: Progress
    sure: Badge
    nodes: tuple[Item, ...] = ()
    again: str = ""


@dataclass(frozen=True, kw_only=True)
class TracePage(Page):
    """trace.html. `hops`: the way, in its order; `ends`: where mail lands; `leads`: what else comes there.

    `proof`: what became of the newest probe; `proven`: place by place; `prove`: the button for another, if any.
    """

    nav: ClassVar[str] = "trace"
    form: Form
    at: str = ""
    traced: bool = False
    hops: tuple[Item, ...] = ()
    ends: tuple[Item, ...] = ()
    leads: tuple[Item, ...] = ()
    proof: Words = ""
    proven: tuple[Item, ...] = ()
    prove: Act | None = None
