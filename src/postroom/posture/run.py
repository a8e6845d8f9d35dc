"""Checks: each reads what it is about, every so many seconds, and says what is wrong. Run by the worker."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as

from .findings import EVERYTHING, Found, Scope, not_read, observed


@dataclass(frozen=True)
class Seen:
    """What one look came back with. unread: objects that could not be read, and why."""

    found: tuple[Found, ...]
    unread: frozenset[UUID] = frozenset()
    why: str = ""
    scope: Scope = EVERYTHING


@dataclass(frozen=True)
class Check:
    """A question asked again and again.

    name: noun.cause, which its findings carry. asks: the question in words. source: the standard it is from. every:
    seconds. look: reads (it acts as the system itself) and evaluates, at a given time.
    """

    name: str
    asks: str
    source: str
    every: float
    look: Callable[[datetime], Seen]


CHECKS: list[Check] = []  # handed over by the catalogue


def run(check: Check) -> None:
    """One look. A check that breaks has read nothing: its findings are unknown, and the error goes on."""
    at = timezone.now()
    try:
        seen = check.look(at)
    except Exception as error:
        not_read(check.name, f"the check failed: {type(error).__name__}", at=at)
        raise
    observed(check.name, seen.found, scope=seen.scope, unread=seen.unread, why=seen.why, at=at)


def reading(evaluate: Callable[[datetime], Iterator[Found]]) -> Callable[[datetime], Seen]:
    """A look that reads our own database alone: as the system, in one transaction, all or nothing."""

    def look(at: datetime) -> Seen:
        with acting_as(SYSTEM):
            return Seen(tuple(evaluate(at)))

    return look


class Turns:
    """Whose turn it is; kept in memory, since it may be lost."""

    def __init__(self) -> None:
        self.next: dict[str, float] = {}

    def due(self) -> Iterator[Callable[[], None]]:
        for check in CHECKS:
            if self.next.get(check.name, 0.0) <= time.monotonic():
                self.next[check.name] = time.monotonic() + check.every
                yield partial(run, check)
