"""Look at the DNS of all domains, the longest unseen first, by the rules mail is judged by, and keep what is found.

An observer: it asks the installation's validating resolver and writes postures. After a change of ours to a zone it is
looked at again each minute until no resolver remembers what stood there before. What the resolver does not answer is
unknown, and kept as just that: it takes the place of what was known.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, DkimKey, Domain, Posture
from postroom.posture.sweep import Looked, sweep
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.domain import Known
from postroom.protocols.judges.mta_sts import Fetched
from postroom.protocols.posture import as_json, by_area, worst
from postroom.resolve.cache import Cache
from postroom.resolve.engine import Engine
from postroom.resolve.policy_file import fetch
from postroom.resolve.unbound import REMEMBERED
from postroom.resolve.upstream import Upstream

from .cadence import at_once

EVERY = timedelta(minutes=15)
WITHIN = timedelta(minutes=14)
AT_ONCE = 20
SOON = timedelta(seconds=60)
SETTLED = timedelta(seconds=REMEMBERED + 30)
KEPT = ("at", "client_id", "since", "level", "levels", "results", "unfinished")


def look() -> int:
    """At those whose turn it is; how many."""
    server = settings.POSTROOM.resolver
    if server is None:
        return 0
    upstream, now = Upstream(server[0], server[1], validates=True), timezone.now()
    with acting_as(SYSTEM):
        due = _due(now)
        known = _known(due)
    found = asyncio.run(_looked(upstream, [(one.name, known[one.pk]) for one in due]))
    keep(due, found, now)
    return len(due)


def _due(now: datetime) -> list[Domain]:
    """Those not looked at for a quarter of an hour, and those of which a zone was written a little while ago."""
    domains = Domain.objects.filter(removed_at=None, client__removed_at=None)
    written = Delivery.objects.filter(target="zone", object=OuterRef("pk"), done=True, since__gt=now - SETTLED)
    turn = Q(posture__isnull=True) | Q(posture__at__lt=now - EVERY) | Q(Exists(written), posture__at__lt=now - SOON)
    rows = domains.filter(turn).order_by(F("posture__at").asc(nulls_first=True))
    return list(rows[: at_once(domains.count(), least=AT_ONCE, within=WITHIN)])


def _known(domains: Sequence[Domain]) -> dict[UUID, Known]:
    """What is known of each beside its DNS: the keys we sign with, and selectors we signed with once."""
    env, keys = settings.POSTROOM, dict[UUID, list[Selector]]()
    rows = DkimKey.objects.filter(domain__in=domains).exclude(public="").order_by("selector")
    for row in rows.exclude(activated_at=None):
        keys.setdefault(row.domain_id, []).append(Selector(row.selector, "" if row.retired_at else row.public))
    return {
        one.pk: Known(
            selectors=tuple(keys.get(one.pk, ())), reports=env.reports_to, private=env.dns_root is not None,
        )
        for one in domains
    }  # fmt: skip


async def _looked(upstream: Upstream, domains: Sequence[tuple[str, Known]]) -> list[Looked]:
    async with Engine([upstream]) as engine:
        return [one async for one in sweep(Cache(engine.ask), domains, fetch=_policy)]


def _policy(host: str, addresses: tuple[str, ...]) -> Fetched:
    return Fetched(*fetch(host, addresses))


def keep(domains: Iterable[Domain], found: Iterable[Looked], now: datetime) -> None:
    """One row a domain. What was found of one that is looked at anew meanwhile stays as the newer look has it."""
    by_name = {one.name: one for one in domains}
    with acting_as(SYSTEM):
        standing = {one.domain_id: one for one in Posture.objects.filter(domain__in=by_name.values())}
        rows = list(_rows(by_name, found, standing, now))
        Posture.objects.bulk_create([row for row in rows if row.pk is None], ignore_conflicts=True)
        Posture.objects.bulk_update([row for row in rows if row.pk is not None], KEPT)


def _rows(
    by_name: dict[str, Domain], found: Iterable[Looked], standing: dict[UUID, Posture], now: datetime
) -> Iterator[Posture]:
    for one in found:
        domain, said = by_name[one.domain], _said(one)
        row = standing.get(domain.pk) or Posture(domain=domain, since=now)
        if any(getattr(row, name) != value for name, value in said.items()):
            row.since = now
        for name, value in said.items():
            setattr(row, name, value)
        row.at, row.client_id = now, domain.client_id
        yield row


def _said(one: Looked) -> dict[str, Any]:
    if one.unfinished:
        return {"level": "unknown", "levels": {}, "results": [], "unfinished": one.unfinished}
    return {
        "level": worst(each.level for each in one.results), "levels": by_area(one.results),
        "results": [as_json(each) for each in one.results], "unfinished": "",
    }  # fmt: skip
