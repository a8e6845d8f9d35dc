"""What opens a mailbox beside its main password."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import NOTHING, Row, StateModel
from .clients import Client
from .mail_apps import MailApp
from .mailboxes import Mailbox

APP_PASSWORD, OAUTH = "app password", "oauth"
PROTOCOLS = ("imap", "submission", "managesieve")


def called(sort: str, pk: UUID | str) -> str:
    """As mail nodes name a credential, of a session and of a sign-in."""
    return f"{'oauth' if sort == OAUTH else 'app'}:{pk}"


class Credential(StateModel):
    """What opens a mailbox for one device, for mail alone. sort: an app password, drawn by Postroom and shown to the
    mailbox's owner once; or oauth, the owner's consent that an app (`app`) signs in, by tokens and no password.

    name: the device, as its owner calls it; no two live ones of a mailbox share one. until: none means no end by time.
    access_epoch: raised to end the sessions that were opened with it. An app password's SHA-256 is a secret; it is kept
    nowhere. A consent has none: tokens name it (web/mail_app_tokens.py).
    """

    grants_access = True
    only_forward = frozenset({"access_epoch"})
    own = "mailbox_id"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, db_index=False)  # the first column of an index below
    sort = models.TextField(default=APP_PASSWORD)
    app = models.ForeignKey(MailApp, models.DO_NOTHING, null=True)
    name = models.TextField()
    protocols = ArrayField(models.TextField())
    until = models.DateTimeField(null=True)
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    access_epoch = models.IntegerField(default=0)

    class Meta(StateModel.Meta):
        db_table = "credentials"
        verbose_name = APP_PASSWORD
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "name"], condition=models.Q(ended_at=None), name="one_app_password_a_device"
            )
        ]
        indexes = [models.Index(fields=["mailbox", "id"], name="credentials_of_a_mailbox")]

    @property
    def called(self) -> str:
        """As mail nodes name it."""
        return called(self.sort, self.pk)

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset(row["protocols"])
