"""Until when mail may leave, and when somebody looks at that again: what is wrong with the days that were said."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from postroom.changes.errors import Problem
from postroom.changes.state import State

LONGEST = timedelta(days=366)


def late(until: datetime, state: State) -> Iterator[Problem]:
    """Why nothing may stand until then; nothing where it may."""
    if until <= state.now:
        yield Problem("until", f"{until.isoformat()} has passed")
    if until > state.now + LONGEST:
        yield Problem("until", "a year from now at most: what leaves is looked at again by then")


def soon(until: datetime, state: State) -> None:
    for problem in late(until, state):
        raise problem


def unfit(review_on: date | None, until: datetime, state: State) -> Iterator[Problem]:
    """Why it cannot be looked at again that day; nothing where it can, or where the end itself is wrong."""
    if review_on is None or until <= state.now or state.now.date() <= review_on <= until.date():
        return
    words = f"{review_on} is not between today and its end: nobody would look at it in time"
    yield Problem("review_on", words)
