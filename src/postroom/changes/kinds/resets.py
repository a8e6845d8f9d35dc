"""Verified resets (flow F3): before a link goes to who says that they own a mailbox, others have found out so.

Who starts one proves nothing in it. There is no way to set or to read a password, to change a recovery address or to
take off a second factor by one: all it releases is one link, to an address that was known before.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from postroom.changes.cover import admins_of
from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Invite, Letter, Mailbox, Proof, RecoveryChannel, ResetCode, Secret, Verification
from postroom.models.recovery import CONTACT as NUMBER
from postroom.models.recovery import Ways, counting
from postroom.models.verifying import CALL, CODE, CONTACT, LOCKED, OPEN_FOR, TRIES

from .fields import ChannelRef, Line, MailAddress, MailboxRef, VerificationRef
from .invites import has_secret, over
from .recovery_channels import alive, signed_into, to_tell

CANCEL_WITHIN = timedelta(minutes=15)  # a VIP's: so long whoever is told can say that it was not them
RESET = "mailbox reset"  # what a letter says
Answer = Literal["right", "wrong"]


class StartReset(Kind, name="resets.start"):
    """Begin to verify that it is the owner who asks for a way back in. Others prove it, within half an hour."""

    step_up = frozenset({ASKED})
    mailbox: MailboxRef
    ticket: Line = Field(min_length=1, description="The ticket or call that it is about")
    urgent: bool = Field(default=False, description="Somebody presses; it is noted, and nothing is skipped for it")

    def plan(self, state: State) -> Iterator[Planned]:
        mailbox = signed_into(state, self.mailbox)
        if not has_secret(state, mailbox):
            raise Problem("mailbox", f"{mailbox.label} has no secret yet: invite its owner")
        # Whatever its proposer may see of them: one at a time, and no link beside the one that it releases.
        yield from stopped(mailbox, state)
        about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk, "started_by_id": state.actor.person}
        yield create(Verification, state.new_id(), **about, ticket=self.ticket, urgent=self.urgent, made=state.now,
                     until=state.now + OPEN_FOR)  # fmt: skip


class RecordCall(Kind, name="resets.record_call"):
    """A second person called the number on file, and says whether its owner answered right; not what was said."""

    step_up = frozenset({ASKED})
    verification: VerificationRef
    channel: ChannelRef
    answer: Answer = Field(description="Whether it was the owner who answered, at a call that you placed yourself")

    def plan(self, state: State) -> Iterator[Planned]:
        session = begun(state, self.verification)
        channel = state.get(RecoveryChannel, self.channel, where="channel")
        if channel.mailbox_id != session.mailbox_id or channel.sort != NUMBER:
            raise Problem("channel", "it is no number on file for this mailbox")
        if why := Ways.of(state.get(Mailbox, session.mailbox_id, where="verification")).why_not(channel, state.now):
            raise Problem("channel", f"it does not count: {why}")
        yield from proven(state, session, CALL, self.answer == "right", channel=channel.pk)


class Vouch(Kind, name="resets.vouch"):
    """The client's own admin says, signed in here, whether it is the owner who asks."""

    step_up = frozenset({ASKED})
    verification: VerificationRef
    answer: Answer = Field(description="Whether it is the owner who asks, as you know from them and not from a message")

    def plan(self, state: State) -> Iterator[Planned]:
        yield from proven(state, begun(state, self.verification), CONTACT, self.answer == "right")


