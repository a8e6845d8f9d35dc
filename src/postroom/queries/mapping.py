"""Where mail of a client's addresses goes: every route there is, address by address, as the routing map draws it.

As many queries for a thousand routes as for three. A mailbox no rule says anything of lands in itself, and is not
listed. A script that could not be read is a route to nobody knows where; it is never left out.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import (
    Address,
    Alias,
    CatchAll,
    Client,
    Domain,
    Forward,
    Mailbox,
    RedirectStop,
    RouteException,
    SieveScript,
    Transport,
)
from postroom.models.routes import inside, patterns_at, server
from postroom.protocols.patterns import matches

from .page import Page

MOST = 300  # routes on one map
OK, WARN, BAD, UNKNOWN = "ok", "warn", "bad", "unknown"
ALIAS, FORWARD, CATCH_ALL, MIRROR, SIEVE = "alias", "forward", "catch-all", "domain alias", "sieve"
TRANSPORT = "transport"


@dataclass(frozen=True)
class Route:
    """One rule of one source: an address, or *@domain. targets: where it leads, none where nobody knows. keeps: its own
    mailbox has the mail as well. until: when it ends by itself. words: what is wrong, or to be known of it. id: of its
    row; of a script its mailbox's."""

    source: str
    sort: str
    id: UUID
    targets: tuple[str, ...]
    keeps: bool = False
    until: datetime | None = None
    state: str = OK
    words: str = ""


@dataclass(frozen=True)
class Landing:
    """An address that mail comes to: what it is (mailbox, shared mailbox, alias, nothing, outside), and how it is."""

    address: str
    what: str
    state: str = OK


@dataclass(frozen=True)
class Map:
    """A page of routes, by their sources; and every address they lead to."""

    routes: Page[Route]
    landings: dict[str, Landing]


@dataclass(frozen=True)
class Asked:
    """Whose routes: a client's, or of one domain of it; after a source; so many at most, as they are now."""

    actor: Actor
    client: Client
    now: datetime
    domain: Domain | None = None
    after: str = ""
    limit: int = MOST

    def of(self, rows: "QuerySet[Any]", path: str) -> "QuerySet[Any]":
        """What is asked for of these. path: of the address."""
        if self.domain is not None:
            rows = rows.filter(**{f"{path}__domain": self.domain})
        return rows.filter(**{f"{path}__address__gt": self.after}).order_by(f"{path}__address")[: self.limit + 1]


def mapped(asked: Asked) -> Map:
    """The routes that its actor may see."""
    actor, client, now = asked.actor, asked.client, asked.now
    found = [route for read in READS for route in read(asked)]
    shown = _cut(sorted(found, key=lambda one: (one.source, one.sort, one.targets)), asked.limit)
    own = inside(client.pk)
    judged = _judged(actor, shown.items, client, own, now)
    targets = {to for route in judged for to in route.targets} | {one.source for one in judged if one.keeps}
    return Map(Page(judged, shown.next), _landings(actor, client, targets, own, judged))


def _cut(routes: list[Route], limit: int) -> Page[Route]:
    """Whole sources: what one of them does is never cut in two, however much it is."""
    sources = sorted({one.source for one in routes})
    size = dict.fromkeys(sources, 0)
    for one in routes:
        size[one.source] += 1
    total, last = 0, ""
    for name in sources:
        if last and total + size[name] > limit:
            return Page([one for one in routes if one.source <= last], last)
        total, last = total + size[name], name
    return Page(routes, None)


def _aliases(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Alias).filter(address__client=asked.client, removed_at=None), "address")
    for pk, source, targets in rows.values_list("pk", "address__address", "targets"):
        yield Route(source, ALIAS, pk, tuple(targets))


def _forwards(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Forward).filter(address__client=asked.client, removed_at=None), "address")
    there = Exists(visible(asked.actor, Mailbox).filter(address=OuterRef("address"), removed_at=None))
    columns = ("pk", "address__address", "to", "until", "disabled_at", "address__keep_copy", "box")
    for pk, source, to, until, disabled, keeps, box in rows.annotate(box=there).values_list(*columns):
        off = "disabled" if disabled else "its time is over" if until <= asked.now else ""
        yield Route(source, FORWARD, pk, (to,), box and (keeps or bool(off)), until, WARN if off else OK, off)


def _catch_alls(asked: Asked) -> Iterator[Route]:
    rows = visible(asked.actor, CatchAll).filter(client=asked.client, removed_at=None)
    rows = rows if asked.domain is None else rows.filter(domain=asked.domain)
    for pk, name, target, until in rows.order_by("domain__name").values_list("pk", "domain__name", "target", "until"):
        if f"*@{name}" > asked.after:
            over = "its time is over" if until <= asked.now else "temporary"
            yield Route(f"*@{name}", CATCH_ALL, pk, (target,), False, until, WARN, over)


def _transports(asked: Asked) -> Iterator[Route]:
    rows = asked.of(visible(asked.actor, Transport).filter(address__client=asked.client, ended_at=None), "address")
    for pk, source, host, port, until in rows.values_list("pk", "address__address", "host", "port", "until"):
        over = until <= asked.now
        words = "its time is over" if over else "handed to another server"
        yield Route(source, TRANSPORT, pk, (server(host, port),), False, until, WARN if over else OK, words)


