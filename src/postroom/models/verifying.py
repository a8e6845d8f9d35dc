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
OPEN_FOR = timedelta(minutes=30)
GOOD_FOR = timedelta(minutes=10)  # how long after the last proof a link may be sent
TRIES = 3
LOCKED = timedelta(hours=1)
HELD_FOR = timedelta(hours=2)  # how long after it a second person may still let the link of a VIP through


class Verification(StateModel):
    """One session. passed_at: when its proofs were enough; used_at: when the link was asked for by them; given,
    failed: right and wrong answers in it; ended_at: it came to nothing. urgent: somebody said so, and nothing follows.
    """

    grants_access = True
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING)
    started_by = models.ForeignKey(Person, models.DO_NOTHING, related_name="+")
    ticket = models.TextField()
    urgent = models.BooleanField(default=False)
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
