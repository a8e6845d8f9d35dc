"""Findings for the doors: lists worst first, counts, one with its history; what was decided, by predicate as of now."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Q, QuerySet
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.models import Acceptance, Finding, Grant, Look
from postroom.models.findings import SEVERITIES
from postroom.posture.checks.behind_our_back import BEHIND_OUR_BACK
from postroom.posture.checks.drift import DRIFT
from postroom.posture.checks.maps import MAPS

from .clients import named
from .page import Page, page
from .searching import SHORTEST

STATES = ("open", "unknown", "acknowledged", "accepted", "closed", "any")
RECONCILER = (BEHIND_OUR_BACK.name, MAPS.name, DRIFT.name)  # what stands, held against the record (decision 15)
STALE = timedelta(minutes=10)  # a check that was not read for so long says nothing of now
PLACE = re.compile(r"[0-3][0-9a-f-]{36}")
AGO = 20


class _NoWorse(Func):
    """A severity against the rank that a finding has now. Around every page: one expression, where a case is nine."""

    template = f"array_position(ARRAY{list(SEVERITIES)}, %(expressions)s"
    arg_joiner, output_field = ") <= 1 + ", BooleanField()


def decided(actor: Actor, sort: str) -> Exists:
    """Whether a finding is acknowledged, or accepted, now: not ended, its time not up, and the finding no worse."""
    lasting = Q(until=None) | Q(until__gt=timezone.now())
    about = {"finding": OuterRef("pk")} if sort == "acknowledged" else {"fingerprint": OuterRef("fingerprint")}
    no_worse = _NoWorse(F("severity"), OuterRef("rank"))
    rows = visible(actor, Acceptance, "findings.view")
    return Exists(rows.filter(lasting, no_worse, sort=sort, ended_at=None, **about))


@dataclass(frozen=True)
class Asked:
    """What the list is narrowed by. state: one of STATES; empty: all that is open and not accepted."""

    client: str = ""
    severity: str = ""
    check: str = ""
    state: str = ""
    search: str = ""
    domain: str = ""
    object: UUID | None = None
    after: str = ""


def listed(actor: Actor, asked: Asked, *, limit: int = 25) -> Page[Finding]:
    """Worst first and longest open first; of all and of closed ones the newest first. Each with what was decided."""
    rows = _narrowed(_with_decisions(actor), actor, asked)
    if asked.state in ("closed", "any"):
        return page(rows, key="id", after=asked.after or None, limit=limit, newest_first=True)
    if asked.after and not PLACE.fullmatch(asked.after):
        raise Problem("after", f"{asked.after[:40]!r} is not where a page of this list ended")
    return page(rows, key="place", after=asked.after or None, limit=limit)


def _with_decisions(actor: Actor) -> "QuerySet[Any]":
    rows = visible(actor, Finding).select_related("client", "domain")
    return rows.annotate(acknowledged=decided(actor, "acknowledged"), accepted=decided(actor, "accepted"))


def _narrowed(rows: "QuerySet[Any]", actor: Actor, asked: Asked) -> "QuerySet[Any]":
    if asked.client == "organization":
        rows = rows.filter(client=None)
    elif asked.client:
        rows = rows.filter(client__in=named(actor, asked.client).values("pk"))
    known = {"severity": asked.severity, "check_name": asked.check, "domain__name": asked.domain.lower()}
    rows = rows.filter(**{column: value for column, value in known.items() if value})
    if asked.object:
        rows = rows.filter(object=asked.object)
    if asked.search:
        if len(asked.search) < SHORTEST:
            raise Problem("search", f"at least {SHORTEST} characters")
        rows = rows.filter(Q(title__icontains=asked.search) | Q(label__icontains=asked.search))
    return rows.filter(_state(asked.state))


def _state(state: str) -> Q:
    here = Q(closed_at=None)
    return {
        "": here & Q(accepted=False),
        "open": here & Q(accepted=False, acknowledged=False, unknown_since=None),
        "unknown": here & Q(unknown_since__isnull=False),
        "acknowledged": here & Q(acknowledged=True, accepted=False),
        "accepted": here & Q(accepted=True),
        "closed": Q(closed_at__isnull=False),
        "any": Q(),
    }.get(state, Q(pk__in=[]))


def known(where: str, value: str, values: Sequence[str]) -> None:
    """Refuse a word that narrows by nothing."""
    if value and value not in values:
        raise Problem(where, f"{value[:40]!r} is none of {', '.join(values)}")


@dataclass(frozen=True)
class Counts:
    """How many are open and not accepted, by severity; of all these, how many could not be read. accepted: apart.

    past: of these, what was changed past Postroom; past_unread: what of that could not be read, apart.
    """

    by: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    acknowledged: int = 0
    accepted: int = 0
    past: int = 0
    past_unread: int = 0

    @property
    def total(self) -> int:
        return sum(self.by.values())


def counts(actor: Actor, *, client: UUID | None = None) -> Counts:
    """One query."""
    rows = visible(actor, Finding).filter(closed_at=None)
    rows = rows.filter(client=client) if client else rows
    rows = rows.annotate(acknowledged=decided(actor, "acknowledged"), accepted=decided(actor, "accepted"))
    left, read = Q(accepted=False), Q(unknown_since=None)
    past = left & Q(check_name__in=RECONCILER)
    found = rows.aggregate(
        **{name: Count("pk", filter=left & Q(severity=name)) for name in SEVERITIES},
        unknown=Count("pk", filter=Q(unknown_since__isnull=False)),
        seen_to=Count("pk", filter=left & Q(acknowledged=True)),
        lived_with=Count("pk", filter=Q(accepted=True)),
        past=Count("pk", filter=past & read),
        past_unread=Count("pk", filter=past & ~read),
    )
    by = {name: found[name] for name in SEVERITIES}
    return Counts(by, found["unknown"], found["seen_to"], found["lived_with"], found["past"], found["past_unread"])


def pressing(actor: Actor, most: int) -> int:
    """How many critical and high ones are open, and nobody has looked at; `most` at most."""
    rows = visible(actor, Finding).filter(closed_at=None, severity__in=SEVERITIES[:2])
    rows = rows.exclude(decided(actor, "acknowledged")).exclude(decided(actor, "accepted"))
    return len(rows.values_list("pk", flat=True)[:most])


@dataclass(frozen=True)
class Looked:
    """When all checks were last read whole: the oldest of them. unread: those that were not, lately or ever."""

    at: datetime | None
    unread: tuple[str, ...]


def looked(checks: Sequence[str]) -> Looked:
    """One query. What nobody read says nothing, least of all that all is well."""
    known = {one.check_name: one for one in Look.objects.filter(check_name__in=checks)}
    times = [one.at for one in known.values() if one.at]
    return Looked(min(times, default=None), tuple(name for name in checks if not _fresh(known.get(name))))


def _fresh(look: Look | None) -> bool:
    return look is not None and not look.failed and look.at is not None and look.at > timezone.now() - STALE


@dataclass(frozen=True)
class Whole:
    """One finding; what people decided about it or its cause, newest first; and when the cause was there before."""

    finding: Any
    decisions: Sequence[Acceptance]
    before: Sequence[Finding]


def whole(actor: Actor, finding: UUID) -> Whole:
    """Three queries. NotThere for none, or none of yours."""
    row = _with_decisions(actor).filter(pk=finding).first()
    if row is None:
        raise NotThere("finding", f"no finding {finding} that you can see")
    about = Q(finding=row.pk) | Q(fingerprint=row.fingerprint)
    decisions = visible(actor, Acceptance, "findings.view").filter(about).select_related("person").order_by("-id")
    before = visible(actor, Finding).filter(fingerprint=row.fingerprint).exclude(pk=row.pk).order_by("-id")
    return Whole(row, list(decisions[:AGO]), list(before[:AGO]))


def grant(actor: Actor, pk: UUID) -> Grant | None:
    """The grant a finding is about, as far as this actor sees it and who holds it."""
    return visible(actor, Grant).select_related("person").filter(pk=pk).first()


def state_of(row: Any) -> str:
    """One word for where it stands."""
    if row.closed_at:
        return "closed"
    if row.accepted:
        return "accepted"
    if row.unknown_since:
        return "unknown"
    return "acknowledged" if row.acknowledged else "open"


def shown(row: Any) -> dict[str, Any]:
    """A finding as the API shows it."""
    return {
        "id": str(row.pk), "check": row.check_name, "fingerprint": row.fingerprint, "severity": row.severity,
        "state": state_of(row), "acknowledged": row.acknowledged, "accepted": row.accepted,
        "client": row.client.slug if row.client_id and row.client else None,
        "domain": row.domain.name if row.domain_id and row.domain else None,
        "object": {"noun": row.noun, "id": str(row.object) if row.object else None, "label": row.label},
        "title": row.title, "evidence": row.evidence,
        "suggestion": {"kind": row.kind, "params": row.params} if row.kind else None,
        "since": _iso(row.since), "seen": _iso(row.at), "unknown_since": _iso(row.unknown_since),
        "unknown_why": row.unknown_why, "closed_at": _iso(row.closed_at), "told": _iso(row.told),
    }  # fmt: skip


def shown_whole(found: Whole) -> dict[str, Any]:
    decisions = [
        {"sort": one.sort, "reason": one.reason, "made": _iso(one.made), "until": _iso(one.until),
         "ended_at": _iso(one.ended_at), "person": one.person.email if one.person_id and one.person else None}
        for one in found.decisions
    ]  # fmt: skip
    before = [{"id": str(one.pk), "since": _iso(one.since), "closed_at": _iso(one.closed_at)} for one in found.before]
    return {**shown(found.finding), "decisions": decisions, "before": before}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
