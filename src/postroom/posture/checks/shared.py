"""One account of the organization's people, used at the same time from networks far apart: a sign-in that is shared.

NIST SP 800-63B-4, 3.2.10 (a session is of one subscriber) and NIST SP 800-53 r5, AC-2 (9) (shared accounts). Far apart
is another /16, or another /48 of IPv6; at the same time, both used within ten minutes. A person who moves from one
network to another in that time is found as well, and the finding closes by itself.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db.models import Q

from postroom.access.roles import CLIENT_ROLES
from postroom.models import Grant
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

WITHIN = timedelta(minutes=10)
WIDTH = {4: 16, 6: 48}


@dataclass(frozen=True)
class Session:
    """Where somebody is signed in, and when it was used last."""

    person: UUID
    email: str
    source: str
    seen: datetime


def evaluate(sessions: Iterable[Session], now: datetime) -> Iterator[Found]:
    used: dict[tuple[UUID, str], dict[str, datetime]] = {}
    for one in sessions:
        if one.seen >= now - WITHIN and (network := network_of(one.source)):
            at = used.setdefault((one.person, one.email), {})
            at[network] = max(one.seen, at.get(network, one.seen))
    for (person, email), networks in used.items():
        if len(networks) > 1:
            yield _found(person, email, networks)


def network_of(source: str) -> str:
    """The /16 or /48 an address lies in; empty for what is none."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return ""
    plain = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((plain, WIDTH[plain.version]), strict=False))


def _found(person: UUID, email: str, networks: Mapping[str, datetime]) -> Found:
    seen = {network: at.isoformat(timespec="seconds") for network, at in sorted(networks.items())}
    title = f"{email} is used from {len(networks)} distant networks at once"
    return Found("medium", "people", person, email, title, evidence={"networks": seen}, kind="people.suspend",
                 params={"person": email})  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    lasting = Q(until=None) | Q(until__gt=now)
    held = Grant.objects.filter(lasting, ended_at=None, person__suspended_at=None, person__removed_at=None)
    people = held.exclude(role__in=CLIENT_ROLES).values("person")
    rows = UserSession.objects.filter(user__person__in=people, last_seen_at__gte=now - WITHIN)
    found = rows.order_by("user", "pk").values_list("user__person", "user__person__email", "ip", "last_seen_at")
    yield from evaluate((Session(*row) for row in found), now)


SHARED = Check(
    "sign_in.shared", "Is every account used by one person alone?", "NIST SP 800-53 r5, AC-2 (9)", 60, reading(_read)
)
