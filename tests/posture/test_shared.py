"""sign_in.shared: one account of the organization's people from two networks far apart, at the same time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from cast import House
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.kind import KINDS
from postroom.models import Finding, Person
from postroom.posture.checks.shared import SHARED, Session, evaluate
from postroom.posture.run import run
from postroom.web.signing import login_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "places, wanted",
    [
        ([], 0),
        ([("192.0.2.1", 0)], 0),
        ([("192.0.2.1", 0), ("192.0.200.9", 1)], 0),
        ([("192.0.2.1", 0), ("192.1.2.1", 1)], 2),
        ([("192.0.2.1", 0), ("192.1.2.1", 10)], 2),
        ([("192.0.2.1", 0), ("192.1.2.1", 11)], 0),
        ([("192.0.2.1", 11), ("192.1.2.1", 12)], 0),
        ([("2001:db8:1::1", 0), ("2001:db8:1:ffff::1", 0)], 0),
        ([("2001:db8:1::1", 0), ("2001:db8:2::1", 0)], 2),
        ([("192.0.2.1", 0), ("::ffff:192.0.9.9", 0)], 0),
        ([("192.0.2.1", 0), ("2001:db8::1", 0), ("198.51.100.1", 3)], 3),
        ([("192.0.2.1", 0), ("", 0), ("unknown", 0)], 0),
    ],
)
def test_what_is_far_apart_and_at_once(places: list[tuple[str, int]], wanted: int) -> None:
    who = UUID(int=9)
    sessions = [Session(who, "olive@x.example", at, NOW - timedelta(minutes=ago)) for at, ago in places]
    elsewhere = Session(UUID(int=8), "ada@x.example", "203.0.113.1", NOW)
    found = list(evaluate([*sessions, elsewhere], NOW))
    assert [len(one.evidence["networks"]) for one in found] == ([wanted] if wanted else [])
    for one in found:
        assert (one.severity, one.object, one.client) == ("medium", who, None)
        KINDS[one.kind].model_validate(one.params)


def test_read_from_sessions_as_they_are_and_closed_when_one_of_them_rests(house: House) -> None:
    signed_in(house.olive, "192.0.2.1", "198.51.100.1")
    signed_in(house.carl, "192.0.2.1", "198.51.100.1")  # a client's: its own business
    signed_in(house.ada, "192.0.2.1")
    run(SHARED)
    with acting_as(SYSTEM):
        (one,) = Finding.objects.filter(check_name="sign_in.shared", closed_at=None)
    assert one.label == "olive@northlight.example" and set(one.evidence["networks"]) == {"192.0.0.0/16",
                                                                                        "198.51.0.0/16"}  # fmt: skip
    UserSession.objects.filter(ip="198.51.100.1").update(last_seen_at=timezone.now() - timedelta(minutes=11))
    run(SHARED)
    with acting_as(SYSTEM):
        assert not Finding.objects.filter(closed_at=None).exists()


def signed_in(who: Actor, *sources: str) -> None:
    with acting_as(SYSTEM):
        login = login_of(Person.objects.get(pk=who.person), None)
    for n, source in enumerate(sources):
        UserSession.objects.create(user=login, ip=source, session_key=f"{login.pk}-{n}", user_agent="test")
