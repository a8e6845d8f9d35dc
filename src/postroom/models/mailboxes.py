"""What hangs on an address: mailboxes and aliases; and the secrets and invites that open a mailbox."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper

from .base import NOTHING, Row, SecretField, StateModel
from .clients import Client
from .domains import Address, Domain
from .people import Person
from .record import Change


class Mailbox(StateModel):
    """One mailbox and the three layers of who answers for it: owner, operator, client admin.

    kind: person, role, shared or admin; a shared mailbox has no sign-in.
    access_epoch: raised to end every session the mailbox has open; it never comes back to what it was.
    """

    natural_key = "address__address"
    mine = "owner_id"
    own = "id"
    only_forward = frozenset({"access_epoch"})
    holds_mail = True
    client = models.ForeignKey(Client, models.DO_NOTHING, db_index=False)  # the first column of an index below
    address = models.OneToOneField(Address, models.DO_NOTHING)
    kind = models.TextField(default="person")
    name = models.TextField(default="")
    contact = models.TextField(default="")
    owner = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    operator = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    client_admin = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    vip = models.BooleanField(default=False)
    quota_mb = models.IntegerField(default=10_000)
    access_epoch = models.IntegerField(default=0)
    suspended_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "mailboxes"
        verbose_name_plural = "mailboxes"
        indexes = [
            models.Index(fields=["client", "address"], name="mailboxes_of_a_client"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="mailboxes_by_part_of_name"),
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        if row["removed_at"]:
            return NOTHING
        closed = row["suspended_at"] or row["kind"] == "shared"
        return frozenset({"receive"}) if closed else frozenset({"receive", "sign in", "send"})


# Whose it is, is known: by a person, or by the human it is named after.
OWNER_KNOWN = models.Q(owner__isnull=False) | (models.Q(kind="person") & ~models.Q(name=""))


class Destination(StateModel):
    """Where mail of one sort goes, under a name: every alias that uses it leads to just its targets.

    Changed once, every alias changes with it, in the same plan: so the plan shows all that it touches.
    """

    client = models.ForeignKey(Client, models.DO_NOTHING, db_index=False)  # the first column of the constraint
    name = models.TextField()
    targets = ArrayField(models.TextField())
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "destinations"
        constraints = [
            models.UniqueConstraint(
                fields=["client", "name"], condition=models.Q(removed_at=None), name="one_destination"
            )
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["removed_at"] else frozenset(row["targets"])

    @classmethod
    def called(cls, ref: str) -> models.Q:
        """Those of an id; or that stand under a name, or under one at a client: acme:invoicing. Names are of a client,
        so several may be called alike."""
        try:
            return models.Q(pk=UUID(ref))
        except ValueError:
            slug, _, name = ref.partition(":")
            at = models.Q(client__slug=slug.strip().lower(), name=name.strip()) if name else models.Q(pk__in=[])
            return models.Q(removed_at=None) & (models.Q(name=ref.strip()) | at)


class Alias(StateModel):
    """An address that passes its mail on to others of its client. destination: whose targets these are."""

    natural_key = "address__address"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    address = models.OneToOneField(Address, models.DO_NOTHING)
    targets = ArrayField(models.TextField())
    destination = models.ForeignKey(Destination, models.DO_NOTHING, null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "aliases"
        verbose_name_plural = "aliases"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["removed_at"] else frozenset(row["targets"])


class Invite(StateModel):
    """A one-time link with which an owner sets the secret of a mailbox, a person makes a login, or a change is stopped.

    Holds no token: only its hash is kept, among the secrets. until: 72 h from the last issue.
    asked: how often somebody asked for the mail to be sent again. by_mail: false for one printed on the machine,
    or, of a mailbox, handed over by whoever copied its link: that one is of no contact, or of one that is told alone.
    issued: how many links were made, so that each making moves the row, and whoever judges rows sees it.
    remind_at: when its contact is reminded, once; null: not (any more), or it was, at reminded_at.
    stops: of a notice, the change that waits for no second person; such a link opens nothing and sets no secret.
    recovers: of a recovery, PASSWORD (their second factor is asked with it) or SIGN_IN (an owner agreed: new factors).
    confirms: of a recovery channel, which its link says is read still; it opens nothing and sets no secret.
    verification: the verified reset that released it; it goes to the one contact that was known before.
    vouches: likewise of the client's SECURITY contact, or the REGISTRAR's account address of `domain`.
    """

    grants_access = True
    own = "mailbox_id"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    mailbox = models.ForeignKey(Mailbox, models.DO_NOTHING, null=True)
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    stops = models.ForeignKey(Change, models.DO_NOTHING, null=True, related_name="notices")
    recovers = models.TextField(default="")
    confirms = models.ForeignKey("RecoveryChannel", models.DO_NOTHING, null=True, related_name="confirmations")
    verification = models.ForeignKey("Verification", models.DO_NOTHING, null=True, db_index=False, related_name="+")
    vouches = models.TextField(default="")
    domain = models.ForeignKey(Domain, models.DO_NOTHING, null=True, db_index=False)
    contact = models.TextField()
    asked = models.IntegerField(default=0)
    by_mail = models.BooleanField(default=True)
    made = models.DateTimeField()
    until = models.DateTimeField(null=True)
    issued = models.IntegerField(default=0)
    remind_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "invites"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        if row["used_at"] or row["ended_at"]:
            return NOTHING
        if row.get("confirms_id") or row.get("vouches"):
            return frozenset({"confirm a channel"})
        if row.get("recovers"):
            return frozenset({"recover a sign-in"})
        return frozenset({"stop a change" if row.get("stops_id") else "set a secret"})


class Secret(StateModel):
    """A value that opens something. Edits carry that it was made, never the value."""

    grants_access = True
    own = "owner_row"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    owner_row = models.UUIDField()
    purpose = models.TextField()
    value = SecretField()
    made = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "secrets"
        constraints = [models.UniqueConstraint(fields=["owner_row", "purpose"], name="one_secret")]
        indexes = [models.Index(fields=["purpose", "value"], name="secrets_by_value")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return frozenset({row["purpose"]})


def once_set_up(mailboxes: Iterable[object]) -> set[str]:
    """Ids of those of these mailboxes whose owner ever set a secret: that of a removed one is gone, its mail is not."""
    used = Invite.objects.filter(mailbox_id__in=list(mailboxes), used_at__isnull=False)
    return {str(one) for one in used.values_list("mailbox_id", flat=True)}
