"""The day on which an exception is looked at again is one of its own days."""

import pytest

from cast import MIA, House, do
from postroom.changes.errors import Problem, Problems
from routed import later

OUT = {"owner": "Mia", "until": later(30)}


@pytest.mark.parametrize("day", ["2020-01-01", "2040-01-01"])
@pytest.mark.parametrize("kind, more", [
    ("exceptions.create", {"target": "mia@gmail.com"}), ("transports.create", {"host": "mx.partner.test"}),
])  # fmt: skip
def test_a_day_before_today_or_after_its_end_is_none(house: House, kind: str, more: dict[str, str], day: str) -> None:
    with pytest.raises((Problem, Problems), match="review_on"):
        do(kind, house.olive, address=MIA, **OUT, **more, review_on=day)


def test_a_day_between_is_kept(house: House) -> None:
    asked = {"address": MIA, "target": "mia@gmail.com", **OUT, "review_on": later(10)[:10]}
    assert do("exceptions.create", house.olive, **asked).stage == "held"
