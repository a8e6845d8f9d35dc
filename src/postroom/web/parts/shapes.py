"""The parts of a page, as frozen dataclasses: what a view fills and a template shows.

They carry finished words, times (`24 Nov 09:12`) and units; templates escape them all. Tuples are shared and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State = Literal["good", "warn", "bad", "fact", "waits", "unmeasured", "unknown", "blocks"]
Weight = Literal["plain", "primary", "asks", "danger", "ghost"]


@dataclass(frozen=True)
class Badge:
    """A state in words and an icon. `hidden`: a tick in a dense table whose words only a screen reader needs."""

    state: State
    words: str
    icon: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Code:
    """A name as machines write it: an address, a record, a host."""

    text: str


@dataclass(frozen=True)
class Strong:
    """The words that matter in a line."""

    text: str


@dataclass(frozen=True)
class Link:
    """A way to another page. `strong` is the name in a table's first column; `of` as of an act."""

    words: str
    url: str
    strong: bool = False
    of: str = ""


Inline: TypeAlias = str | Badge | Code | Strong | Link
Words: TypeAlias = Inline | tuple[Inline, ...]
"""What stands in a line. Pieces are one space apart (none before a comma or full stop); empty ones are left out."""


@dataclass(frozen=True)
class Crumb:
    """One step of the way here."""

    words: str
    url: str


@dataclass(frozen=True)
class Act:
    """A button. `of` names the object for a screen reader where the row or card says it to the eye.

    `method="post"` makes it a small form of its own with `hidden` fields (and the CSRF token).
    """

    words: str
    url: str
    icon: str = ""
    weight: Weight = "plain"
    of: str = ""
    method: Literal["get", "post"] = "get"
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PageHead:
    """How a page opens: at most three acts, one of them primary."""

    title: str
    sub: Words = ""
    crumbs: tuple[Crumb, ...] = ()
    badges: tuple[Badge, ...] = ()
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Note:
    """The thing to know now. `alert` speaks at once (errors); others are told politely."""

    title: str
    words: Words = ""
    tone: Literal["plain", "warn", "bad", "frozen"] = "plain"
    icon: str = ""
    acts: tuple[Act, ...] = ()
    alert: bool = False
    lines: tuple[Words, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A term and what is so; `sub` says where from and when."""

    term: str
    words: Words
    sub: Words = ""


@dataclass(frozen=True)
class Item:
    """A line of a list in a card: a path, a person, a route, something left out."""

    title: Words
    sub: Words = ""
    tone: Literal["plain", "ok", "warn", "bad", "off"] = "plain"
    icon: str = ""
    initials: str = ""
    badge: Badge | None = None
    acts: tuple[Act, ...] = ()
    marked: bool = False


@dataclass(frozen=True)
class Column:
    """A column's heading. The act column is last and `hidden`; `num` sets numbers right.

    On a phone a row is a block of labelled lines; a long list says more: `under` the name without a label, at the
    `right` of it, or `gone`.
    """

    words: str
    num: bool = False
    hidden: bool = False
    phone: Literal["line", "under", "right", "gone"] = "line"

    @property
    def css(self) -> str:
        classes = ["num"] * self.num + [f"p-{self.phone}"] * (self.phone != "line")
        return " ".join(classes)


@dataclass(frozen=True)
class Cell:
    words: Words = ""
    sub: Words = ""
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Row:
    """`value` is what a checkbox sends in a table to choose from; `name`: what it is called. `id`: for links here."""

    cells: tuple[Cell | Words, ...]
    value: str = ""
    name: str = ""
    id: str = ""


@dataclass(frozen=True)
class BulkAct:
    """An act on the chosen rows: the button's name is `act`, its value `value`."""

    words: str
    value: str
    icon: str = ""
    weight: Weight = "plain"


@dataclass(frozen=True)
class Bulk:
    """Choosing rows: the form goes to `url` with `field` once a chosen row. The plan is shown before anything is."""

    url: str
    field: str
    acts: tuple[BulkAct, ...]
    noun: str = "rows"


@dataclass(frozen=True)
class Table:
    """A table named `label`. Eight columns are the most; `dense` for long lists."""

    label: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    bulk: Bulk | None = None
    dense: bool = False
    high: bool = False
    """Cells set at the top, for rows of several lines."""


@dataclass(frozen=True)
class FieldDiff:
    """One field before and after, in plain words; several values stand one a line. None: nothing there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ObjectDiff:
    """One object of a plan: what it is, its name, what becomes different. `what` sums up, at the right."""

    noun: str
    label: str
    fields: tuple[FieldDiff, ...]
    icon: str = "point"
    what: str = ""
    url: str = ""
    read: str = ""
    """When the state before was read, if that is worth saying: `read 09:23`."""


@dataclass(frozen=True)
class Line:
    """One line of a timeline, newest first. No known actor is said in `by`, red."""

    what: Words
    when: str
    by: Words = ""
    tone: Literal["ok", "warn", "bad"] = "ok"
    icon: str = "history"
    iso: str = ""
    diff: tuple[FieldDiff, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class StageStep:
    """One stage of a change. A stop (refused, withdrawn, stale) is `now` with tone `bad`."""

    words: str
    sub: str = ""
    at: Literal["done", "now", "next"] = "next"
    icon: str = ""
    tone: Literal["", "bad"] = ""


@dataclass(frozen=True)
class Verdict:
    says: Literal["allow", "hold", "refuse"]
    words: str
    policy: str = ""


@dataclass(frozen=True)
class Evidence:
    """What was asked, what came back, who answered, when. Never just "ok"."""

    asked: str = ""
    answer: str = ""
    server: str = ""
    when: str = ""
    words: str = ""


@dataclass(frozen=True)
class Delivery:
    """One target of a change: what it gets, how far it is, what it answered."""

    target: Words
    what: str
    state: Badge
    sent: str = ""
    when: str = ""
    evidence: tuple[Evidence, ...] = ()
    rest: tuple[Evidence, ...] = ()  # further answers, behind a click
    more: str = ""
    """What is left and the next try, or how many answers are not shown."""


@dataclass(frozen=True)
class Empty:
    title: str
    words: str
    icon: str = "point"
    acts: tuple[Act, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Progress:
    """Long work: done of all, the next try; `url` answers with this part again until it is done."""

    words: str
    done: int
    total: int
    sub: str = ""
    url: str = ""


@dataclass(frozen=True)
class Loading:
    """A part that takes long: what is asked, how much has answered, the limit. `url` answers with the part."""

    words: str
    url: str = ""
