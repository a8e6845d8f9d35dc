"""Domains whose login at the registrar one person alone is known to hold.

Who leaves, falls ill or falls out with the client takes the domain along. ICANN SSAC, SAC 044, *A Registrant's Guide
to Protecting Domain Name Registration Accounts* (more than one point of contact). Where nobody is known to hold it,
nothing is known, and the inventory sheet counts it so: that is no finding.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from postroom.models import Domain
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading


def evaluate(domains: Iterable[Domain]) -> Iterator[Found]:
    for one in domains:
        if one.registrar_holder and _same(one.second_holder, one.registrar_holder):
            evidence = {"registrar": one.registrar, "holder": one.registrar_holder}
            title = f"The login at the registrar of {one.name} is held by one alone"
            yield Found("medium", "domains", one.pk, one.name, title, "one holder", client=one.client_id, domain=one.pk,
                        evidence=evidence, kind="domains.change", params={"domain": one.name})  # fmt: skip


def _same(second: str, first: str) -> bool:
    """Nobody else: nobody, or the same again."""
    return second.casefold().strip() in ("", first.casefold().strip())


def _read(now: datetime) -> Iterator[Found]:
    kept = Domain.objects.filter(removed_at=None, client__removed_at=None).exclude(registrar_holder="")
    return evaluate(kept.order_by("id").iterator(chunk_size=2_000))


HOLDERS = Check(
    "domains.holders", "Does more than one hold each registrar login?", "ICANN SSAC, SAC 044", 300, reading(_read)
)  # fmt: skip
