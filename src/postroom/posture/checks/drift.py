"""Record sets that do not stand in their zone as agreed: somebody changed them at the provider, past Postroom.

RFC 5321, 5.1 (mail goes where the MX says), RFC 7208, 4.5 (two SPF records are none), RFC 6376, 3.6 (a key that is not
published verifies nothing, of two under one name nobody knows which does), RFC 7489, 6.6.3 (no DMARC record or two, no
policy). The whole set of a name and type is compared
with the newest reading of its zone, other people's values in it included; TTLs are not. What is on its way to a zone is
no drift, and a zone that could not be read is unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, Finding, Reading, RecordSet
from postroom.models.domains import FRESH
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen
from postroom.protocols.dmarc import is_dmarc
from postroom.protocols.spf import is_spf
from postroom.protocols.txt import txt_text

NAME, UNREAD = "dns.drift", "its zone was not read within ten minutes, or a change of it is on its way"
NONE = Value([], output_field=ArrayField(TextField()))
SPF, DKIM, DMARC = "v=spf1", "._domainkey.", "_dmarc."
Values = tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """A record set as agreed, and the values last read under its name and type."""

    row: RecordSet
    zone: str
    live: Values
    at: datetime


def evaluate(sets: Iterable[Standing]) -> Iterator[Found]:
    for one in sets:
        if set(one.live) != set(one.row.values):
            yield _found(one)


def _found(one: Standing) -> Found:
    row, label = one.row, one.row.label
    what = "is not there" if not one.live else "was changed" if row.values else "is there again"
    params = {"domain": one.zone, "name": row.name, "type": row.type, "values": list(row.values), "ttl": row.ttl}
    evidence = {"before": list(row.values), "after": sorted(one.live), "read": one.at.isoformat(timespec="seconds")}
    return Found(
        severity(row, one.live), "record_sets", row.pk, label, f"{label} {what} in the zone {one.zone}", "drift",
        client=row.client_id, domain=row.domain_id, evidence=evidence, kind="record_sets.set", params=params,
    )  # fmt: skip


def severity(row: RecordSet, live: Values) -> str:
    """By what mail loses: where it goes, who may send it, whose signature holds; else by whose values they are."""
    role = _role(row)
    if set(row.ours) - set(live) or (not row.values and role in ("MX", "DKIM")):
        return {"MX": "critical", "": "medium"}.get(role, "high")
    added = set(live) - set(row.values)
    if (added and role in ("MX", "DKIM")) or any(_another(value, role) for value in added):
        return "high"
    return "low" if role == "SPF" else "medium"  # beside an SPF record stands what others put there to prove things


def _another(value: str, role: str) -> bool:
    """A second policy, however its strings are cut: of two receivers use neither."""
    try:
        text = txt_text(value)
    except ValueError:
        return False
    return is_spf(text) or (role == "DMARC" and is_dmarc(text))


def _role(row: RecordSet) -> str:
    if row.type == "MX":
        return "MX"
    if row.name.startswith(DMARC):
        return "DMARC"
    if DKIM in row.name:
        return "DKIM"
    return "SPF" if any(value.startswith(SPF) for value in row.values) else ""


def _kept() -> Any:
    """Sets we answer for, or took away, beside what was last read of them. on_its_way: a change is undelivered."""
    mark = Reading.objects.filter(zone=OuterRef("domain__name"), name="", type="")
    there = Reading.objects.filter(zone=OuterRef("domain__name"), name=OuterRef("name"), type=OuterRef("type"))
    coming = Delivery.objects.filter(target="zone", object=OuterRef("domain_id"), done=False)
    ours = RecordSet.objects.filter(domain__removed_at=None, set_aside__isnull=True).exclude(~Q(values=[]), ours=[])
    return ours.annotate(
        zone=F("domain__name"), live=Coalesce(Subquery(there.values("values")[:1]), NONE), on_its_way=Exists(coming),
        read=Subquery(mark.filter(failed="").values("at")[:1]),
    )  # fmt: skip


def _look(now: datetime) -> Seen:
    fresh = Q(read__gt=now - FRESH)
    with acting_as(SYSTEM):
        rows = _kept()
        differing = list(rows.filter(fresh, on_its_way=False).exclude(live=F("values")).order_by("id"))
        unread = set(rows.filter(Q(read=None) | ~fresh).values_list("pk", flat=True))
        open_now = Finding.objects.filter(check_name=NAME, closed_at=None).values("object")
        unread |= set(rows.filter(on_its_way=True, pk__in=open_now).values_list("pk", flat=True))
    found = evaluate(Standing(row, row.zone, tuple(row.live), row.read) for row in differing)
    return Seen(tuple(found), unread=frozenset(unread), why=UNREAD)


DRIFT = Check(NAME, "Does every zone hold what was agreed?", "RFC 7208, 4.5", 60, _look)
