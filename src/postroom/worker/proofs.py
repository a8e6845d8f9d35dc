"""Look whether the control of new domains can be read from outside, often at first and then less."""

import time

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.kinds.domains import ProveDomain
from postroom.changes.pipeline import submit
from postroom.dns.proof import Proof, proof
from postroom.models import Domain

from .zones import resolver

AT_ONCE = 50
FIRST, LONGEST = 2.0, 600.0


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
        read = proof(resolver(), domain.name, domain.proof_token, settings.POSTROOM.name_servers)
        wait = self.next[pk][1]
        self.next[pk] = (time.monotonic() + wait, min(wait * 1.5, LONGEST))
        return read.sort is not None and _proven(domain, read)


def _proven(domain: Domain, read: Proof) -> bool:
    seen = next(one for one in reversed(read.evidence) if one.agrees)
    said = f"{read.sort}: {seen.question} at {seen.server}: {seen.answer}"
    kind = ProveDomain(domain=domain.name, proof=said[:200])
    try:
        change = submit(kind, actor=SYSTEM, why="its control was read from outside")
    except (NothingToDo, Problems):
        return False
    return change.version is not None
