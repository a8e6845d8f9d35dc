"""An emergency at the reset of a VIP's mailbox: what alone ends the 15 minutes in which whoever is told can object.

It takes two: somebody who says why it cannot be waited for, and the client's own admin, who lets the time go. Neither
is who started the verification, nor who asked for the link. Proofs, the second person and every notice stay.
"""

from collections.abc import Iterator
from datetime import datetime

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Hastens, Kind
from postroom.changes.plan import Planned, edit
from postroom.changes.state import State
from postroom.models import Approval, Change, Verification

from .fields import Line, VerificationRef

SENDS = "resets.send_link"


class DeclareEmergency(Kind, name="resets.declare_emergency"):
    """Say why the time to object to a reset cannot be waited for. Alone it skips nothing; every owner is told."""

    step_up = frozenset({ASKED})
    verification: VerificationRef
    reason: Line = Field(min_length=1, max_length=500, description="What happens if it is waited for")

    def plan(self, state: State) -> Iterator[Planned]:
        session = state.get(Verification, self.verification, where="verification")
        _waiting(session, state.now)
        if session.emergency_at:
            raise Problem("verification", "an emergency was declared for it already")
        yield edit(session, emergency=self.reason, emergency_by_id=state.actor.person, emergency_at=state.now)


class WaiveWait(Kind, name="resets.waive_wait"):
    """The client's own admin lets the time to object go, in an emergency that was declared. A second person still
    agrees to the reset itself."""

    step_up = frozenset({ASKED})
    verification: VerificationRef

    def plan(self, state: State) -> Iterator[Planned]:
        session = state.get(Verification, self.verification, where="verification")
        change = _waiting(session, state.now)
        if session.emergency_at is None:
            raise Problem("verification", "no emergency was declared for it: it waits like any other")
        if change.stage == "scheduled" and not Approval.objects.filter(change=change, void=False).exists():
            raise Problem("verification", "nobody could agree to it, so it waits its day")
        yield edit(session, waived_by_id=state.actor.person, waived_at=state.now)

    @property
    def hastens(self) -> Hastens | None:
        return SENDS, "verification", self.verification


def _waiting(session: Verification, now: datetime) -> Change:
    """The change that sends its link, while it waits. Locked before the client is, as the clock does it that applies
    it."""
    asked = Change.objects.filter(kind=SENDS, client=session.client_id, stage__in=("held", "scheduled"))
    change = asked.filter(params__verification=str(session.pk)).select_for_update(of=("self",)).first()
    if change is None or change.at is None or change.at <= now:
        raise Problem("verification", "no link of it waits for the time to object")
    return change
