"""Exceptions: all that lets mail of an address leave its client, over all clients, and what rests on each.

A transport is an exception by itself (decision 44), so it stands among them. One statement finds a page of both.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.access.acting import Actor, access_of, current
from postroom.access.scope import visible
from postroom.changes.errors import Problem
from postroom.models import Client, Forward, Organization, RouteException, SieveScript, Transport
from postroom.models.routes import server

from .made import Made, agreed, makers, said_of
from .objects import NOUNS, narrowed
from .page import Page

VIEW, FORWARDS = "exceptions.view", "forwards.view"
STATES = ("standing", "review", "soon", "ended")
SOON = timedelta(days=30)
SIZE, OWN = 25, 25
PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 [0-9a-f-]{36}")


@dataclass(frozen=True)
class Asked:
    """state: due for review, ending within 30 days, ended; empty: all that stand. search: in address and target."""

    client: str = ""
    state: str = ""
    search: str = ""
    after: str = ""


@dataclass(frozen=True)
class Let:
    """One exception. target: an address, or another server; row: it as it stands; over: it lets nothing out any more.

    due: its day to be looked at again has come. rests: forwards and filters that go by it, in words; None where they
    are not theirs to see. agreed: who asked and who approved; None likewise.
    """

    row: RouteException | Transport
    target: str
    over: bool
    due: bool
    agreed: Made | None
    rests: tuple[str, ...] | None

    @property
    def transport(self) -> bool:
        return isinstance(self.row, Transport)


def listed(actor: Actor, asked: Asked) -> Page[Let]:
    """What ends first comes first; of what has ended, what ended last. Twelve queries at most, however many."""
    now, ended = timezone.now(), asked.state == "ended"
    wanted = _wanted(asked, now)
    some = [
        narrowed(actor, NOUNS[noun], client=asked.client or None, search=asked.search or None)
        .filter(wanted).order_by().values_list("until", "id")
        for noun in ("exceptions", "transports")
    ]  # fmt: skip
    order = ("-until", "-id") if ended else ("until", "id")
    places = list(some[0].union(some[1], all=True).order_by(*order)[: SIZE + 1])
    rows = _rows(actor, [id for _, id in places[:SIZE]])
    more = len(places) > SIZE
    until, last = places[SIZE - 1] if more else (None, None)
    return Page(_let(actor, rows, now), f"{until.isoformat()} {last}" if until else None)


def in_state(state: str, now: datetime) -> Q:
    """Exceptions and transports of one of STATES; a Problem for what is none."""
    stands = Q(ended_at=None, until__gt=now)
    known = {
        "standing": stands, "review": stands & Q(review_on__lte=now.date()), "soon": stands & Q(until__lte=now + SOON),
        "ended": Q(ended_at__isnull=False) | Q(until__lte=now),
    }  # fmt: skip
    if state not in known:
        raise Problem("state", f"{state[:40]!r} is none of {', '.join(STATES)}")
    return known[state]


def _wanted(asked: Asked, now: datetime) -> Q:
    """A Problem for what narrows by nothing."""
    wanted = in_state(asked.state or STATES[0], now)
    if not asked.after:
        return wanted
    if not PLACE.fullmatch(asked.after):
        raise Problem("after", f"{asked.after[:40]!r} is not where a page of this list ended")
    try:
        until, last = datetime.fromisoformat(asked.after[:25]), UUID(asked.after[26:])
    except ValueError:
        raise Problem("after", f"{asked.after[:40]!r} is not where a page of this list ended") from None
    beyond = "lt" if asked.state == "ended" else "gt"
    return wanted & (Q(**{f"until__{beyond}": until}) | Q(**{"until": until, f"id__{beyond}": last}))


def _rows(actor: Actor, ids: Sequence[UUID]) -> list[RouteException | Transport]:
    """In this order, each with its address and client."""
    found: dict[UUID, RouteException | Transport] = {}
    models: tuple[type[RouteException | Transport], ...] = (RouteException, Transport)
    for model in models:
        rows: QuerySet[Any] = visible(actor, model)
        found |= {one.pk: one for one in rows.filter(pk__in=ids).select_related("address", "client")}
    return [found[id] for id in ids if id in found]


def _let(actor: Actor, rows: Sequence[RouteException | Transport], now: datetime) -> list[Let]:
    ids = {one.pk for one in rows}
    by = agreed(makers(ids), ids)
    resting = _resting(actor, [one for one in rows if isinstance(one, RouteException)])
    seen = access_of(actor).can_about
    return [
        Let(
            one, _target(one), over := one.ended_at is not None or one.until <= now,
            not over and one.review_on <= now.date(), by.get(one.pk),
            tuple(resting.get(one.pk, ())) if seen(FORWARDS, one.client_id, [one.address.domain_id]) else None,
        )
        for one in rows
    ]  # fmt: skip


def _target(one: RouteException | Transport) -> str:
    return server(one.host, one.port) if isinstance(one, Transport) else one.target


def _resting(actor: Actor, rows: Sequence[RouteException]) -> dict[UUID, list[str]]:
    """What goes by each: forwards that were not ended, and what active filters pass on, as their nodes read them."""
    by = {(one.address_id, one.target): one.pk for one in rows}
    addresses, targets = {address for address, _ in by}, {target for _, target in by}
    found: dict[UUID, list[str]] = {}
    forwards = visible(actor, Forward).filter(address__in=addresses, to__in=targets, removed_at=None).order_by("id")
    for one in forwards:
        if id := by.get((one.address_id, one.to)):
            found.setdefault(id, []).append("a forward, disabled" if one.disabled_at else "a forward")
    scripts = visible(actor, SieveScript).filter(active=True, mailbox__address__in=addresses)
    for name, address, redirects in scripts.values_list("name", "mailbox__address", "redirects"):
        for to in sorted({each["to"] for each in redirects}):
            if id := by.get((address, to)):
                found.setdefault(id, []).append(f"the filter “{name}”")
    return found


@dataclass(frozen=True)
class Patterns:
    """What is allowed and forbidden without an exception, or whatever exception there is. whose: the client's name and
    slug; empty for the organization's, which hold for every client."""

    name: str
    slug: str
    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]


def patterns(actor: Actor, client: str = "") -> tuple[Patterns, list[Patterns], bool]:
    """The organization's; of clients those with patterns of their own, or the one that is named; whether there are
    more. Two queries."""
    columns = ("forward_allowed", "forward_forbidden")
    ours: tuple[list[str], list[str]] = visible(actor, Organization).values_list(*columns).first() or ([], [])
    rows = visible(actor, Client).filter(removed_at=None).exclude(pk__in=current().closed)
    rows = rows.filter(slug=client) if client else rows.exclude(forward_allowed=[], forward_forbidden=[])
    found = [
        Patterns(name, slug, tuple(allowed), tuple(forbidden))
        for name, slug, allowed, forbidden in rows.order_by("slug").values_list("name", "slug", *columns)[: OWN + 1]
    ]
    return Patterns("", "", tuple(ours[0]), tuple(ours[1])), found[:OWN], len(found) > OWN


def with_agreed(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Exceptions as the API shows them, each with who asked for it, by which change, and who approved it."""
    ids = {UUID(str(one["id"])) for one in items}
    by = agreed(makers(ids), ids)
    return [{**one, **said_of(by.get(UUID(str(one["id"]))))} for one in items]
