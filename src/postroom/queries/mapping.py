"""Where mail of a client's addresses goes: every route there is, address by address, as the routing map draws it.

As many queries for a thousand routes as for three. A mailbox no rule says anything of lands in itself, and is not
listed. A script that could not be read is a route to nobody knows where; it is never left out.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.access.acting import Actor
from postroom.access.overlooking import overlooking
from postroom.access.scope import visible
from postroom.changes.landing import twin
from postroom.changes.rings import standing
from postroom.changes.rules import LONG_AGO, NO_NODE, NOT_READ
from postroom.models import (
    Address,
    Alias,
    Client,
    Domain,
    Mailbox,
    RouteException,
    SieveRead,
)
from postroom.models.nodes import WORD_HOLDS
from postroom.models.routes import Inside, inside, patterns_at
from postroom.protocols.extensions import parts
from postroom.protocols.patterns import matches

from .page import Page
from .route_rows import BAD, FORWARD, OK, READS, SIEVE, TRANSPORT, UNKNOWN, WARN, Asked, Route

BY_EXCEPTION = "by exception"


@dataclass(frozen=True)
class Landing:
    """An address that mail comes to: what it is (mailbox, shared mailbox, alias, nothing, outside), and how it is."""

    address: str
    what: str
    state: str = OK


@dataclass(frozen=True)
class Map:
    """A page of routes, by their sources; and every address they lead to. unread: why it is not known what filters do
    now; empty where it is."""

    routes: Page[Route]
    landings: dict[str, Landing]
    unread: str = ""


def mapped(asked: Asked) -> Map:
    """The routes that its actor may see."""
    actor, client, now = asked.actor, asked.client, asked.now
    found = [route for read in READS for route in read(asked)]
    shown = _cut(sorted(found, key=lambda one: (one.source, one.sort, one.targets)), asked.limit)
    own = inside(client.pk)
    unread = _unread(client, now)
    judged = _round(_judged(actor, shown.items, client, own, now), now)
    targets = {to for route in judged for to in route.targets} | {one.source for one in judged if one.keeps}
    landings = _landings(actor, client, targets, own, judged)
    if unread:
        landings = {to: _sorted_then(one) for to, one in landings.items()}
    return Map(Page([_then(one, unread) for one in judged], shown.next), landings, unread)


def _unread(client: Client, now: datetime) -> str:
    """Why it is not known what the client's filters do now, and when it last was; as the tracer says it. One query."""
    if client.node_id is None:
        return NO_NODE
    at = SieveRead.objects.filter(node=client.node_id).values_list("at", flat=True).first()
    if at is None:
        return NOT_READ
    return LONG_AGO.format(f"{at:%d %b %H:%M} UTC") if at <= now - WORD_HOLDS else ""


def _then(one: Route, unread: str) -> Route:
    """What a script did when it was read is not known of now, where its node is silent since."""
    if one.sort != SIEVE or not unread:
        return one
    return replace(one, state=UNKNOWN, words="; ".join(filter(None, (one.words, unread))))


def _sorted_then(one: Landing) -> Landing:
    """Nor whether mail that comes to a mailbox stays there."""
    kept = one.what in ("mailbox", "shared mailbox")
    return Landing(one.address, f"{one.what}, its filters unknown", UNKNOWN) if kept else one


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


def _judged(actor: Actor, routes: Iterable[Route], client: Client, own: Inside, now: datetime) -> list[Route]:
    """What leaves is good by an exception or an allowed pattern, and bad without."""
    routes = list(routes)
    away = {(one.source, to) for one in routes for to in one.targets if not own.keeps(to, of=one.source)}
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


def _round(routes: list[Route], now: datetime) -> list[Route]:
    """By which mail comes back to where it was, over clients too; of another's, no more is told than that."""
    with overlooking():
        back = standing({one.source for one in routes}, now)
    return [_goes_round(one) if _on(one, back.get(one.source, ())) else one for one in routes]


def _on(route: Route, way: tuple[str, ...]) -> bool:
    """Whether the next address along the way is one that this route leads to."""
    if not way:
        return False
    at = way.index(route.source)
    return way[(at + 1) % len(way)] in route.targets


def _goes_round(route: Route) -> Route:
    return replace(route, state=BAD, words=", ".join(filter(None, (route.words, "goes round, lands nowhere"))))


def _landings(
    actor: Actor, client: Client, targets: Collection[str], own: Inside, routes: Iterable[Route]
) -> dict[str, Landing]:
    """What each of these is, to who may see it."""
    inner = {one for one in targets if own.keeps(one, of="") and not one.startswith("*")}
    found = _found(actor, client, inner)
    here = {at for one in inner for at in found[one]}
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
    named = {one: next((at for at in found.get(one, ()) if at in known), one) for one in targets}
    return {one: Landing(one, *_what(named[one], kinds, passing, own, bad, let, known)) for one in targets}


def _found(actor: Actor, client: Client, targets: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By what mail to each is found: itself, without what stands after a +, or at the domain its own stands for."""
    mirrors = visible(actor, Domain).filter(client=client, removed_at=None, alias_of__isnull=False)
    twins = dict(mirrors.values_list("name", "alias_of__name"))
    names = {one: dict.fromkeys((one, parts(one)[0])) for one in targets}
    return {one: (*own, *(other for at in own if (other := twin(at, twins)))) for one, own in names.items()}


def _what(
    one: str, kinds: dict[str, str], passing: Collection[str], own: Inside, bad: Collection[str],
    let: Collection[str], known: Collection[str],
) -> Iterator[str]:  # fmt: skip
    if one.startswith("*"):
        yield from ("the same address there", OK)
    elif not own.keeps(one, of=""):
        words = "outside, approved" if one in let else _ours(one, own)
        yield from ("outside, without an exception", BAD) if one in bad else (words, OK)
    elif one in kinds:
        yield from ("shared mailbox" if kinds[one] == "shared" else "mailbox", OK)
    elif one in passing:
        yield from ("passes it on", OK)
    else:
        yield from ("takes no mail" if one in known else "not seen", WARN)


def _ours(one: str, own: Inside) -> str:
    return "the organization's postmaster" if one == own.postmaster else "outside"
