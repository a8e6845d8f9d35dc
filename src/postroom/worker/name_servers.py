"""Ask every authoritative server of a zone, as its parent names them, what it says of the record sets we answer for.

An observer: it writes readings of servers and changes nothing. That a server did not answer is written as just that,
and the others are asked all the same. A server that was silent is let be for a minute, whatever zones it has.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Min
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Domain, Reading, RecordSet, ServerReading
from postroom.resolve.answer import NotRead, Resolver, Server

from .cadence import at_once, side_by_side
from .zones import resolver

AT_ONCE = 10
FRESH, WITHIN = timedelta(seconds=60), timedelta(minutes=8)
LET_BE, LOST = 60.0, 600.0
Said = dict[str, list[str]]
Asked = Sequence[tuple[str, str]]  # (name, type)


@dataclass(frozen=True)
class Looked:
    """What each server of a domain said, and why nothing where one did not; began: when they were first asked."""

    domain: Domain
    found: Mapping[str, tuple[Said, str]]
    began: datetime


class NameServers:
    """Which servers were silent, which domains had none to ask, and until when they are let be; kept in memory, since
    it may be lost."""

    def __init__(self) -> None:
        self.silent: dict[Server, tuple[float, str]] = {}
        self.lost: dict[UUID, float] = {}

    def look(self) -> int:
        """At the proven domains whose servers were not asked for the longest; how many. One that has none to ask stands
        in nobody's way: nothing is read of it, so it would be the longest unread for ever."""
        self.lost = {pk: until for pk, until in self.lost.items() if time.monotonic() < until}
        with acting_as(SYSTEM):
            proven = Domain.objects.filter(removed_at=None, proof="read").exclude(hosting="provider")
            proven = proven.exclude(pk__in=list(self.lost))
            many = at_once(proven.count(), least=AT_ONCE, within=WITHIN)
            longest = proven.annotate(asked=Min("serverreading__at")).order_by(F("asked").asc(nulls_first=True))
            due = [d for d in longest[:many] if d.asked is None or d.asked < timezone.now() - FRESH]
            sets = RecordSet.objects.filter(domain__in=due, set_aside__isnull=True).exclude(values=[], ours=[])
            asked: dict[object, list[tuple[str, str]]] = {}
            for domain, name, type in sets.values_list("domain", "name", "type"):
                asked.setdefault(domain, []).append((name, type))
        names = resolver()
        looked = side_by_side(lambda d: self._look_at(names, d, sorted(asked.get(d.pk, ()))), due)
        keep([one for one in looked if one is not None])
        return len(due)

    def _look_at(self, names: Resolver, domain: Domain, asked: Asked) -> Looked | None:
        """Where its parent cannot be asked, or names nobody, what was read of its servers before grows old."""
        began = timezone.now()
        servers = names.authoritative(f"{domain.name}.")
        if isinstance(servers, NotRead) or not servers:
            self.lost[domain.pk] = time.monotonic() + LOST
            return None
        return Looked(domain, {server.name: self._ask(names, server, asked) for server in servers}, began)

    def _ask(self, names: Resolver, server: Server, asked: Asked) -> tuple[Said, str]:
        """(what it says, why nothing is known). Whatever it answered before it fell silent does not count."""
        until, why = self.silent.get(server, (0.0, ""))
        if time.monotonic() < until:
            return {}, why
        said: Said = {}
        for name, type in asked:
            answer = names.ask(server, name, type)
            if isinstance(answer, NotRead):
                self.silent[server] = (time.monotonic() + LET_BE, answer.why)
                return {}, answer.why
            said[f"{type} {name}"] = list(answer.values)
        return said, ""


def keep(looks: Sequence[Looked]) -> None:
    """One row a domain and server; those that are a zone's no more go, and with them what was said of them.

    Where a zone was read since its servers were first asked, it may have been written as well, and what they said
    before that would look like an answer to it: they are asked again.
    """
    now = timezone.now()
    with acting_as(SYSTEM):
        marks = Reading.objects.filter(zone__in=[one.domain.name for one in looks], name="", type="")
        read = dict(marks.order_by("at").values_list("zone", "at"))
        still = [one for one in looks if read.get(one.domain.name, one.began) <= one.began]
        rows = ServerReading.objects.filter(domain__in=[one.domain for one in still])
        failed = rows.exclude(failed="").values_list("domain", "server", "failed_since")
        since = {(domain, server): at for domain, server, at in failed}
        rows.delete()
        ServerReading.objects.bulk_create([row for one in still for row in _rows(one, since, now)])


def _rows(looked: Looked, since: Mapping[tuple[UUID, str], datetime | None], now: datetime) -> Iterable[ServerReading]:
    domain = looked.domain
    for server, (said, why) in looked.found.items():
        yield ServerReading(
            at=now, client_id=domain.client_id, domain=domain, server=server, said=said, failed=why,
            failed_since=(since.get((domain.pk, server)) or now) if why else None,
        )  # fmt: skip
