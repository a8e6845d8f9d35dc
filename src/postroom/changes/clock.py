"""What the clock does with a line whose time has come: apply what waited for it, submit what ends."""

from postroom.access.acting import CLOCK
from postroom.models import Change, Due

from . import due
from .errors import NothingToDo, Problems
from .kind import KINDS
from .pipeline import apply_scheduled, submit


def do(line: Due) -> Change | None:
    """Do what a line says. It goes when its change is there, so a crash between only does it again."""
    if line.change_id and not line.kind:
        applied = apply_scheduled(line.change_id)
        due.done(line)
        return applied
    change: Change | None = None
    try:
        kind = KINDS[line.kind].model_validate(line.params)
        change = submit(kind, actor=CLOCK, why="its time has come", key=f"due {line.pk}")
    except (NothingToDo, Problems):
        pass  # ended by hand before, or gone
    due.done(line)
    return change
