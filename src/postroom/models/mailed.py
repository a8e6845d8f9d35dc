"""Letters of ours that were handed to our own submission, and what mail servers said became of each."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .base import Observation
from .clients import Client

QUEUED, ACCEPTED, DELAYED, BOUNCED, REFUSED, HANDED = "queued", "accepted", "delayed", "bounced", "refused", "handed"
LATE = 4  # hours after which a letter that no server has taken counts as one that did not arrive


class Mailed(Observation):
    """One letter, at the moment it was handed in. The newest of an object, or of an address, is the one that counts.

    object: what it was about (the invite, the letter, the finding). token: the SHA-256 of what its return address is
    known by; whoever names that may say what became of it, and nobody else.
    state: HANDED (our submission tells nothing further), QUEUED (it has it), ACCEPTED (the next server has it),
    DELAYED, BOUNCED, REFUSED (by our submission itself, for good); empty while it is handed in, or if that failed.
    status: as 5.1.1 (RFC 3463). said: a server's own words, one line, never more than 500 characters. said_at: when.
    """

    everybody: ClassVar[bool] = False
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    object = models.UUIDField(null=True)
    contact = models.TextField()
    token = models.TextField(unique=True, db_collation="C")
    state = models.TextField(default="")
    status = models.TextField(default="")
    said = models.TextField(default="")
    said_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mailed"
        indexes = [
            models.Index(fields=["object", "-id"], name="mailed_of_an_object"),
            models.Index(fields=["contact", "-id"], name="mailed_to_an_address"),
            models.Index(
                fields=["contact"], name="mailed_and_not_arrived", condition=~Q(state__in=["", ACCEPTED, HANDED])
            ),
            models.Index(fields=["at"], name="mailed_oldest_first"),
        ]
