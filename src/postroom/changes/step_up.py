"""Step-up: what a fresh second factor comes before. Which kinds want it they say themselves; doors ask here first.

What wants it one way wants it the other way too: to take a change back is asked for like the change itself.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from postroom.access.acting import Actor, acting_as
from postroom.access.scope import changes_seen
from postroom.models import Change

from .approvals import ENDED, seen
from .batch import members
from .errors import StepUp
from .kind import APPROVED, ASKED, Kind
from .pipeline import as_kinds

SENSITIVE = "this is sensitive: show your second factor once more"


def before(kinds: Iterable[Kind], *, actor: Actor, fresh: bool) -> None:
    """Raise StepUp where one of these wants a fresh second factor before it is asked for, and there is none."""
    if fresh:
        return
    asked = list(kinds)
    with acting_as(actor):
        back = [kind for one in asked if one.takes_back for kind in _as_far_back(_known(one.takes_back))]
    _wanted([*asked, *back], ASKED)


def before_undoing_all(batch: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before every part of a batch is taken back."""
    if not fresh:
        with acting_as(actor):
            kinds = [kind for one in members(batch)[1] for kind in _as_far_back(one)]
        _wanted(kinds, ASKED)


def before_planning_all_again(batch: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before every part of a batch that ended without effect is asked for once more."""
    if not fresh:
        with acting_as(actor):
            kinds = [kind for one in members(batch)[1] if one.stage in ENDED for kind in as_kinds(one)]
        _wanted(kinds, ASKED)


def _wanted(kinds: Iterable[Kind], act: str) -> None:
    if any(kind.steps_up(act) for kind in kinds):
        raise StepUp(SENSITIVE)


def _known(change: UUID) -> Change | None:
    return Change.objects.filter(changes_seen(), pk=change).first()


def _as_far_back(change: Change | None) -> Iterator[Kind]:
    """What was asked in it; of an undo, also what it took back."""
    while change is not None and not change.erased_by_id:
        yield from as_kinds(change)
        change = change.undoes


def before_approving(change: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before a change is approved, by the kind that it is of."""
    if not fresh:
        with acting_as(actor):
            kinds = as_kinds(seen(change))
        _wanted(kinds, APPROVED)


def before_approving_all(batch: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before a batch is."""
    if not fresh:
        with acting_as(actor):
            kinds = [kind for one in members(batch)[1] for kind in as_kinds(one)]
        _wanted(kinds, APPROVED)


def before_planning_again(change: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before what ended without effect is asked for once more."""
    if not fresh:
        with acting_as(actor):
            kinds = as_kinds(seen(change))
        _wanted(kinds, ASKED)
