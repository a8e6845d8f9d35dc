"""The worker's second hand: what is due, what is to be tried again, what nodes acknowledged, what can be proven.

Everything here may run twice, and in two workers at once: the changes themselves decide.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from postroom.changes.carry import acknowledged, retry
from postroom.changes.clock import tick

from .proofs import Proofs
from .watch import forget, look_around

log = logging.getLogger("postroom.worker")


@dataclass
class Beat:
    """Something done every so many seconds."""

    every: float
    do: Callable[[], object]
    next: float = 0.0


def beats() -> list[Beat]:
    return [
        Beat(1, lambda: tick(timezone.now())),
        Beat(1, lambda: retry(timezone.now())),
        Beat(0.5, acknowledged),
        Beat(1, Proofs().look),
        Beat(5, look_around),
        Beat(3600, forget),
    ]


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
    while not stop.wait(0.1):
        if time.monotonic() >= beat.next:
            beat.next = time.monotonic() + beat.every
            _once(beat)


def _once(beat: Beat) -> None:
    close_old_connections()
    try:
        beat.do()
    except (DatabaseError, InterfaceError) as error:
        log.warning("the database does not answer: %s", error)
        beat.next = time.monotonic() + max(beat.every, 1)
    except Exception:  # the worker's loop: one fault must not end a beat for ever
        log.exception("a beat failed")
        beat.next = time.monotonic() + max(beat.every, 5)
