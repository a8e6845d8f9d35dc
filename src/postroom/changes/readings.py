"""What zones hold, as last read: fetched before a plan that needs it, compared again under the lock.

Knows no provider: the catalogue hands over who can read a zone. A zone that did not answer is *not read*,
which refuses a plan; it is never taken for an empty one.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Domain, Reading, RecordSet

from .plan import Plan

RRset = dict[str, Any]  # {"ttl": seconds, "values": [...]}
FRESH_ENOUGH = timedelta(seconds=30)  # two plans in one breath need not read twice


@dataclass(frozen=True)
class ZoneRead:
    """All RRsets of a zone by (name, type), or why it could not be read."""

    zone: str
    rrsets: dict[tuple[str, str], RRset] = field(default_factory=dict)
    failed: str = ""
    server: str = ""


Reader = Callable[[str, str], ZoneRead]  # (zone, hosting) → what stands there; bounded to five seconds
READERS: list[Reader] = []


def refresh(zones: Iterable[tuple[str, str]]) -> None:
    """Read these (zone, hosting as proposed) again, but for those read a moment ago."""
    wanted = dict(sorted(set(zones)))
    with acting_as(SYSTEM):
        domains = {one.name: one for one in Domain.objects.filter(name__in=wanted)}
        marks = {one.zone: one for one in Reading.objects.filter(zone__in=wanted, name="", type="")}
    for zone, hosting in wanted.items():
        mark, domain = marks.get(zone), domains.get(zone)
        if mark is None or mark.failed or mark.at < timezone.now() - FRESH_ENOUGH:
            keep(READERS[0](zone, domain.hosting if domain else hosting), domain.client_id if domain else None)


def keep(read: ZoneRead, client: UUID | None, *, began: datetime | None = None) -> None:
    """Replace the readings of a zone by this one; a failed one leaves the last there, and says so.

    began: when this reading was begun; one that was kept since is newer, and stays.
    """
    now = timezone.now()
    about = {"at": now, "zone": read.zone, "client_id": client, "server": read.server}
    rows = [Reading(**about, name="", type="", failed=read.failed)]
    if not read.failed:
        rows += [
            Reading(**about, name=name, type=type, ttl=one["ttl"], values=one["values"])
            for (name, type), one in read.rrsets.items()
        ]
    with acting_as(SYSTEM):
        old = Reading.objects.filter(zone=read.zone)
        if began and old.filter(name="", type="", at__gt=began).exists():
            return
        (old.filter(name="", type="") if read.failed else old).delete()
        Reading.objects.bulk_create(rows)


def moved_since(plan: Plan) -> str | None:
    """The first record set of this plan whose zone no longer holds what was planned from; None for none."""
    edits = list(plan.on(RecordSet))
    if not edits:
        return None
    rows = {str(r.pk): (r.name, r.type) for r in RecordSet.objects.filter(pk__in=[e.id for e in edits])}
    named = [rows.get(e.id) or (str((e.after or {}).get("name")), str((e.after or {}).get("type"))) for e in edits]
    stands = newest({name for name, _ in named})
    for e, (name, type) in zip(edits, named, strict=True):
        before = planned_from(e.before, e.after)
        if before != "untouched" and (now := stands.get((name, type))) != before:
            return f"{type} {name} is {_words(now)} in the zone, and was {_words(before)} when this was planned"
    return None


def planned_from(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Any:
    """What stood in the zone when an edit was planned: an RRset, None for nothing, or "untouched"."""
    if before is None:
        return (after or {}).get("found")
    if "values" not in before and "ttl" not in before:
        return "untouched"
    return {"ttl": before["ttl"], "values": before["values"]} if before.get("values") else None


def newest(names: Collection[str]) -> dict[tuple[str, str], RRset]:
    """What stands under these names, by (name, type), as last read."""
    found = Reading.objects.filter(name__in=names, values__isnull=False).order_by(
        "at"
    )  # the newest comes last, and stays
    return {(one.name, one.type): {"ttl": one.ttl, "values": one.values} for one in found}


def _words(rrset: RRset | None) -> str:
    return "; ".join(rrset["values"]) if rrset else "not there"