class SendReset(Kind, name="resets.send_link"):
    """Send the link a verification released, once, to an address known before. A VIP's: a second person, 15 minutes."""

    step_up = frozenset({ASKED, APPROVED})
    waits: ClassVar[timedelta | None] = CANCEL_WITHIN
    approved_by = "resets.approve"
    verification: VerificationRef
    contact: MailAddress = Field(description="A recovery address that counts, or the contact the mailbox has had")

    def plan(self, state: State) -> Iterator[Planned]:
        session = state.get(Verification, self.verification, where="verification")
        mailbox = signed_into(state, str(session.mailbox_id))
        if not session.releases(state.now):
            raise Problem("verification", "it releases no link: not proven, used, ended, or ten minutes are over")
        if self.contact not in known_before(state, mailbox):
            raise Problem("contact", "no link goes where nobody was reached before: to a recovery address that counts")
        yield edit(session, used_at=state.now)
        for old in Invite.objects.filter(mailbox=mailbox, ended_at=None, used_at=None).order_by("id"):
            yield from over(old, state)
        about = {"client_id": mailbox.client_id, "mailbox_id": mailbox.pk}
        yield create(Invite, state.new_id(), **about, contact=self.contact, verification_id=session.pk, made=state.now)
        # Whoever gets back in, its owner hears of it where they were reached before (NIST SP 800-63B-4, 4.2.3).
        office = Client.objects.get(pk=mailbox.client_id).security_contact
        for contact in dict.fromkeys([*to_tell(mailbox, alive(state, mailbox)), *filter(None, [office])]):
            if contact != self.contact:
                yield create(Letter, state.new_id(), **about, contact=contact, says=RESET, about=str(session.pk),
                             made=state.now)  # fmt: skip

    @classmethod
    def never_approved_by(cls, params: Any) -> set[UUID]:
        """Who started the verification, whoever asked for the link; a client's own admins, where none of them did."""
        asked = params if isinstance(params, list) else [params]
        found: set[UUID] = set()
        for session in Verification.objects.filter(pk__in=[one["verification"] for one in asked]):
            admins = admins_of(session.client_id)
            found |= {session.started_by_id} | (set() if session.started_by_id in admins else admins)
        return found


class EndReset(Kind, name="resets.end"):
    """End a verification: it releases no link."""

    by = frozenset({"person", "clock"})
    verification: VerificationRef

    def plan(self, state: State) -> Iterator[Planned]:
        session = state.get(Verification, self.verification, where="verification")
        if state.actor.sort == "clock" and session.passed_at:
            return  # it ends by its own ten minutes
        if session.ended_at or session.used_at:
            raise Problem("verification", "it is over already")
        yield edit(session, ended_at=state.now)
        yield from codes_over(state, session)


def stopped(mailbox: Mailbox, state: State) -> Iterator[Planned]:
    """Every verification of a mailbox that is open still ends."""
    for old in state.hanging(Verification, "mailbox_id", mailbox.pk):
        if old.ended_at is None and old.used_at is None:
            yield edit(old, ended_at=state.now)
            yield from codes_over(state, old)


def codes_over(state: State, session: Verification) -> Iterator[Planned]:
    """Every code of it that is open ends, and what was kept of it goes; also where the proposer may not see that."""
    for code in ResetCode.objects.filter(verification=session, used_at=None, ended_at=None).order_by("id"):
        yield edit(code, ended_at=state.now)
        for kept in Secret.objects.filter(owner_row=code.pk).order_by("id"):
            yield end(kept)


def begun(state: State, ref: str) -> Verification:
    """One that still waits for proofs; else a Problem."""
    session = state.get(Verification, ref, where="verification")
    if why := session.over(state.now):
        raise Problem("verification", why)
    return session


def proven(
    state: State, session: Verification, method: str, good: bool, *, channel: UUID | None = None
) -> Iterator[Planned]:
    """One more proof, right or wrong: by the last one needed the link is released, at the third wrong it ends."""
    mailbox = state.get(Mailbox, str(session.mailbox_id), where="verification")
    about = {"client_id": session.client_id, "verification_id": session.pk, "channel_id": channel}
    yield create(Proof, state.new_id(), **about, method=method, by_id=state.actor.person, good=good, made=state.now)
    if not good:
        since = state.now - LOCKED
        lately = Proof.objects.filter(verification__mailbox=mailbox, good=False, made__gt=since).count()
        locked = lately + 1 >= TRIES
        over = {"ended_at": session.ended_at or state.now} if locked else {}
        yield edit(session, failed=session.failed + 1, **over)
        yield from codes_over(state, session) if locked else ()
        return
    good_ones = Proof.objects.filter(verification=session, good=True)
    given = {*good_ones.values_list("method", flat=True), method}
    # That each right answer moves the session's row too makes two that come at once know of each other.
    passed = {"passed_at": session.passed_at or state.now} if len(given) >= needed(mailbox) else {}
    yield edit(session, given=session.given + 1, **passed)
    yield from codes_over(state, session) if passed or method == CODE else ()


def needed(mailbox: Mailbox) -> int:
    """How many independent methods have to agree."""
    return 2 if mailbox.vip else 1


def known_before(state: State, mailbox: Mailbox) -> set[str]:
    """Where its link may go: recovery addresses that count; the contact it has had, where there is none."""
    return counting(mailbox, state.now) or ({mailbox.contact} - {"", mailbox.label} if not mailbox.vip else set())
