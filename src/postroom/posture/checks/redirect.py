"""Sieve scripts in force that pass mail on outside, by a redirect or a notification, without an exception for it.

RFC 5228, 10 (a redirect leaks mail) and MITRE ATT&CK T1114.003: a filter is where a forward hides that no list shows.
Of a target that is worked out when mail comes it is unknown where it leads. What a node does not look at, and a script
that cannot be read, say nothing: what was found there stays, and is not known.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Finding, Organization, RedirectStop, RouteException, SieveRead, SieveScript
from postroom.models.findings import SEVERITIES
from postroom.models.nodes import WORD_HOLDS
from postroom.models.routes import Inside, inside_each
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen
from postroom.protocols.patterns import matches

NAME = "sieve.redirect"
WORKED_OUT = "worked out"
STAYS = "its node stops that, and the mail stays"  # engines/sieve_out.py
ONLY_ALLOWED = "its node lets out only what an exception or a pattern allows"
FEW, SHOWN = 5, 20  # targets of a script: each is a finding; are shown of more
STALE = "its node has not looked at its scripts for five minutes, or one of them could not be read"


@dataclass(frozen=True)
class Lets:
    """Where mail of a client may go without an exception: what is inside, and what patterns allow."""

    inside: Inside
    allowed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def go(self, target: str, *, of: str) -> bool:
        if self.inside.keeps(target, of=of):
            return True
        return not matches(self.forbidden, target) and bool(matches(self.allowed, target))


def evaluate(
    scripts: Iterable[SieveScript], lets: Mapping[UUID, Lets], excepted: Collection[tuple[UUID, str]],
    stopped: Collection[tuple[UUID, str]] = (),
) -> Iterator[Found]:  # fmt: skip
    """One for each mailbox and target; of more than a few in one script, one for all. excepted: (address, target) for
    which an exception stands; stopped: (mailbox, target) that its node sends nothing to, as somebody said."""
    for script in scripts:
        box = script.mailbox
        own = lets[box.client_id]
        by_target: dict[str, Mapping[str, Any]] = {}
        for one in script.redirects:
            by_target.setdefault(str(one.get("to", "")), one)
        away = {
            to: one for to, one in by_target.items()
            if not to or not ((box.address_id, to) in excepted or (box.pk, to) in stopped or own.go(to, of=box.label))
        }  # fmt: skip
        if len(away) > FEW:
            told = {"to": sorted(away)[:SHOWN], "targets": len(away)}
            yield _found(script, f"{len(away)} addresses", "many", told, known="" not in away)
            continue
        for to, one in away.items():
            told = {"to": to or WORKED_OUT, **{name: one.get(name) for name in ("by", "copy", "conditional")}}
            yield _found(script, to or "where is worked out as it comes", to or WORKED_OUT, told, known=bool(to))


def _found(script: SieveScript, where: str, cause: str, told: Mapping[str, object], *, known: bool) -> Found:
    """A VIP's is a step worse than another's."""
    box = script.mailbox
    severity = SEVERITIES[SEVERITIES.index("high" if known else "medium") - box.vip]
    evidence = {"script": script.name, **told, "first": script.first.isoformat(timespec="seconds")}
    stays = STAYS if known else ONLY_ALLOWED
    title = f"A Sieve script of {box.label} passes mail on to {where}; {stays}"
    stop = ("redirects.stop", {"mailbox": box.label, "target": cause}) if "@" in cause else ("", {})
    return Found(severity, "mailboxes", box.pk, box.label, title, cause, client=box.client_id,
                 domain=box.address.domain_id, evidence=evidence, kind=stop[0], params=stop[1])  # fmt: skip


def fresh_nodes(now: datetime) -> list[UUID]:
    """Those that looked at all their mailboxes lately."""
    return list(SieveRead.objects.filter(at__gt=now - WORD_HOLDS).values_list("node_id", flat=True))


def in_force(nodes: Sequence[UUID]) -> tuple[list[SieveScript], frozenset[UUID]]:
    """Scripts in force of mailboxes that these nodes serve and read; and mailboxes that they could not read, with the
    row that says why in place of their scripts."""
    rows = SieveScript.objects.filter(Q(active=True) | Q(name=""), node__in=nodes, node=F("mailbox__client__node"))
    here = rows.filter(mailbox__removed_at=None, mailbox__client__removed_at=None)
    scripts = list(here.select_related("mailbox__address").order_by("id"))
    shut = frozenset(one.mailbox_id for one in scripts if not one.name)
    return [one for one in scripts if not one.name or one.mailbox_id not in shut], shut


def elsewhere(check: str, nodes: Sequence[UUID]) -> frozenset[UUID]:
    """Mailboxes with an open finding of this check whose node did not look lately."""
    open_now = Finding.objects.filter(check_name=check, closed_at=None, client__removed_at=None)
    objects = open_now.exclude(client__node__in=nodes).values_list("object", flat=True)
    return frozenset(one for one in objects if one is not None)


def lets_of(clients: Iterable[UUID]) -> dict[UUID, Lets]:
    """Of each: what is inside, and the patterns."""
    within = inside_each(set(clients))
    ours = Organization.objects.first()
    allowed = tuple(ours.forward_allowed) if ours else ()
    forbidden = tuple(ours.forward_forbidden) if ours else ()
    rows = Client.objects.filter(pk__in=within).values_list("pk", "forward_allowed", "forward_forbidden")
    return {pk: Lets(within[pk], (*allowed, *more), (*forbidden, *less)) for pk, more, less in rows}


def stops_of(scripts: Iterable[SieveScript]) -> set[tuple[UUID, str]]:
    """(mailbox, target) of redirects that are stopped."""
    stops = RedirectStop.objects.filter(mailbox__in={one.mailbox_id for one in scripts}, ended_at=None)
    return set(stops.values_list("mailbox_id", "target"))


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        nodes = fresh_nodes(now)
        scripts, shut = in_force(nodes)
        leading = [one for one in scripts if one.redirects]
        unread = {one.mailbox_id for one in scripts if one.unreadable} | shut | elsewhere(NAME, nodes)
        lets = lets_of(one.client_id for one in leading)
        addresses = {one.mailbox.address_id for one in leading}
        standing = RouteException.objects.filter(address__in=addresses, ended_at=None, until__gt=now)
        excepted = set(standing.values_list("address_id", "target"))
        found = tuple(evaluate(leading, lets, excepted, stops_of(leading)))
    return Seen(found, unread=frozenset(unread), why=STALE if unread else "")


REDIRECT = Check(NAME, "Does a mailbox's own filter pass its mail on outside?", "MITRE ATT&CK T1114.003", 30, _look)
