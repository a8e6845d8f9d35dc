"""Redirects of filters that are stopped: where mail of a mailbox is passed on to no more, whatever its scripts say."""

from django.db import models
from django.db.models import Q

from .base import StateModel
from .clients import Client
from .mailboxes import Mailbox


class RedirectStop(StateModel):
    """No filter of this mailbox passes mail on to `target`, one address, inside or outside, until it is ended.

    Its node refuses what a script would send there, and the mail stays in the mailbox; no script is touched, or read.
    """

    own, at_domain = "mailbox_id", "mailbox__address__domain_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False, related_name="+")  # of the constraint below
    target = models.TextField(db_collation="C")
    reason = models.TextField()
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "redirect_stops"
        verbose_name = "stop of a redirect"
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "target"], condition=Q(ended_at=None), name="one_redirect_stop")
        ]
        indexes = [models.Index(fields=["mailbox"], name="redirect_stops_of_a_mailbox")]
