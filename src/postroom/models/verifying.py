"""Verified resets: that it is the owner of a mailbox who asks for a way back in, before any link is sent.

A *verification* is one such session at one mailbox; each *proof* in it is what somebody other than who started it found
out by one method. Enough of them release one link, once, within ten minutes, to an address known before.
"""

from datetime import datetime, timedelta

from django.db import models

from .base import NOTHING, Row, StateModel
from .clients import Client
from .mailboxes import Mailbox
from .people import Person
from .recovery import RecoveryChannel

CALL, CONTACT = "call-back", "client contact"  # methods of a proof: independent, each by another person
CODE = "code"  # the third: a code that was mailed to a recovery channel, as the caller read it out
CODE_DIGITS = 8  # NIST SP 800-63B-4, 4.2.1.2: six at least
CODE_GOOD_FOR = timedelta(seconds=60)  # from when our submission is given it; 4.2.1.2 lets one by mail live for a day
CODES = 5  # at one mailbox within an hour, over all its verifications
OPEN_FOR = timedelta(minutes=30)
GOOD_FOR = timedelta(minutes=10)  # how long after the last proof a link may be sent
TRIES = 3
LOCKED = timedelta(hours=1)
HELD_FOR = timedelta(hours=2)  # how long after it a second person may still let the link of a VIP through


class Verification(StateModel):
    """One session. passed_at: when its proofs were enough; used_at: when the link was asked for by them; given,
    failed: right and wrong answers in it; ended_at: it came to nothing. urgent: somebody said so, and nothing follows.
    emergency: why the time to object cannot be waited for, by whom and when; waived: the client's own admin let it go.
    """

    grants_access = True
    only_forward = frozenset({"ended_at"})
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING)
    started_by = models.ForeignKey(Person, models.DO_NOTHING, related_name="+")
    ticket = models.TextField()
    urgent = models.BooleanField(default=False)
    emergency = models.TextField(default="")
    emergency_by = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+", db_index=False)
    emergency_at = models.DateTimeField(null=True)
    waived_by = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+", db_index=False)
    waived_at = models.DateTimeField(null=True)
    given = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    made = models.DateTimeField()
    until = models.DateTimeField()
    passed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "verifications"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        over = row["ended_at"] or row["used_at"] or not row["passed_at"]
        return NOTHING if over else frozenset({"send a link"})

    def releases(self, now: datetime) -> bool:
        """Whether a link may be sent by it, now."""
        return bool(self.passed_at and not self.used_at and not self.ended_at and now < self.passed_at + GOOD_FOR)

    def over(self, now: datetime) -> str:
        """Why it waits for no proof any more, in words; empty where it does."""
        if self.ended_at or self.passed_at or self.until <= now:
            return "it waits for no proof any more: passed, ended, or its half hour is over"
        return ""

    def newest_code(self) -> "ResetCode | None":
        """The one that counts: whichever was asked for before it is void."""
        found: ResetCode | None = self.resetcode_set.order_by("-id").first()
        return found


class Proof(StateModel):
    """What one person found out by one method, right or wrong. Never taken back; the answers themselves are nowhere."""

    for_good = True
    client = models.ForeignKey(Client, models.DO_NOTHING)
    verification = models.ForeignKey(Verification, models.DO_NOTHING)
    method = models.TextField()
    channel = models.ForeignKey(RecoveryChannel, models.DO_NOTHING, null=True)
    by = models.ForeignKey(Person, models.DO_NOTHING, related_name="+")
    good = models.BooleanField()
    made = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "proofs"


class ResetCode(StateModel):
    """A code that is mailed to one recovery channel for one verification. Only a keyed hash of it is kept, as a secret.

    asked_by: who had it sent; nobody of the organization sees it. sent_at: when our submission was given it last, from
    when its minute runs; null: not yet. issued: how often one was drawn for it. used_at: it was read out right.
    """

    grants_access = True
    client = models.ForeignKey(Client, models.DO_NOTHING)
    verification = models.ForeignKey(Verification, models.DO_NOTHING)
    channel = models.ForeignKey(RecoveryChannel, models.DO_NOTHING)
    asked_by = models.ForeignKey(Person, models.DO_NOTHING, related_name="+")
    issued = models.IntegerField(default=0)
    made = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "reset_codes"
        verbose_name = "reset code"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        over = row["ended_at"] or row["used_at"]
        return NOTHING if over else frozenset({"prove an owner"})

    def over(self, now: datetime) -> str:
        """Why nothing can be proven by it, in words; empty where something can."""
        if self.used_at or self.ended_at:
            return "the code sent last is over: have another one sent"
        if self.sent_at is None or self.until is None:
            return "the code is not sent yet"
        if self.until <= now:
            return f"the code sent at {self.sent_at:%H:%M:%S} UTC was good for a minute: have another one sent"
        return ""

    @property
    def until(self) -> datetime | None:
        """When its minute is over; None while it is not sent."""
        return self.sent_at + CODE_GOOD_FOR if self.sent_at else None
