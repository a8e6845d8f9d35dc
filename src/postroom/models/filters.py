"""The filter of a mailbox that is kept here: the script that its node holds under our name, and whether in force."""

from django.db import models

from .base import NOTHING, Row, StateModel
from .clients import Client
from .mailboxes import Mailbox

SCRIPT = "postroom"  # what the script is called at the mailbox
SEALED = "filter"  # the purpose of the secret that holds what its owner wrote


class Filter(StateModel):
    """One a mailbox. Each revision is put there once: a script that its owner uploads afterwards stays.

    text: the script (RFC 5228) where somebody else than its owner wrote it. What the owner wrote is theirs, and stands
    in no edit: it is a secret of this row, which none but its node reads. active: put in force; else ours is taken out
    of it. clears: whatever is in force is, also what was uploaded. Nothing is set back by an undo: what was put is put.
    """

    own, at_domain = "mailbox_id", "mailbox__address__domain_id"
    only_forward = frozenset({"text", "active", "clears", "revision"})
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False, related_name="+")  # of the constraint below
    text = models.TextField(default="")
    active = models.BooleanField(default=True)
    clears = models.BooleanField(default=False)
    revision = models.IntegerField(default=1)
    made = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "filters"
        constraints = [models.UniqueConstraint(fields=["mailbox"], name="one_filter_a_mailbox")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        """Each revision anew: what it does with mail is another thing each time."""
        return frozenset({f"revision {row['revision']}"}) if row["active"] else NOTHING
