"""Who signed in to mailboxes, who is signed in now, and from where each mailbox is known; as nodes tell."""

from typing import ClassVar

from django.db import models

from .base import Observation
from .clients import Client, Node
from .domains import Domain
from .mailboxes import Mailbox


class OfAMailbox(Observation):
    """What was seen of one mailbox; let go with the mailbox, so nothing holds it."""

    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    client = models.ForeignKey(Client, models.DO_NOTHING, db_constraint=False, db_index=False)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, db_constraint=False, db_index=False)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_constraint=False, db_index=False)

    class Meta:
        abstract = True


class SignIn(OfAMailbox):
    """A sign-in to a mailbox, or a try; kept for 90 days.

    number: the node's own, by which a row that comes twice is known. refused: not looked at, too many were wrong.
    credential: main, app:<name>; empty where it did not get so far. session: Dovecot's id, as its log has it. program:
    what it calls itself (IMAP ID), its own word. times: how many alike this row stands for, within the hour before it.
    """

    own: ClassVar[str] = "mailbox_id"
    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False, db_index=False)
    number = models.BigIntegerField()
    protocol = models.TextField()
    address = models.TextField(default="")
    network = models.TextField(default="")
    success = models.BooleanField()
    refused = models.BooleanField(default=False)
    credential = models.TextField(default="")
    session = models.TextField(default="")
    program = models.TextField(default="")
    times = models.IntegerField(default=1)

    class Meta:
        db_table = "sign_ins"
        constraints = [models.UniqueConstraint(fields=["node", "number"], name="one_sign_in")]
        indexes = [
            models.Index(fields=["mailbox", "-id"], name="sign_ins_newest_first"),
            models.Index(fields=["at"], name="sign_ins_oldest_first"),
        ]


class SignInPlace(OfAMailbox):
    """A network (/24, /48) and a program from which a mailbox was signed in to; at: first, last: last.

    wanted: its owner is told of it. told: when their letter was taken, or that none was due; told_to: what our
    submission answered, or why not.
    """

    network = models.TextField()
    program = models.TextField(default="")
    protocol = models.TextField()
    address = models.TextField()
    last = models.DateTimeField()
    wanted = models.BooleanField()
    told = models.DateTimeField(null=True)
    told_to = models.JSONField(default=dict)

    class Meta:
        db_table = "sign_in_places"
        constraints = [models.UniqueConstraint(fields=["mailbox", "network", "program"], name="one_sign_in_place")]
        indexes = [models.Index(fields=["id"], name="places_not_told", condition=models.Q(wanted=True, told=None))]


class LiveSession(OfAMailbox):
    """A session that a node lists as open now. since: when its process began. key: service, process and its start.

    program: no column, since no list of sessions says it: of the sign-in that opened it, where that is known.
    """

    own: ClassVar[str] = "mailbox_id"
    program: str = ""
    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False, db_index=False)
    key = models.TextField()
    protocol = models.TextField()
    address = models.TextField(default="")
    credential = models.TextField(default="")
    since = models.DateTimeField(null=True)

    class Meta:
        db_table = "live_sessions"
        constraints = [models.UniqueConstraint(fields=["node", "key"], name="one_live_session")]
        indexes = [models.Index(fields=["mailbox", "-id"], name="live_sessions_newest_first")]