def _mirrors(asked: Asked) -> Iterator[Route]:
    rows = visible(asked.actor, Domain).filter(client=asked.client, removed_at=None, alias_of__isnull=False)
    if asked.domain is not None:
        rows = rows.filter(Q(pk=asked.domain.pk) | Q(alias_of=asked.domain.pk))
    for pk, name, of in rows.order_by("name").values_list("pk", "name", "alias_of__name"):
        if f"*@{name}" > asked.after:
            yield Route(f"*@{name}", MIRROR, pk, (f"*@{of}",))


def _scripts(asked: Asked) -> Iterator[Route]:
    """Only those in force: of others nothing leaves. Where somebody stopped one, its node sends nothing there."""
    rows = visible(asked.actor, SieveScript).filter(client=asked.client, mailbox__removed_at=None)
    rows = rows.filter((Q(active=True) & ~Q(redirects=[])) | ~Q(unreadable=""))
    stops = visible(asked.actor, RedirectStop).filter(mailbox=OuterRef("mailbox"), ended_at=None)
    also = {"source": F("mailbox__address__address"), "stopped": ArraySubquery(stops.values("target"))}
    for one in asked.of(rows, "mailbox__address").annotate(**also):
        if one.unreadable:
            said = f"not readable: {one.unreadable}"[:60]
            yield Route(one.source, SIEVE, one.mailbox_id, (), True, None, UNKNOWN, said)
        for each in one.redirects if not one.unreadable else ():
            off = each["to"] in one.stopped and each.get("by") != "notify"
            yield Route(
                one.source, SIEVE, one.mailbox_id, (each["to"],) if each["to"] else (), bool(each["copy"]), None,
                WARN if off else OK if each["to"] else UNKNOWN, "stopped at its node" if off else _how(each),
            )  # fmt: skip


def _how(redirect: dict[str, Any]) -> str:
    words = "notify" if redirect.get("by") == "notify" else "redirect :copy" if redirect["copy"] else "redirect"
    words += ", sometimes" if redirect.get("conditional") else ""
    return words if redirect["to"] else f"{words}, to what it works out"


BY_EXCEPTION = "by exception"
READS = (_aliases, _forwards, _transports, _catch_alls, _mirrors, _scripts)


def _judged(actor: Actor, routes: Iterable[Route], client: Client, own: Collection[str], now: datetime) -> list[Route]:
    """What leaves is good by an exception or an allowed pattern, and bad without."""
    routes = list(routes)
    away = {(one.source, to) for one in routes for to in one.targets if _outside(to, own)}
    allowed, forbidden = patterns_at(client.pk) if away else ((), ())
    rows = visible(actor, RouteException).filter(client=client, target__in={to for _, to in away})
    rows = rows.filter(ended_at=None, until__gt=now)
    ends = {(source, to): until for source, to, until in rows.values_list("address__address", "target", "until")}
    return [_one(route, away, ends, allowed, forbidden) for route in routes]


def _one(
    route: Route, away: Collection[tuple[str, str]], ends: dict[tuple[str, str], datetime], allowed: Iterable[str],
    forbidden: Iterable[str],
) -> Route:  # fmt: skip
    leaves = [to for to in route.targets if (route.source, to) in away]
    if not leaves or route.sort == TRANSPORT or (route.state == WARN and route.sort in (FORWARD, SIEVE)):
        return route
    without = [to for to in leaves if (route.source, to) not in ends and not matches(allowed, to)]
    if without or any(matches(forbidden, to) for to in leaves):
        return replace(route, state=BAD, words=", ".join(filter(None, (route.words, "no exception"))))
    why = BY_EXCEPTION if any((route.source, to) in ends for to in leaves) else "allowed"
    return replace(route, words=", ".join(filter(None, (route.words, why))))


def _outside(address: str, own: Collection[str]) -> bool:
    return address.rpartition("@")[2] not in own and address not in own


def _landings(
    actor: Actor, client: Client, targets: Collection[str], own: Collection[str], routes: Iterable[Route]
) -> dict[str, Landing]:
    """What each of these is, to who may see it."""
    here = {one for one in targets if not _outside(one, own) and not one.startswith("*")}
    boxes = visible(actor, Mailbox).filter(address__address__in=here, removed_at=None)
    kinds = dict(boxes.values_list("address__address", "kind"))
    passing = {one.source for one in routes} | set(
        visible(actor, Alias)
        .filter(address__address__in=here, removed_at=None)
        .values_list("address__address", flat=True)
    )
    bad = {to for one in routes if one.state == BAD for to in one.targets}
    let = {to for one in routes if one.words.endswith(BY_EXCEPTION) for to in one.targets}
    known = set(visible(actor, Address).filter(address__in=here).values_list("address", flat=True))
    return {one: Landing(one, *_what(one, kinds, passing, own, bad, let, known)) for one in targets}


def _what(
    one: str, kinds: dict[str, str], passing: Collection[str], own: Collection[str], bad: Collection[str],
    let: Collection[str], known: Collection[str],
) -> Iterator[str]:  # fmt: skip
    if one.startswith("*"):
        yield from ("the same address there", OK)
    elif _outside(one, own):
        words = "outside, approved" if one in let else "outside"
        yield from ("outside, without an exception", BAD) if one in bad else (words, OK)
    elif one in own:
        yield from ("the organization's postmaster", OK)
    elif one in kinds:
        yield from ("shared mailbox" if kinds[one] == "shared" else "mailbox", OK)
    elif one in passing:
        yield from ("passes it on", OK)
    else:
        yield from ("takes no mail" if one in known else "not seen", WARN)
