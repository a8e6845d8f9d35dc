"""Changes the system submits because another one has been carried out. What comes to nothing is tried again, later
each time; while a freeze lies over the client, nothing is even tried but what only closes. Which kinds are followed is
in the catalogue.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change

from .errors import KeyReused, NothingToDo, Problems
from .freeze import freeze_over
from .pipeline import One_or_many, submit

CAME_TO_NOTHING = ("refused", "stale", "withdrawn")
FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True)
class FollowUp:
    """A change that follows: the name of its kind, what it is about, why; `build` is called only when it is wanted.

    closes: it opens and alters nothing, so no freeze keeps it (policies/frozen.py says so of the plan itself).
    """

    permission: str
    about: str
    why: str
    build: Callable[[], tuple[One_or_many, Mapping[str, str] | None]]
    closes: bool = False


FOLLOW_UPS: dict[str, Callable[[Change], Iterator[FollowUp]]] = {}  # kind → what comes after it


def followed(change: Change) -> bool:
    """Submit what follows from a change and is not there yet; whether all of it is there now."""
    after = FOLLOW_UPS.get(change.kind)
    if after is None:
        return True
    with acting_as(SYSTEM):
        waiting = [(one, key) for one in after(change) if (key := _wanted(change, one))]
        frozen = freeze_over(change.client_id) is not None
    tried = [_submitted(change, one, key) for one, key in waiting if one.closes or not frozen]
    return len(tried) == len(waiting) and all(tried)


def _wanted(change: Change, one: FollowUp) -> str | None:
    """The key of the next try; None when one is under way or done, TOO_SOON while it is too soon for another."""
    prefix = f"{change.pk} {one.permission} {one.about} "
    earlier = list(Change.objects.filter(caused_by=change, key__startswith=prefix).order_by("-id"))
    if not earlier:
        return prefix + "0"
    if earlier[0].stage not in CAME_TO_NOTHING:
        return None
    wait = min(FIRST * 2 ** min(len(earlier), 10), LONGEST)
    return prefix + str(len(earlier)) if timezone.now() - earlier[0].now >= wait else TOO_SOON


TOO_SOON = "-"


def _submitted(change: Change, one: FollowUp, key: str) -> bool:
    if key == TOO_SOON:
        return False
    kind, secrets = one.build()
    try:
        made = submit(kind, actor=SYSTEM, why=one.why, key=key, secrets=secrets, caused_by=change)
    except (NothingToDo, KeyReused):  # another worker was here first, with a pair of keys of its own
        return True
    except Problems:  # a zone that was not read, say: nothing is on record of it, and the next look tries again
        return False
    return made.stage not in CAME_TO_NOTHING
