"""How many of all domains are looked at in one beat, so that each is read again before its last reading grows old.

What was read longer than ten minutes ago counts as unknown (`models.domains.FRESH`). A beat that always took ten of
them kept up with 1,200 domains; this one takes as many as there are, up to what one worker can ask.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import ceil
from typing import TypeVar

from django.db import connection

BEAT, WITHIN = timedelta(seconds=5), timedelta(minutes=8)
MOST = 400  # a beat: 38,400 domains within eight minutes, if they answer
THREADS = 16  # questions at once: most of the time is spent waiting for an answer
T = TypeVar("T")
R = TypeVar("R")


def at_once(total: int, *, least: int) -> int:
    """Of `total` domains; never fewer than `least`."""
    return min(MOST, max(least, ceil(total * BEAT / WITHIN)))


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What `work` makes of each, in their order, some of them at a time. A thread leaves no connection behind."""

    def one(item: T) -> R:
        try:
            return work(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS, thread_name_prefix="asking") as pool:
        yield from pool.map(one, items)
