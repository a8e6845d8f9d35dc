"""Name servers of a zone that say otherwise than was agreed while the zone, as read where we write it, does not; and
those that do not answer. What all of them say is drift of the zone (drift.py), and is said there once.

RFC 1034, 4.2.2: every server that the parent names has to answer for the zone, all alike. A resolver takes whichever it
comes to first, so one that lags or was taken over answers a part of the world's mail.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, Domain, Reading, RecordSet, ServerReading
from postroom.models.domains import FRESH
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen

from .drift import NONE, severity

NAME = "dns.name_servers"
UNREAD = "not each of its name servers was read within ten minutes, or a change of it is on its way"
FALLEN_SILENT = timedelta(minutes=2)  # a server that is started again is not told of


@dataclass(frozen=True)
class Told:
    """What one server says of one record set, beside what was agreed and what the zone holds where we write it."""

    row: RecordSet
    zone: str
    server: str
    said: tuple[str, ...]
    live: tuple[str, ...]
    at: datetime


def evaluate(told: Iterable[Told]) -> Iterator[Found]:
    for one in told:
        row, said = one.row, set(one.said)
        if said == set(row.values) or said == set(one.live):
            continue
        server, what = one.server.rstrip("."), "does not have" if not one.said else "answers otherwise for"
        evidence = {"before": list(row.values), "after": sorted(one.said), "server": server,
                    "read": one.at.isoformat(timespec="seconds")}  # fmt: skip
        yield Found(
            severity(row, one.said), "record_sets", row.pk, row.label, f"{server} {what} {row.label}", one.server,
            client=row.client_id, domain=row.domain_id, evidence=evidence,
        )  # fmt: skip


def silent(rows: Iterable[ServerReading], now: datetime) -> Iterator[Found]:
    """Servers that have not answered for two minutes: what they would say is not known."""
    for one in rows:
        if one.failed and one.failed_since and one.failed_since <= now - FALLEN_SILENT:
            server = one.server.rstrip(".")
            evidence = {"server": server, "why": one.failed,
                        "since": one.failed_since.isoformat(timespec="seconds")}  # fmt: skip
            title = f"{server} does not answer for {one.domain.name}"
            yield Found("medium", "domains", one.domain_id, one.domain.name, title, one.server,
                        client=one.client_id, domain=one.domain_id, evidence=evidence)  # fmt: skip


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        proven = Domain.objects.filter(removed_at=None, proof="read").exclude(hosting="provider")
        read = ServerReading.objects.filter(domain__in=proven, at__gt=now - FRESH).select_related("domain")
        by_domain: dict[object, list[ServerReading]] = {}
        for one in read:
            by_domain.setdefault(one.domain_id, []).append(one)
        sets = list(_sets().filter(domain__in=proven))
        unread = {pk for pk in proven.values_list("pk", flat=True) if pk not in by_domain}
    known = [row for row in sets if not row.on_its_way and row.read_at and row.read_at > now - FRESH]
    found = [*evaluate(_told(known, by_domain)), *silent(read, now)]
    whole = {row.pk for row in known if _all_said(row, by_domain.get(row.domain_id, ()))}
    return Seen(tuple(found), unread=frozenset({*unread, *(row.pk for row in sets if row.pk not in whole)}), why=UNREAD)


def _sets() -> "QuerySet[Any]":
    mark = Reading.objects.filter(zone=OuterRef("domain__name"), name="", type="", failed="")
    there = Reading.objects.filter(zone=OuterRef("domain__name"), name=OuterRef("name"), type=OuterRef("type"))
    coming = Delivery.objects.filter(target="zone", object=OuterRef("domain_id"), done=False)
    ours = RecordSet.objects.filter(set_aside__isnull=True).exclude(values=[], ours=[])
    rows: QuerySet[Any] = ours.annotate(
        live=Coalesce(Subquery(there.values("values")[:1]), NONE), on_its_way=Exists(coming),
        read_at=Subquery(mark.values("at")[:1]),
    )  # fmt: skip
    return rows


def _told(rows: Sequence[Any], by_domain: dict[object, list[ServerReading]]) -> Iterator[Told]:
    for row in rows:
        for one in by_domain.get(row.domain_id, ()):
            said = one.said.get(row.label)
            if not one.failed and said is not None:
                yield Told(row, one.domain.name, one.server, tuple(said), tuple(row.live), one.at)


def _all_said(row: Any, read: Sequence[ServerReading]) -> bool:
    """Whether each was asked about this very record set, which may be younger than the reading, and answered."""
    return bool(read) and all(not one.failed and row.label in one.said for one in read)


NAME_SERVERS = Check(NAME, "Does every name server of a zone say what was agreed?", "RFC 1034, 4.2.2", 60, _look)
