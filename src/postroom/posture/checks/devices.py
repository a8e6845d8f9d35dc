"""One account of the organization's people in use at once in two places, and one of them no device of that person.

NIST SP 800-53 r5, AC-2 (12) (atypical usage). A device is a browser on a system in a network (/16, or /48 of IPv6),
which its person registered from there with a fresh second factor. So two browsers of one family in one network are one
device, and whoever pretends to be the browser of somebody in the same network is not seen here: only the cookies of
session and form are set, by neither of which a device is known again. Terminals, confirmed in a browser, do not count.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db.models import Q

from postroom.access.roles import CLIENT_ROLES
from postroom.models import Device, Grant
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.user_agents import family

from .shared import WITHIN, network_of

Place = tuple[str, str]  # network, browser


@dataclass(frozen=True)
class Session:
    """Where somebody is signed in, with what, since when, and when it was used last."""

    person: UUID
    email: str
    source: str
    user_agent: str
    since: datetime
    seen: datetime

    @property
    def place(self) -> Place:
        return place_of(self.source, self.user_agent)


def place_of(source: str, user_agent: str) -> Place:
    """What a device is known by."""
    return network_of(source) or "an unknown network", family(user_agent)


def evaluate(
    sessions: Iterable[Session], registered: Collection[tuple[UUID, str, str]], now: datetime
) -> Iterator[Found]:
    live: dict[tuple[UUID, str], dict[Place, datetime]] = {}
    for one in sessions:
        if one.seen >= now - WITHIN:
            at = live.setdefault((one.person, one.email), {})
            at[one.place] = min(one.since, at.get(one.place, one.since))
    for (person, email), places in live.items():
        strange = {place: since for place, since in places.items() if (person, *place) not in registered}
        if strange and len(places) > 1:
            yield _found(person, email, strange, {place: places[place] for place in places.keys() - strange.keys()})


def _found(person: UUID, email: str, strange: dict[Place, datetime], known: dict[Place, datetime]) -> Found:
    count = f"{len(strange)} devices that are" if len(strange) > 1 else "a device that is"
    title = f"{email} is used from {count} not registered, beside another session"
    evidence = {"not registered": _said(strange), "registered": _said(known)}
    return Found("medium", "people", person, email, title, evidence=evidence, kind="people.suspend",
                 params={"person": email})  # fmt: skip


def _said(places: dict[Place, datetime]) -> list[str]:
    return [
        f"{browser} in {network}, since {since.isoformat(timespec='seconds')}"
        for (network, browser), since in sorted(places.items())
    ]


def _read(now: datetime) -> Iterator[Found]:
    lasting = Q(until=None) | Q(until__gt=now)
    held = Grant.objects.filter(lasting, ended_at=None, person__suspended_at=None, person__removed_at=None)
    people = held.exclude(role__in=CLIENT_ROLES).values("person")
    rows = UserSession.objects.filter(user__person__in=people, last_seen_at__gte=now - WITHIN).order_by("user", "pk")
    found = rows.values_list("user__person", "user__person__email", "ip", "user_agent", "created_at", "last_seen_at")
    mine = Device.objects.filter(ended_at=None).values_list("person", "network", "browser")
    yield from evaluate((Session(*row) for row in found), set(mine), now)


DEVICES = Check(
    "sign_in.devices", "Is every account used from its person's devices alone?", "NIST SP 800-53 r5, AC-2 (12)", 60,
    reading(_read),
)  # fmt: skip
