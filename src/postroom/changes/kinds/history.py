"""Going back: a plan again, through the same gate."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import as_shown
from postroom.changes.approvals import seen
from postroom.changes.back import back_before
from postroom.changes.errors import NotThere, Problem
from postroom.changes.history import zones_of
from postroom.changes.kind import APPROVED, Kind
from postroom.changes.plan import Planned
from postroom.changes.state import State

from .fields import ChangeRef


class RollBack(Kind, name="history.roll_back"):
    """What one change and its follow-ups did, taken back where it still stands."""

    step_up = frozenset({APPROVED})
    may_wait_for_a_time = False  # what can go back, and by whom alone, is a question of when
    change: ChangeRef

    @property
    def takes_back(self) -> UUID | None:
        try:
            return UUID(self.change)
        except ValueError:
            return None

    def needs(self) -> Iterator[str]:
        """The zones whose records that change set: what stands there now is what an undo starts from."""
        if self.takes_back:
            yield from zones_of(self.takes_back)

    def plan(self, state: State) -> Iterator[Planned]:
        if self.takes_back is None:
            raise NotThere("change", f"no change {self.change} that you can see")
        with as_shown():
            change = seen(self.takes_back)
        if change.version is None:
            raise Problem("change", f"it is {change.stage}: it changed nothing")
        yield from back_before(change, state)
