"""What zones hold, as last read: fetched before a plan that needs it, compared again under the lock.

Knows no provider: the catalogue hands over who can read a zone. A zone that did not answer is *not read*,
which refuses a plan; it is never taken for an empty one.
"""

from collections.abc import Callable, Iterable
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
    for zone, hosting in sorted(set(zones)):
        with acting_as(SYSTEM):
            client = Domain.objects.filter(name=zone).values_list("client_id", "hosting").first()
            mark = Reading.objects.filter(zone=zone, name="", type="").first()
        if mark is None or mark.failed or mark.at < timezone.now() - FRESH_ENOUGH:
            keep(READERS[0](zone, client[1] if client else hosting), client[0] if client else None)


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
    named = {str(r.pk): (r.name, r.type) for r in RecordSet.objects.filter(pk__in=[e.id for e in edits])}
    for e in edits:
        name, type = named.get(e.id) or ((e.after or {}).get("name"), (e.after or {}).get("type"))
        before = planned_from(e.before, e.after)
        if before != "untouched" and (now := newest(str(name), str(type))) != before:
            return f"{type} {name} is {_words(now)} in the zone, and was {_words(before)} when this was planned"
    return None


def planned_from(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Any:
    """What stood in the zone when an edit was planned: an RRset, None for nothing, or "untouched"."""
    if before is None:
        return (after or {}).get("found")
    if "values" not in before and "ttl" not in before:
        return "untouched"
    return {"ttl": before["ttl"], "values": before["values"]} if before.get("values") else None


def newest(name: str, type: str) -> RRset | None:
    one = Reading.objects.filter(name=name, type=type, values__isnull=False).order_by("-at").first()
    return {"ttl": one.ttl, "values": one.values} if one else None


def _words(rrset: RRset | None) -> str:
    return "; ".join(rrset["values"]) if rrset else "not there"
