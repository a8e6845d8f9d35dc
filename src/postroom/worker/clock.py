"""The worker's second hand: what is due, what is to be tried again, what nodes acknowledged, what can be proven.

Everything here may run twice, and in two workers at once: the changes themselves decide.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from postroom.changes import due
from postroom.changes.carry import movable, retry, settle
from postroom.changes.clock import do
from postroom.posture.run import Turns

from . import dkim_life
from .alarms import Alarms
from .checkpoints import weekly
from .name_servers import NameServers
from .new_places import NewPlaces
from .postures import look
from .proofs import Proofs
from .rounds import quarterly
from .stalled import ALIVE_EVERY, Stalled
from .token_keys import make_known
from .watch import forget, look_around

log = logging.getLogger("postroom.worker")


Work = Callable[[], object]
AGAIN = timedelta(minutes=1)


@dataclass
class Beat:
    """Work that is looked for every so many seconds; each piece of it is done by itself."""

    every: float
    work: Callable[[], Iterable[Work]]
    next: float = 0.0


def beats() -> list[Beat]:
    proofs, turns, alarms, servers = Proofs(), Turns(), Alarms(), NameServers()
    places, stalled = NewPlaces(), Stalled()
    return [
        Beat(1, _due),
        Beat(1, lambda: [lambda: retry(timezone.now())]),
        Beat(0.5, _movable),
        Beat(1, lambda: [proofs.look]),
        Beat(1, turns.due),
        Beat(2, alarms.due),
        Beat(5, places.due),
        Beat(ALIVE_EVERY, lambda: [stalled.look]),
        Beat(5, lambda: [look_around]),
        Beat(5, lambda: [servers.look]),
        Beat(5, lambda: [look]),
        Beat(5, lambda: [make_known]),
        Beat(60, dkim_life.look),
        Beat(600, weekly),
        Beat(600, quarterly),
        Beat(3600, lambda: [forget]),
    ]


def _due() -> Iterator[Work]:
    """Each line by itself, put off first: one that cannot be done holds up no other."""
    for line in due.waiting(timezone.now()):
        due.later(line, timezone.now() + AGAIN)
        yield partial(do, line)


def _movable() -> Iterator[Work]:
    for change in movable():
        yield partial(settle, change)


def run(stop: threading.Event) -> None:
    """Until told to stop. Each beat has a thread of its own: a name server that hangs holds up who looks at zones,
    and nobody else. A database that is away is waited for."""
    threads = [
        threading.Thread(target=_beating, args=(beat, stop), name=f"clock {n}") for n, beat in enumerate(beats())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _beating(beat: Beat, stop: threading.Event) -> None:
    while not stop.wait(max(0.0, beat.next - time.monotonic())):
        beat.next = time.monotonic() + beat.every
        _once(beat)


def _once(beat: Beat) -> None:
    """Whatever the beat finds to do; a piece that fails is told, and the next one done."""
    close_old_connections()
    found = iter(beat.work())
    while _next(beat, found):
        pass


def _next(beat: Beat, found: Iterator[Work]) -> bool:
    """Do the next piece; False when there is none."""
    try:
        work = next(found, None)
        if work is not None:
            work()
        return work is not None
    except (OperationalError, InterfaceError) as error:
        log.warning("the database does not answer: %s", error)
        beat.next = time.monotonic() + max(beat.every, 1)
        return False
    except Exception:  # the worker's loop: one fault, one unreadable row, must not end a beat for ever
        log.exception("a piece of work failed")
        return True
