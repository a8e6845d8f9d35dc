"""Is authentication as wanted? Record sets against the newest readings of their zones; what was not read is no answer.

A check is MX, SPF, DKIM or DMARC of one domain. good: what was agreed stands there, and nothing that would change what
receivers make of it: for MX, DKIM and DMARC nothing else at all (RFC 5321, 5.1; RFC 6376, 3.6.2.2; RFC 7489, 6.6.3),
beside the SPF record no second one (RFC 7208, 4.5). bad: it is not so. unmeasured: the zone was not read within ten
minutes, or could not be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.dns.proof import token_name, token_text
from postroom.models import Delivery, DkimKey, Domain, Reading, RecordedEdit, RecordSet
from postroom.models.domains import FRESH
from postroom.protocols.rrset import DEFAULT_TTL, RRset

CHECKS = ("MX", "SPF", "DKIM", "DMARC")
Standing = dict[UUID, dict[str, str]]


@dataclass(frozen=True)
class Live:
    """A record set beside what was last read under its name. values None: nothing stands there, or it was not read.
    Of a zone that was read too long ago they are what stood there then, and the state is unmeasured.
    """

    row: RecordSet
    state: str
    values: list[str] | None
    at: Any
    server: str
    failed: str


def standing(actor: Actor, domains: Iterable[UUID] | None = None) -> Standing:
    """domain → check → good, bad or unmeasured; of all domains in care, or of these. One query."""
    rows = _measured(visible(actor, RecordSet).filter(domain__removed_at=None, set_aside__isnull=True))
    if domains is not None:
        rows = rows.filter(domain__in=list(domains))
    found: Standing = {}
    counted = rows.exclude(check="").values("domain_id", "check").annotate(
        bad=Count("pk", filter=Q(read=True, stands=False)), unread=Count("pk", filter=Q(read=False))
    )  # fmt: skip
    for one in counted.order_by():
        state = "unmeasured" if one["unread"] else "bad" if one["bad"] else "good"
        found.setdefault(one["domain_id"], {})[one["check"]] = state
    return found


def _name(*parts: Any) -> Concat:
    return Concat(*parts, output_field=TextField())


def _measured(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    apex, dmarc = _name(F("domain__name"), Value(".")), _name(Value("_dmarc."), F("domain__name"), Value("."))
    mark = Reading.objects.filter(zone=OuterRef("domain__name"), name="", type="", failed="")
    found: QuerySet[Any] = rows.exclude(ours=[]).alias(spf=_SpfRecords("ours")).annotate(
        check=Case(
            When(type="MX", name=apex, then=Value("MX")),
            When(type="TXT", name=apex, spf__gt=0, then=Value("SPF")),
            When(type="TXT", name=dmarc, then=Value("DMARC")),
            When(type="TXT", name__contains="._domainkey.", then=Value("DKIM")),
            default=Value(""), output_field=TextField(),
        ),
        read=Exists(mark.filter(at__gt=timezone.now() - FRESH)),
        stands=_stands(),
    )  # fmt: skip
    return found


class _SpfRecords(Func):
    """How many of these values receivers take for SPF (protocols/spf.py), however their strings are cut."""

    template = r"""(SELECT count(*) FROM unnest(%(expressions)s) AS one
                    WHERE regexp_replace(one, '" *"', '', 'g') ~* '^"?v=spf1([ "]|$)')"""
    output_field = IntegerField()


def _stands() -> Case:
    """As agreed; beside an SPF record others may put what they like, but for a second one."""
    there = Reading.objects.filter(zone=OuterRef("domain__name"), name=OuterRef("name"), type=OuterRef("type"))
    ours = there.alias(spf=_SpfRecords("values")).filter(values__contains=OuterRef("ours"), spf=1)
    alone = there.filter(values__contains=OuterRef("values"), values__contained_by=OuterRef("values"))
    return Case(When(check="SPF", then=Exists(ours)), default=Exists(alone))


def live(actor: Actor, domain: Domain) -> list[Live]:
    """Every record set of a domain, with what stands there as last read: two queries."""
    readings = list(Reading.objects.filter(zone=domain.name))
    mark = next((one for one in readings if not one.name and not one.type), None)
    by_name = {(one.name, one.type): one for one in readings}
    rows = visible(actor, RecordSet).filter(domain=domain).order_by("type", "name")
    return [_beside(row, by_name.get((row.name, row.type)), mark) for row in rows]


@dataclass(frozen=True)
class OnItsWay:
    """A change of a zone that is not read back yet. stuck: why its tries came to nothing; empty on the first ones."""

    change: UUID
    stuck: str


TRIES = 3  # a zone that is written and does not answer so yet is asked a few times: that is no fault


def being_written(domain: Domain) -> OnItsWay | None:
    """What is on its way into a zone: what differs until then was never said to stand there. The first one that is
    stuck, since what comes after it waits for it. One query.
    """
    left = Delivery.objects.filter(target="zone", object=domain.pk, done=False).order_by("id")
    found = [OnItsWay(one.change_id, one.why if one.attempt >= TRIES else "") for one in left]
    return next((one for one in found if one.stuck), found[0] if found else None)


def _beside(row: RecordSet, reading: Reading | None, mark: Reading | None) -> Live:
    if mark is None or mark.failed:
        return Live(row, "unmeasured", None, mark and mark.at, "", mark.failed if mark else "")
    values = reading.values if reading else None
    if mark.at <= timezone.now() - FRESH:
        return Live(row, "unmeasured", values, mark.at, mark.server, "")
    wanted = set(row.values) if row.set_aside is None else set((row.found or {}).get("values", []))
    state = "good" if set(values or []) == wanted else "bad"
    return Live(row, state, values, mark.at, mark.server, "")


@dataclass(frozen=True)
class ByHand:
    """What somebody has to type in where a domain's DNS is run: each the whole of what shall stand under its name.

    moved: where something stands by now that was not there at planning; to be planned again, or it would be lost.
    """

    sets: tuple[RRset, ...]
    moved: tuple[RRset, ...]

    def lines(self) -> list[str]:
        """As lines of a zone file; what has to go, and what moved, are comments."""
        lines = [line for one in self.sets for line in one.master_file() or (f"; remove {one.type} at {one.name}",)]
        return lines + [f"; {one.type} at {one.name} changed since it was planned: plan it again" for one in self.moved]


def by_hand(domain: Domain, live: Iterable[Live]) -> ByHand:
    """Its proof, while that waits; of a domain typed in by hand, every record set that does not stand yet."""
    proof = []
    if domain.proof != "read" and domain.removed_at is None:
        proof = [RRset(token_name(domain.name), "TXT", DEFAULT_TTL, (token_text(domain.proof_token),))]
    rows = [one for one in live if one.state != "good"] if domain.hosting == "manual" else []
    known = _planned_over([one.row for one in rows])
    sets, moved = list(proof), list[RRset]()
    for one in rows:
        (moved if set(one.values or ()) - known[one.row.pk] else sets).append(_wanted(one.row))
    return ByHand(tuple(sets), tuple(moved))


def _wanted(row: RecordSet) -> RRset:
    return RRset(row.name, row.type, row.ttl, tuple(row.values))


def _planned_over(rows: list[RecordSet]) -> dict[UUID, set[str]]:
    """Values that each knows of: wanted, found, or there when it was planned last."""
    known = {row.pk: {*row.values, *(row.found or {}).get("values", ())} for row in rows}
    edits = RecordedEdit.objects.filter(table="record_sets", row__in=known).order_by("row", "-entry_id").distinct("row")
    for row, before in edits.values_list("row", "before"):
        known[row] |= set((before or {}).get("values", ()))
    return known


def keys(actor: Actor, domain: Domain) -> list[DkimKey]:
    return list(visible(actor, DkimKey).filter(domain=domain).order_by("selector"))
