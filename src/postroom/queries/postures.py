"""What was last found of domains' DNS by the rules mail is judged by: of many, and of one with every result.

A posture that is older than three rounds of looking says nothing of now: it is unknown, whatever it was. What a domain
in care was never looked at for has none, and is unknown too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.errors import Problem
from postroom.models import Domain, Posture
from postroom.models.postures import HOLDS
from postroom.protocols.posture import AREAS, WORST, Score, score

from .objects import NOUNS, narrowed, row_of
from .page import Page, page

VIEW = "domains.view"
SIZE = 25
STATES = ("bad", "unknown", "warn", "good")
NEVER, LONG_AGO = "it was not looked at yet", "it was last looked at more than three quarters of an hour ago"


@dataclass(frozen=True)
class Asked:
    """state: of STATES, good are those with nothing to mend. area: of AREAS, whose level is meant; empty: the worst."""

    client: str = ""
    state: str = ""
    area: str = ""
    search: str = ""
    after: str = ""


@dataclass(frozen=True)
class Standing:
    """One domain. levels: area → the worst there; none where nothing is known, and `unknown` says why."""

    domain: Domain
    level: str
    levels: Mapping[str, str]
    unknown: str
    at: datetime | None
    since: datetime | None


@dataclass(frozen=True)
class Whole:
    """One domain with every result, as JSON (protocols/posture.py), and what they cost it; None: nothing is known."""

    standing: Standing
    results: tuple[dict[str, Any], ...]
    score: Score | None


def listed(actor: Actor, asked: Asked, *, limit: int = SIZE) -> Page[Standing]:
    """Domains by name, a page at a time: two queries, three with a client named."""
    _known("state", asked.state, STATES)
    _known("area", asked.area, AREAS)
    if asked.area and not asked.state:
        raise Problem("area", "say which state of it is meant, with state=")
    now = timezone.now()
    rows: QuerySet[Any] = narrowed(actor, NOUNS["domains"], client=asked.client or None, search=asked.search or None)
    rows = rows.filter(removed_at=None)
    if asked.state:
        rows = rows.filter(_wanted(actor, asked, now))
    found = page(rows, key="name", after=asked.after or None, limit=limit, along=("client",))
    kept = visible(actor, Posture, VIEW).filter(domain__in=[one.pk for one in found.items]).defer("results")
    by_domain: dict[UUID, Posture] = {one.domain_id: one for one in kept}
    return Page([_standing(one, by_domain.get(one.pk), now) for one in found.items], found.next)


def whole(actor: Actor, ref: str) -> Whole:
    """Raises NotThere."""
    domain: Domain = row_of(actor, "domains", ref)
    row, now = visible(actor, Posture, VIEW).filter(domain=domain.pk).first(), timezone.now()
    standing = _standing(domain, row, now)
    if row is None or standing.unknown:
        return Whole(standing, (), None)
    results = tuple(row.results)
    return Whole(standing, results, score([(one["rule"], one["level"]) for one in results]))


def _wanted(actor: Actor, asked: Asked, now: datetime) -> Q:
    fresh = visible(actor, Posture, VIEW).filter(at__gt=now - HOLDS)
    if asked.state == "good":
        mended = Q(**{f"levels__{asked.area}__in": ["good", "info"]}) if asked.area else Q(level__in=["good", "info"])
        return Q(pk__in=fresh.filter(mended).values("domain"))
    if asked.state == "unknown":
        known = fresh.filter(unfinished="")
        known = known.exclude(**{f"levels__{asked.area}": "unknown"}) if asked.area else known.exclude(level="unknown")
        return ~Q(pk__in=known.values("domain"))
    about = {f"levels__{asked.area}": asked.state} if asked.area else {"level": asked.state}
    return Q(pk__in=fresh.filter(**about).values("domain"))


def _standing(domain: Domain, row: Posture | None, now: datetime) -> Standing:
    if row is None:
        return Standing(domain, "unknown", {}, NEVER, None, None)
    why = row.unfinished or (LONG_AGO if row.at <= now - HOLDS else "")
    return Standing(domain, "unknown" if why else row.level, {} if why else row.levels, why, row.at, row.since)


def _known(field: str, value: str, known: tuple[str, ...]) -> None:
    if value and value not in known:
        raise Problem(field, f"{value[:40]!r} is none of {', '.join(known)}")


def shown(one: Standing) -> dict[str, Any]:
    """As JSON. levels: by area."""
    return {
        "domain": one.domain.name, "client": one.domain.client.slug, "level": one.level, "levels": dict(one.levels),
        "unknown": one.unknown, "at": one.at and one.at.isoformat(), "since": one.since and one.since.isoformat(),
    }  # fmt: skip


def shown_whole(one: Whole) -> dict[str, Any]:
    score = one.score
    lost = [each._asdict() for each in score.lost] if score else []
    told = {"points": score.points, "at_most": score.at_most, "lost": lost} if score else None
    return {**shown(one.standing), "score": told, "results": list(one.results)}


def worst_first(results: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """What is to be mended before what is good; within a level, as the table of rules has them."""
    return sorted(results, key=lambda one: WORST.index(one["level"]))
