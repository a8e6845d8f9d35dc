"""Every way by which mail leaves a client, worst first; who made each; flow F8.

One statement finds a page of them (sql/leaving.sql), over all clients the actor may see; when mail last went by each is
as the node that serves it read its logs (models/left.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.known import ask
from postroom.access.scope import visible
from postroom.changes.errors import Problem
from postroom.changes.state import not_there
from postroom.models import Client, Domain, RouteException, Transport
from postroom.models.base import made_at
from postroom.models.nodes import WORD_HOLDS
from postroom.protocols.patterns import PROVIDERS
from postroom.protocols.refs import short_ref

from .called import by_id_or
from .made import Made, agreed, makers, said_of
from .page import MOST, Page
from .searching import SHORTEST
from .way_acts import Exit, cannot

VIEW = "forwards.view"
MECHANISMS = ("forward", "alias", "catch-all", "domain alias", "sieve redirect", "sieve notify", "transport", "by way")
RISKS = ("high", "medium", "low")
PLACE = re.compile(r"[0-2] \S{1,400} \S{1,60} \S{1,60}")
KEPT = timedelta(days=365)  # of last hits
NOBODY = UUID(int=0)
EVER = datetime.fromtimestamp(0, UTC)
AT_ONCE = 500  # rows of a file that are read in one go


@dataclass(frozen=True)
class Asked:
    """What the list is narrowed by. mechanism: one of MECHANISMS, `by way` for those that lead over another address."""

    client: str = ""
    mechanism: str = ""
    risk: str = ""
    private: bool = False
    unexcepted: bool = False
    search: str = ""
    after: str = ""


@dataclass(frozen=True)
class Way:
    """One way out: mail to `address` goes to `target`, empty where that is worked out when mail comes.

    via: the next address on the way; leaves_at: the one whose rule leads outside; hops: steps before that one.
    off: disabled, or stopped at its node: nothing goes by it. keeps_copy: the address's own mailbox keeps one; None
    where it has none.
    script: the Sieve script, by its name. exception: by which it stands, its owner, its end, why, when somebody looks
    again, and (agreed) who asked for it and approved it. allowed, forbidden: the
    pattern that covers it. risk: one of RISKS. row: the rule it begins with; None for a script's. made: when, of a
    script's when it was first seen so. mailbox, leaves_box: those of address and leaves_at. last_hit: when mail last
    left by it; told_since, told_at: from when to when its node read all of its logs, None where they cannot say it.
    leaves_by: the mechanism of the rule at leaves_at. ways: how many end in that very rule, and are one leak with it.
    unsent: in its script it comes after one that its node refuses, which ends it.
    """

    place: str
    mechanism: str
    client: str
    client_name: str
    address: str
    via: str
    hops: int
    off: bool
    leaves_at: str
    target: str
    until: datetime | None
    disabled_at: datetime | None
    made: datetime | None
    conditional: bool
    keeps_copy: bool | None
    script: str
    private: bool
    exception: UUID | None
    exception_owner: str | None
    exception_until: datetime | None
    exception_reason: str | None
    exception_review_on: date | None
    forbidden: str | None
    allowed: str | None
    risk: str
    row: UUID | None
    mailbox: UUID | None
    leaves_box: UUID | None
    client_id: UUID
    domain_id: UUID
    last_hit: datetime | None
    told_since: datetime | None
    told_at: datetime | None
    leaves_by: str
    ways: int
    unsent: bool = False
    maker: Made | None = None
    agreed: Made | None = None

    @property
    def measured_since(self) -> datetime | None:
        """Without a last hit, none came since; None: not measured. The node must be there, and have looked since the
        way was made."""
        made = (self.maker.at if self.maker else None) or self.made or (made_at(self.row) if self.row else None)
        if (
            self.told_since is None
            or self.told_at is None
            or self.told_at < max(timezone.now() - WORD_HOLDS, made or EVER)
        ):
            return None
        return max(self.told_since, made or EVER, timezone.now() - KEPT)

    @property
    def exit(self) -> Exit:
        return Exit(self.leaves_at, self.target, self.leaves_by, str(self.leaves_box or ""), self.off)

    @property
    def by_script(self) -> bool:
        """A script itself sends it out: its node asks what is allowed each time (sql/nodes.sql, `allowed`)."""
        return self.mechanism.startswith("sieve") and not self.hops

    @property
    def stopped(self) -> bool:
        """A script's, that its node's port refuses since `disabled_at` because somebody said so (redirects.stop)."""
        return self.by_script and self.off

    @property
    def blocked(self) -> bool:
        """Ends in a script, by way of other rules or its own, to a target that is stopped, that nothing allows at its
        node, or that is forbidden, or after one that is: the mail stays in the mailbox."""
        lets = bool(self.exception or self.allowed) and not (self.forbidden or self.stopped)
        return self.leaves_by.startswith("sieve") and (self.unsent or (bool(self.target) and not lets))


def listed(actor: Actor, asked: Asked, *, limit: int = 25) -> Page[Way]:
    """Worst first: high, medium, low; then by address. Ten queries at most, however many there are."""
    size = max(1, min(limit, MOST))
    rows = _found(actor, asked, size + 1)
    some = rows[:size]
    let = {one.exception for one in some if one.exception and one.exception_until}
    known = makers({one.row for one in some if one.row} | let)
    by = agreed(known, let)
    ways = [replace(one, maker=known.get(one.row or NOBODY), agreed=by.get(one.exception or NOBODY)) for one in some]
    return Page(ways, rows[size - 1].place if len(rows) > size else None)


def every(actor: Actor, asked: Asked) -> Iterator[Way]:
    """All of them, a good many at a time."""
    after: str | None = ""
    while after is not None:
        found = listed(actor, replace(asked, after=after), limit=AT_ONCE)
        yield from found.items
        after = found.next


def seen_client(actor: Actor, ref: str) -> None:
    """NotThere for a client that is not seen: that nothing leaves it is not said of one that is not there."""
    if ref and not visible(actor, Client).filter(by_id_or("slug", short_ref(ref))).exists():
        raise not_there(Client, ref, "client")


def _found(actor: Actor, asked: Asked, limit: int) -> list[Way]:
    checked(asked)
    seen_client(actor, asked.client)
    seen, values = seen_domains(actor)
    rows = ask(_statement().replace("/*seen*/", seen), **named(asked, limit), **values)
    return _without_hidden(actor, [_way(row) for row in rows])


def _without_hidden(actor: Actor, ways: list[Way]) -> list[Way]:
    """Who answers for an exception, and until when, is for those who may see it."""
    ids = {one.exception for one in ways if one.exception}
    seen = (visible(actor, one).filter(pk__in=ids).values_list("pk", flat=True) for one in (RouteException, Transport))
    may = set(next(seen).union(*seen, all=True)) if ids else set()
    return [
        one if one.exception is None or one.exception in may
        else replace(one, exception_owner=None, exception_until=None, exception_reason=None, exception_review_on=None)
        for one in ways
    ]  # fmt: skip


def named(asked: Asked, limit: int) -> dict[str, Any]:
    """What the statement is sent with, by name."""
    return {
        "client": short_ref(asked.client), "mechanism": asked.mechanism, "search": asked.search.lower(),
        "after": asked.after, "risk": RISKS.index(asked.risk) if asked.risk else -1, "private": asked.private,
        "limit": limit, "unexcepted": asked.unexcepted, "now": timezone.now(), "providers": sorted(PROVIDERS),
    }  # fmt: skip


def checked(asked: Asked) -> None:
    """Refuse what narrows by nothing. Problem."""
    for where, value, values in (("mechanism", asked.mechanism, MECHANISMS), ("risk", asked.risk, RISKS)):
        if value and value not in values:
            raise Problem(where, f"{value[:40]!r} is none of {', '.join(values)}")
    if asked.search and len(asked.search) < SHORTEST:
        raise Problem("search", f"at least {SHORTEST} characters")
    if asked.after and not PLACE.fullmatch(asked.after):
        raise Problem("after", f"{asked.after[:40]!r} is not where a page of this list ended")


@cache
def _statement() -> str:
    return files("postroom").joinpath("sql/leaving.sql").read_text()


def seen_domains(actor: Actor) -> tuple[str, dict[str, Any]]:
    """The ids of the domains whose ways this actor may see, as a statement with named values."""
    try:
        sql, values = visible(actor, Domain, VIEW).order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::uuid WHERE false", {}
    numbers = count()
    return re.sub("%s", lambda _: f"%(seen{next(numbers)})s", sql), {f"seen{n}": one for n, one in enumerate(values)}


def _way(row: Sequence[Any]) -> Way:
    names = [name for name in Way.__dataclass_fields__ if name not in ("maker", "agreed")]
    return Way(**{**dict(zip(names, row, strict=True)), "risk": RISKS[row[names.index("risk")]]})


def shown(one: Way) -> dict[str, Any]:
    """A way as the API shows it. last_hit: null without measured_since, it is not measured; keeps_copy: null
    without a mailbox."""
    plain = {name: value for name, value in asdict(one).items() if name not in HIDDEN}
    said = {name: _plain(value) for name, value in plain.items()}
    exception = {
        "id": str(one.exception), "owner": one.exception_owner, "until": _plain(one.exception_until),
        "reason": one.exception_reason, "review_on": _plain(one.exception_review_on), **said_of(one.agreed),
    }  # fmt: skip
    made = one.maker and {"change": one.maker.change, "by": one.maker.by, "at": _plain(one.maker.at)}
    return {
        **said, "target": one.target or None, "blocked": one.blocked, "stopped": one.stopped,
        "exception": exception if one.exception else None, "made_by": made,
        "measured_since": _plain(one.measured_since), "cannot": cannot(one.exit),
    }  # fmt: skip


HIDDEN = frozenset(
    {
        "unsent",
        "place",
        "exception_owner",
        "exception_until",
        "exception_reason",
        "exception_review_on",
        "agreed",
        "client_id",
        "leaves_box",
        "domain_id",
        "maker",
        "told_since",
        "told_at",
    }
)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
