"""What each page holds: one frozen dataclass a page template, handed to it as `page`.

`nav` says which entry of the menu is marked. A part that is None or empty is left out by the template, so a view
that could not read something says so with a note or a Badge, never by leaving it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from postroom.web.parts.forms import Filters, Form, Pager
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Empty,
    Fact,
    FieldDiff,
    Item,
    Line,
    Link,
    Note,
    PageHead,
    Table,
    Words,
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page opens with."""

    nav: ClassVar[str] = ""
    head: PageHead
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Check:
    """One question of posture and its answer."""

    name: str
    state: Badge
    sub: Words = ""
    act: Act | None = None


@dataclass(frozen=True)
class Count:
    """A check over all domains. `unmeasured` is its own part of the bar, never counted as good."""

    check: str
    good: int
    warn: int
    bad: int
    unmeasured: int = 0


@dataclass(frozen=True)
class Layer:
    """One of the three layers of ownership."""

    title: str
    name: str
    sub: str = ""
    initials: str = ""
    may: tuple[str, ...] = ()
    may_not: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A line of a question's card: what, how many, how it is."""

    words: str
    value: str
    badge: Badge


@dataclass(frozen=True)
class Question:
    """One of the three questions. `foot` is the last line; without a measurement it says so."""

    answer: Words
    badge: Badge | None = None
    rows: tuple[Measure, ...] = ()
    counts: tuple[Count, ...] = ()
    foot: Fact | None = None
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OverviewPage(Page):
    """overview.html"""

    nav: ClassVar[str] = "overview"
    up: Question
    authentication: Question
    changed: Question
    clients: Table | None = None
    clients_foot: tuple[str, Link] | None = None
    recent: tuple[Line, ...] = ()
    changes_url: str = ""
    findings: tuple[Item, ...] = ()
    reviews: tuple[Item, ...] = ()
    waiting: tuple[Item, ...] = ()
    empty: Empty | None = None


@dataclass(frozen=True, kw_only=True)
class ListPage(Page):
    """clients.html, domains.html, mailboxes.html, people.html, nodes.html, findings.html: narrow, list, go on."""

    label: str
    table: Table
    filters: Filters | None = None
    pager: Pager | None = None
    empty: Empty | None = None


class ClientsPage(ListPage):
    nav = "clients"


@dataclass(frozen=True, kw_only=True)
class SheetPage(ListPage):
    """sheet.html. `parts`: ways to the parts of the sheet, the one that is shown strong; `facts`: how much is known."""

    nav: ClassVar[str] = "clients"
    parts: tuple[Link, ...] = ()
    facts: tuple[Fact, ...] = ()
    export: Form | None = None


class DomainsPage(ListPage):
    nav = "domains"


class MailboxesPage(ListPage):
    nav = "mailboxes"


class MailAppsPage(ListPage):
    """mail_apps.html: those that may ask owners to be let in."""

    nav = "mailboxes"


class MailboxSignIns(ListPage):
    """sign_ins.html: those of one mailbox."""

    nav = "mailboxes"


class PeoplePage(ListPage):
    nav = "people"


@dataclass(frozen=True, kw_only=True)
class AccessPage(ListPage):
    """access.html. `others`: of the organization's people, what a client sees of them."""

    nav: ClassVar[str] = "access"
    others: Table | None = None
    tokens: Table | None = None


class AccessReviewsPage(ListPage):
    """rounds.html, round.html: access reviews, and the lines of one."""

    nav = "access"


class RostersPage(ListPage):
    """rounds.html, round.html: rosters, and the lines of one."""

    nav = "people"


class RolesPage(ListPage):
    nav = "people"


class NodesPage(ListPage):
    nav = "nodes"


class FindingsPage(ListPage):
    nav = "findings"


class InvitesPage(ListPage):
    """invites.html. `copied`: the link just made, the one time it is shown, and until when it lives."""

    nav = "mailboxes"


@dataclass(frozen=True, kw_only=True)
class ClientPage(Page):
    """client.html. `closed`: to whoever looks; then nothing else of it is shown."""

    nav: ClassVar[str] = "clients"
    domains: Table | None = None
    waiting: Table | None = None
    recent: tuple[Line, ...] = ()
    changes_url: str = ""
    people: tuple[Item, ...] = ()
    people_url: str = ""
    people_acts: tuple[Act, ...] = ()
    facts: tuple[Fact, ...] = ()
    empty: Empty | None = None
    closed: Empty | None = None


@dataclass(frozen=True, kw_only=True)
class DomainPage(Page):
    """domain.html. `proof` is apart from authentication: what is read, where, and what is asked of the holder."""

    nav: ClassVar[str] = "domains"
    checks: tuple[Check, ...] = ()
    checks_sub: str = ""
    proof: tuple[Item, ...] = ()
    records: Table | None = None
    records_sub: str = ""
    by_hand: tuple[str, ...] = ()  # lines of a zone file, to copy
    by_hand_why: str = ""
    landing: Table | None = None
    keys: Table | None = None
    recent: tuple[Line, ...] = ()
    changes_url: str = ""
    holders: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MailboxPage(Page):
    """mailbox.html"""

    nav: ClassVar[str] = "mailboxes"
    layers: tuple[Layer, ...] = ()
    resets: tuple[Item, ...] = ()
    reset_acts: tuple[Act, ...] = ()
    credentials: Table | None = None
    sessions: Table | None = None
    sessions_note: Words = ""
    sessions_acts: tuple[Act, ...] = ()
    sign_ins: Table | None = None
    sign_ins_url: str = ""
    facts: tuple[Fact, ...] = ()
    routes: tuple[Item, ...] = ()
    access: tuple[Item, ...] = ()
    access_acts: tuple[Act, ...] = ()
    recent: tuple[Line, ...] = ()
    changes_url: str = ""


@dataclass(frozen=True, kw_only=True)
class FindingPage(Page):
    """finding.html. `diff`: before and after of the evidence; `seen`: the rest of it."""

    nav: ClassVar[str] = "findings"
    diff: tuple[FieldDiff, ...] = ()
    seen: tuple[Fact, ...] = ()
    suggestion: tuple[Item, ...] = ()
    decisions: tuple[Item, ...] = ()
    before: tuple[Item, ...] = ()
    facts: tuple[Fact, ...] = ()
    told: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PersonPage(Page):
    """person.html"""

    nav: ClassVar[str] = "people"
    grants: Table | None = None
    tokens: Table | None = None
    sessions: Table | None = None
    sessions_note: str = ""
    sessions_acts: tuple[Act, ...] = ()
    mailboxes: Table | None = None
    sign_in: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()
    recent: tuple[Line, ...] = ()
    changes_url: str = ""
