"""The pages about changes: the timeline, one change, approvals, the form, its plan, what can be done.

The same rules as in `pages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.forms import Confirm, Filters, Form, Pager
from postroom.web.parts.pages import Page
from postroom.web.parts.shapes import (
    Act,
    Delivery,
    Empty,
    Fact,
    Item,
    Line,
    ObjectDiff,
    Progress,
    StageStep,
    Table,
    Verdict,
    Words,
)


@dataclass(frozen=True, kw_only=True)
class ChangesPage(Page):
    """changes.html"""

    nav: ClassVar[str] = "changes"
    filters: Filters
    lines: tuple[Line, ...] = ()
    pager: Pager | None = None
    empty: Empty | None = None


@dataclass(frozen=True)
class Decision:
    """The approver's panel. The form carries `plan_hash`; who may not decide reads why in `cannot`."""

    what: tuple[Words, ...]
    plan_hash: str
    approve_url: str
    withdraw_url: str = ""
    approve_words: str = "Approve exactly this"
    cannot: str = ""


@dataclass(frozen=True)
class Undo:
    """What an undo brings back, what it cannot, who may do it alone and until when."""

    back: tuple[Words, ...]
    stays: tuple[Words, ...] = ()
    who: str = ""
    act: Act | None = None


@dataclass(frozen=True, kw_only=True)
class ChangePage(Page):
    """change.html. `done`: it happened, and its deliveries come first."""

    nav: ClassVar[str] = "changes"
    done: bool
    stages: tuple[StageStep, ...]
    objects: tuple[ObjectDiff, ...]
    objects_title: str = "What will be different"
    objects_sub: str = ""
    left_out: tuple[Item, ...] = ()
    landing: Table | None = None
    not_touched: tuple[Words, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    deliveries_sub: str = ""
    incomplete: tuple[Item, ...] = ()
    progress: Progress | None = None
    decision: Decision | None = None
    verdicts: tuple[Verdict, ...] = ()
    approvers: tuple[Item, ...] = ()
    approvers_sub: str = ""
    asked: tuple[Fact, ...] = ()
    plan: tuple[Fact, ...] = ()
    plan_hash: str = ""
    undo: Undo | None = None
    happened: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A held change in the queue. It is never approved from here."""

    title: str
    url: str
    sub: str
    why: str
    objects: tuple[ObjectDiff, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class ApprovalsPage(Page):
    """approvals.html. elsewhere: what waits for others to decide."""

    nav: ClassVar[str] = "approvals"
    waiting: tuple[Waiting, ...] = ()
    elsewhere: Table | None = None
    empty: Empty | None = None
    reviews: Table | None = None
    clock: Table | None = None
    yours: Table | None = None
    decided: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FormPage(Page):
    """form.html: a kind's parameters, why, ticket. Submit says *Show the plan*."""

    form: Form
    about: Words = ""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanPage(Page):
    """plan.html: the plan before it is sent. `form` carries the parameters and the plan hash, hidden."""

    objects: tuple[ObjectDiff, ...]
    objects_sub: str = ""
    left_out: tuple[Item, ...] = ()
    landing: Table | None = None
    not_touched: tuple[Words, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    facts: tuple[Fact, ...] = ()
    what: tuple[Words, ...] = ()
    form: Form | None = None
    """None where the plan is refused: there is nothing to send."""
    back: Act | None = None


@dataclass(frozen=True, kw_only=True)
class ConfirmPage(Page):
    """confirm.html"""

    confirm: Confirm


@dataclass(frozen=True)
class KindItem:
    """A thing that can be done: in words, the kind's docstring, its name."""

    words: str
    url: str
    sub: str = ""
    name: str = ""


@dataclass(frozen=True)
class KindGroup:
    noun: str
    icon: str
    kinds: tuple[KindItem, ...]


@dataclass(frozen=True, kw_only=True)
class KindsPage(Page):
    """kinds.html"""

    groups: tuple[KindGroup, ...]
