"""What the owner of a mailbox does not know of, though the record of that mailbox has it."""

from django.db import models

from .base import StateModel
from .clients import Client
from .mailboxes import Mailbox


class Doubt(StateModel):
    """One entry about a mailbox that its owner says they do not know; a finding until somebody settles it.

    entry: its number. said: the kind or event it is of; happened: when. severity: how bad it is if nobody knows it.
    outcome: what it was and what was done, by who settled it; the owner reads it.
    """

    own = "mailbox_id"
    for_good = True
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False)  # the first column of an index below
    entry = models.BigIntegerField()
    said = models.TextField()
    happened = models.DateTimeField()
    severity = models.TextField()
    made = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    outcome = models.TextField(default="")

    class Meta(StateModel.Meta):
        db_table = "doubts"
        verbose_name = "doubt of an owner"
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "entry"], condition=models.Q(settled_at=None), name="one_doubt_an_entry"
            )
        ]
        indexes = [models.Index(fields=["mailbox", "-id"], name="doubts_of_a_mailbox")]
