"""Is a mailbox of a role signed in to by one person, or by several with one password?

NIST SP 800-53 r5, AC-2 (9) (shared accounts) and NIST SP 800-63B-4, 3.2.10. Found where it is signed in to from
networks far apart at the same time, as nodes list sessions: that is one /16, or /48 of IPv6, and another. One person
may well be in two places with a laptop and a phone, so it is no more than a question; a shared mailbox with members
is the answer to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.models import LiveSession
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

from .shared import network_of

FEW = 3  # places at once: what a person, their phone and their home come to is not yet found


@dataclass(frozen=True)
class Signed:
    """One session that is open now."""

    mailbox: UUID
    address: str
    client: UUID
    domain: UUID
    source: str


def evaluate(sessions: Iterable[Signed]) -> Iterator[Found]:
    places: dict[UUID, tuple[Signed, set[str]]] = {}
    for one in sessions:
        if network := network_of(one.source):
            places.setdefault(one.mailbox, (one, set()))[1].add(network)
    for one, networks in places.values():
        if len(networks) >= FEW:
            yield Found(
                "medium", "mailboxes", one.mailbox, one.address,
                f"{one.address} is signed in to from {len(networks)} distant networks at once", client=one.client,
                domain=one.domain, evidence={"networks": sorted(networks)},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    roles = LiveSession.objects.filter(mailbox__kind__in=("role", "admin"), mailbox__removed_at=None).order_by("pk")
    rows = roles.values_list("mailbox", "mailbox__address__address", "client", "domain", "address")
    return evaluate([Signed(*row) for row in rows])


MANY_HANDS = Check(
    "mailboxes.many_hands", "Is a role's mailbox one person's?", "NIST SP 800-53 r5, AC-2 (9)", 300, reading(_read)
)
