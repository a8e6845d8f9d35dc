"""Access of one mailbox's owner to another mailbox: a delegation of a person's, or membership in a shared one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from .base import NOTHING, Row, StateModel
from .clients import Client
from .mailboxes import Mailbox
from .people import Person

OPEN, SEND_AS, ON_BEHALF = "open", "send-as", "send-on-behalf"
OWNER, CLIENT = "owner", "client"  # who has to consent
NOBODYS = frozenset({"shared", "role"})  # mailboxes of a task: no human owns the mail in them


class Delegation(StateModel):
    """Who signs in to `to_mailbox` may do this with `mailbox`, once everybody who is asked consented, until a day.

    rights: of OPEN (reads a person's mailbox, works in one of NOBODYS), SEND_AS, ON_BEHALF. It changes by its consents
    and its end alone: more, or longer, is another row.
    requester: who asked; none where it was the owner of `to_mailbox`. wants: who consents first, OWNER, CLIENT (of a
    VIP's: one of the client's own admins); owner_at, client_at: when they did, client_by: who.
    replaces: ways out that end when it has begun, each "address target" (kinds/replacing.py).
    until: after it the maps answer it no more, whoever is away. started_at: when it began to count.
    """

    grants_access = True
    own, own_too, at_domain = "mailbox_id", "to_mailbox_id", "mailbox__address__domain_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False, related_name="+")  # of an index below
    to_mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, related_name="+")
    rights = ArrayField(models.TextField())
    requester = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+", db_index=False)
    reason = models.TextField()
    made = models.DateTimeField()
    until = models.DateTimeField(null=True)
    wants = ArrayField(models.TextField())
    owner_at = models.DateTimeField(null=True)
    client_at = models.DateTimeField(null=True)
    client_by = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+", db_index=False)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    replaces = ArrayField(models.TextField(), default=list)

    class Meta(StateModel.Meta):
        db_table = "delegations"
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "to_mailbox"], condition=Q(started_at=None, ended_at=None), name="one_asked_for"
            )
        ]
        indexes = [models.Index(fields=["mailbox", "-made"], name="delegations_of_a_mailbox")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        """That it was asked for; from its start on, what it allows too."""
        if row["ended_at"]:
            return NOTHING
        return frozenset({"asked", *(row["rights"] if row["started_at"] else ())})

    @property
    def missing(self) -> list[str]:
        """Who has not consented yet."""
        return [one for one in self.wants if not getattr(self, f"{one}_at")]


def wanted(mailbox: Mailbox) -> list[str]:
    """Who has to consent before anybody else gets into this mailbox, or writes in its name."""
    if mailbox.kind in NOBODYS:
        return []
    return [OWNER, CLIENT] if mailbox.vip else [OWNER]
