"""Look whether the control of new domains can be read from outside, often at first and then less."""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.kinds.domains import ProveDomain
from postroom.changes.pipeline import submit
from postroom.dns.proof import Proof, below, names_between, proof
from postroom.models import Domain, Reading

from .zones import resolver

AT_ONCE = 50
FIRST, LONGEST = 2.0, 600.0
FRESH = timedelta(minutes=10)


class Proofs:
    """Which domains wait for proof, and when each is looked at next; kept in memory, since it may be lost."""

    def __init__(self) -> None:
        self.next: dict[str, tuple[float, float]] = {}

    def look(self) -> int:
        """Look at what is due; how many were proven."""
        with acting_as(SYSTEM):
            waiting = {str(d.pk): d for d in Domain.objects.filter(proof="waiting", removed_at=None)}
        self.next = {pk: self.next.get(pk, (0.0, FIRST)) for pk in waiting}
        now = time.monotonic()
        due = sorted((at, pk) for pk, (at, _) in self.next.items() if at <= now)[:AT_ONCE]
        return sum(self._look_at(pk, waiting[pk]) for _, pk in due)

    def _look_at(self, pk: str, domain: Domain) -> bool:
        ours = settings.POSTROOM.name_servers
        read = proof(resolver(), domain.name, domain.proof_token, ours)
        wait = self.next[pk][1]
        self.next[pk] = (time.monotonic() + wait, min(wait * 1.5, LONGEST))
        if read.sort is not None:
            return _proven(domain, read)
        for above in _vouching(domain, ours):
            read = below(resolver(), domain.name, above, ours)
            if read.sort is not None:
                return _proven(domain, read, under=above)
        return False


def _vouching(domain: Domain, ours: Sequence[str]) -> list[str]:
    """Domains of the same client above this one, the nearest first, whose own proof was read and whose zone, as we hold
    it, leaves this name to nobody else. None where the nearest of all is another client's, waits, or is not read."""
    with acting_as(SYSTEM):
        names = domain.name.split(".")
        above = [".".join(names[n:]) for n in range(1, len(names))]
        rows = sorted(Domain.objects.filter(name__in=above), key=lambda row: -len(row.name))
        if any(row.client_id != domain.client_id for row in rows):
            return []
        rows = [row for row in rows if row.removed_at is None]
        if any(row.proof != "read" for row in rows):
            return []
        return [row.name for row in rows if row.hosting == "hosted" and _keeps(row.name, domain.name, ours)]


def _keeps(zone: str, name: str, ours: Sequence[str]) -> bool:
    """The zone was read a moment ago, and no NS in it leads on the way to this name to servers that are not ours.

    Our own server answers for a zone below from that zone; what the zone above says of it stands in readings alone.
    """
    if not Reading.objects.filter(zone=zone, name="", type="", failed="", at__gt=timezone.now() - FRESH).exists():
        return False
    cuts = Reading.objects.filter(zone=zone, name__in=names_between(name, zone), type="NS", values__isnull=False)
    dotted = {f"{one.rstrip('.').lower()}." for one in ours}
    return all(set(values or ()) <= dotted for values in cuts.values_list("values", flat=True))


def _proven(domain: Domain, read: Proof, *, under: str | None = None) -> bool:
    seen = next(one for one in reversed(read.evidence) if one.agrees)
    said = f"{read.sort}: {seen.question} at {seen.server}: {seen.answer}"
    kind = ProveDomain(domain=domain.name, proof=said[:200], under=under)
    try:
        change = submit(kind, actor=SYSTEM, why="its control was read from outside")
    except (NothingToDo, Problems):
        return False
    return change.version is not None
