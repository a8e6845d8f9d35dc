"""What doctor says of the clock."""

from datetime import timedelta

from django.utils import timezone

from cast import House
from postroom.access.acting import SYSTEM, acting_as
from postroom.cli import doctor
from postroom.models import Due


def test_a_line_the_clock_has_not_done_is_wrong_after_five_minutes(house: House) -> None:
    assert [one.good for one in doctor._safely(doctor._clock)] == [True]
    with acting_as(SYSTEM):
        Due.objects.create(at=timezone.now() - timedelta(minutes=4), kind="grants.end")
    assert [one.good for one in doctor._safely(doctor._clock)] == [True]
    with acting_as(SYSTEM):
        Due.objects.create(at=timezone.now() - timedelta(minutes=6), kind="freezes.end")
    (found,) = doctor._safely(doctor._clock)
    assert found.good is False and "freezes.end" in found.words
