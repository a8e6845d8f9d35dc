"""How many of all domains are looked at in one beat, so that each is read again within a given time.

A change at DNS is found within five minutes: its zone is read within three and a half, and the check looks at what was
read every minute (posture/checks/drift.py). Servers that only have to answer the same have eight; what was read longer
than ten minutes ago counts as unknown. A beat that always took ten domains would keep up with 420; this one takes as
many as there are, up to what one worker can ask.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import ceil
from typing import TypeVar

from django.db import connection

BEAT = timedelta(seconds=5)
MOST = 400  # a beat: 16,800 domains within three and a half minutes, if they answer
THREADS = 16  # questions at once: most of the time is spent waiting for an answer
T = TypeVar("T")
R = TypeVar("R")


def at_once(total: int, *, least: int, within: timedelta) -> int:
    """Of `total` domains, each of which is to be read `within` so long; never fewer than `least`."""
    return min(MOST, max(least, ceil(total * BEAT / within)))


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What `work` makes of each, in their order, some of them at a time. A thread leaves no connection behind."""

    def one(item: T) -> R:
        try:
            return work(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS, thread_name_prefix="asking") as pool:
        yield from pool.map(one, items)
