"""sign_in.devices: one account in use at once from two places, of which one is no device of its person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from cast import House, do, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Device, Finding, Person
from postroom.posture.checks.devices import DEVICES, Session, evaluate
from postroom.posture.run import run
from postroom.web.signing import login_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHO, OLIVE = UUID(int=9), "olive@northlight.example"
FOX, APE = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0 (iPhone) Safari/604.1"
HOME, AWAY = "192.0.2.1", "198.51.100.1"
KNOWN = {(WHO, "192.0.0.0/16", "Firefox on Linux"), (UUID(int=8), "198.51.0.0/16", "Safari on iOS")}


@pytest.mark.parametrize(
    "sessions, strange",
    [
        ([], None),
        ([(HOME, FOX, 0)], None),
        ([(AWAY, APE, 0)], None),  # alone, it may be its person
        ([(HOME, FOX, 0), (HOME, FOX, 1)], None),
        ([(HOME, FOX, 0), (AWAY, APE, 1)], ["Safari on iOS in 198.51.0.0/16"]),  # somebody else's device
        ([(HOME, FOX, 0), (HOME, APE, 1)], ["Safari on iOS in 192.0.0.0/16"]),
        ([(HOME, FOX, 0), (AWAY, FOX, 1)], ["Firefox on Linux in 198.51.0.0/16"]),
        ([(HOME, FOX, 0), (AWAY, APE, 11)], None),
        ([(HOME, APE, 0), (AWAY, APE, 1)], ["Safari on iOS in 192.0.0.0/16", "Safari on iOS in 198.51.0.0/16"]),
        ([(HOME, FOX, 0), ("", "", 0)], ["Another browser on another system in an unknown network"]),
    ],
)
def test_what_is_strange_beside_another(sessions: list[tuple[str, str, int]], strange: list[str] | None) -> None:
    rows = [
        Session(WHO, OLIVE, ip, said, NOW - timedelta(hours=1), NOW - timedelta(minutes=ago))
        for ip, said, ago in sessions
    ]
    found = list(evaluate(rows, KNOWN, NOW))
    assert bool(found) == bool(strange)
    for one in found:
        told = [line.partition(",")[0] for line in one.evidence["not registered"]]
        assert told == (strange or []) and "since 2025-12-31T23:00:00" in one.evidence["not registered"][0]
        assert (one.severity, one.object) == ("medium", WHO)
        KINDS[one.kind].model_validate(one.params)


def signed_in(actor: Actor, *places: tuple[str, str]) -> None:
    with acting_as(SYSTEM):
        login = login_of(Person.objects.get(pk=actor.person), None)
    for n, (ip, said) in enumerate(places):
        UserSession.objects.create(user=login, ip=ip, user_agent=said, session_key=f"{actor.person}{n}",
                                   last_seen_at=timezone.now())  # fmt: skip


def looked() -> list[Finding]:
    run(DEVICES)
    with acting_as(SYSTEM):
        return list(Finding.objects.filter(check_name="sign_in.devices", closed_at=None))


def test_registered_it_closes_and_forgotten_it_opens(house: House) -> None:
    signed_in(house.olive, (HOME, FOX), (AWAY, APE))
    signed_in(house.carl, (HOME, FOX), (AWAY, APE))  # a client's: its own business
    do("devices.register", SYSTEM, person=OLIVE, network="192.0.0.0/16", browser="Firefox on Linux")
    (one,) = looked()
    assert one.label == OLIVE and one.evidence["registered"][0].startswith("Firefox on Linux in 192.0.0.0/16, since")
    do("devices.register", SYSTEM, person=OLIVE, network="198.51.0.0/16", browser="Safari on iOS")
    assert looked() == []
    do("devices.forget", SYSTEM, device=str(the(Device, browser="Safari on iOS").pk))
    assert len(looked()) == 1
    UserSession.objects.filter(ip=AWAY).delete()
    assert looked() == []


def test_a_device_of_somebody_else_is_none_of_hers(house: House) -> None:
    for person in (OLIVE, "ada@northlight.example"):
        do("devices.register", SYSTEM, person=person, network="192.0.0.0/16", browser="Firefox on Linux")
    do("devices.register", SYSTEM, person="ada@northlight.example", network="198.51.0.0/16", browser="Safari on iOS")
    signed_in(house.olive, (HOME, FOX), (AWAY, APE))
    assert [one.label for one in looked()] == [OLIVE]
