"""Step-up: what a fresh second factor comes before. Which kinds want it they say themselves; doors ask here first."""

from collections.abc import Iterable
from uuid import UUID

from postroom.access.acting import Actor, acting_as

from .approvals import seen
from .batch import members
from .errors import StepUp
from .kind import APPROVED, ASKED, Kind
from .pipeline import as_kinds

SENSITIVE = "this is sensitive: show your second factor once more"


def before(kinds: Iterable[Kind], *, fresh: bool, act: str = ASKED) -> None:
    """Raise StepUp where one of these wants a fresh second factor and there is none."""
    if not fresh and any(kind.steps_up(act) for kind in kinds):
        raise StepUp(SENSITIVE)


def before_approving(change: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before a change is approved, by the kind that it is of."""
    if not fresh:
        with acting_as(actor):
            kinds = as_kinds(seen(change))
        before(kinds, fresh=fresh, act=APPROVED)


def before_approving_all(batch: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before a batch is."""
    if not fresh:
        with acting_as(actor):
            kinds = [kind for one in members(batch)[1] for kind in as_kinds(one)]
        before(kinds, fresh=fresh, act=APPROVED)


def before_planning_again(change: UUID, *, actor: Actor, fresh: bool) -> None:
    """The same before what ended without effect is asked for once more."""
    if not fresh:
        with acting_as(actor):
            kinds = as_kinds(seen(change))
        before(kinds, fresh=fresh)
