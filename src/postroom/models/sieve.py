"""Sieve scripts of mailboxes (RFC 5228) as their node read them, and when each node last looked at all of them."""

from typing import ClassVar

from django.db import models

from .base import Observation
from .clients import Node
from .sign_ins import OfAMailbox


class SieveScript(OfAMailbox):
    """One script of a mailbox, as its node read it at `at`; first: when it first stood so.

    name: as its owner called it; empty: its scripts as a whole could not be read, and `unreadable` says why.
    redirects: [{to: an address, or empty for one that is worked out, copy, conditional, by: redirect or notify}].
    discards: what it neither keeps nor files is thrown away: always, sometimes, or empty.
    unreadable: why nothing is known of what it does; then `redirects` says nothing. text: cut where `cut` is set.
    """

    own: ClassVar[str] = "mailbox_id"
    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False, db_index=False)
    name = models.TextField()
    active = models.BooleanField(default=False)
    digest = models.TextField(default="")
    text = models.TextField(default="")
    cut = models.BooleanField(default=False)
    redirects = models.JSONField(default=list)
    discards = models.TextField(default="")
    vacation = models.BooleanField(default=False)
    unreadable = models.TextField(default="")
    first = models.DateTimeField()

    class Meta:
        db_table = "sieve_scripts"
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="one_sieve_script")]
        indexes = [models.Index(fields=["client"], name="sieve_scripts_of_a_client")]


class SieveRead(Observation):
    """When a node last looked at the scripts of all its mailboxes, and at how many. What it read is true of then."""

    everybody: ClassVar[bool] = True
    client: ClassVar[None] = None
    node = models.OneToOneField(Node, models.DO_NOTHING, db_constraint=False)
    mailboxes = models.IntegerField()
    unread = models.IntegerField(default=0)

    class Meta:
        db_table = "sieve_reads"


class SieveAsked(Observation):
    """When a node was last asked to look at all scripts at once, and when such a look had been told; None: not yet."""

    everybody: ClassVar[bool] = True
    client: ClassVar[None] = None
    node = models.OneToOneField(Node, models.DO_NOTHING, db_constraint=False)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sieve_asked"
