"""A code to a registered channel: mailed to a recovery address that counts, read out by the caller, typed here.

Nobody of the organization sees what was sent: it is drawn in the memory of the call that mails it, and what is kept is
a keyed hash. What is typed is compared by the database and stands nowhere, right or wrong; that it was tried stands in
the record each time, also when it was no code at all. It is good for a minute, from when our submission was given it.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from django.db import connection
from pydantic import BeforeValidator, Field

from postroom.access.tokens import keyed_code
from postroom.changes.errors import Problem
from postroom.changes.kind import ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Mailbox, Proof, RecoveryChannel, ResetCode, Secret, Verification
from postroom.models.recovery import ADDRESS, Ways
from postroom.models.verifying import CODE

from .fields import ChannelRef, ResetCodeRef, VerificationRef
from .resets import begun, codes_over, proven

HASH = "reset code"  # the purpose of the secret
ANEW = "the code itself is kept nowhere: type what was read out"


class AskCode(Kind, name="resets.ask_code"):
    """Mail a code to a recovery address that counts, for its owner to read out; the code before it is void."""

    step_up = frozenset({ASKED})
    verification: VerificationRef
    channel: ChannelRef

    def plan(self, state: State) -> Iterator[Planned]:
        session = begun(state, self.verification)
        channel = state.get(RecoveryChannel, self.channel, where="channel")
        if channel.mailbox_id != session.mailbox_id or channel.sort != ADDRESS:
            raise Problem("channel", "it is no address on file for this mailbox")
        if why := Ways.of(state.get(Mailbox, session.mailbox_id, where="verification")).why_not(channel, state.now):
            raise Problem("channel", f"it does not count: {why}")
        if Proof.objects.filter(verification=session, method=CODE, good=True).exists():
            raise Problem("verification", "a code was read out right in it already: what is missing is another way")
        yield from codes_over(state, session)
        about = {"client_id": session.client_id, "verification_id": session.pk, "channel_id": channel.pk}
        yield create(ResetCode, state.new_id(), **about, asked_by_id=state.actor.person, made=state.now)


class IssueCode(Kind, name="resets.issue_code"):
    """Draw the code that is mailed, good for a minute from now; what was drawn for it before is void."""

    by = frozenset({"system"})
    carries_secret = True
    code: ResetCodeRef

    def plan(self, state: State) -> Iterator[Planned]:
        code = state.get(ResetCode, self.code, where="code")
        if code.used_at or code.ended_at:
            raise Problem("code", "it is over already")
        yield edit(code, issued=code.issued + 1, sent_at=state.now)
        for old in state.hanging(Secret, "owner_row", code.pk):
            yield end(old)
        about = {"client_id": code.client_id, "owner_row": code.pk}
        yield create(Secret, state.new_id(), **about, purpose=HASH, made=state.now)


def _as_text(came: Any) -> Any:
    """Whatever came is a try: what is no text is one that is wrong, not one that nobody hears of."""
    return came if came is None else str(came).encode(errors="replace").decode()


class EnterCode(Kind, name="resets.enter_code"):
    """What the caller read out, as it was typed: right or wrong, it stands in the record that it was tried."""

    carries_secret = True  # so it is never held, dry-run, scheduled or one of a batch
    verification: VerificationRef
    # Left out of what is kept of the change: neither the record nor any answer has it.
    said: Annotated[str | None, BeforeValidator(_as_text)] = Field(
        default=None, exclude=True, repr=False, description="The eight digits, as the caller read them out"
    )

    def plan(self, state: State) -> Iterator[Planned]:
        if self.said is None:
            raise Problem("said", ANEW)
        session = _alone(state.get(Verification, self.verification, where="verification"))
        code = session.newest_code()
        open_now = code is not None and not session.over(state.now) and not code.over(state.now)
        good = bool(code and open_now and _may(state, session) and fits(code, self.said))
        yield from proven(state, session, CODE, good, channel=code.channel_id if code else None)
        if good and code:
            yield edit(code, used_at=state.now)


def _alone(session: Verification) -> Verification:
    """As it stands once whoever types a code for the same mailbox at the same moment is done: each try is told apart,
    and of fifty at once three are compared."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reset code {session.mailbox_id}"])
    now: Verification = Verification.objects.get(pk=session.pk)
    return now


def _may(state: State, session: Verification) -> bool:
    """Nothing is compared for somebody who will be refused: by how long that takes one could learn of it."""
    return state.actor.sort == "person" and state.access.can("resets.enter_code", session.client_id)


def fits(code: ResetCode, said: str) -> bool:
    """Asked of the database, which alone reads what is kept."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT postroom_code_fits(%s, %s)", [code.pk, keyed_code(code.pk, said)])
        return bool(cursor.fetchone()[0])
