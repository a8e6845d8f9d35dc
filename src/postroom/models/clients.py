"""The organization, its clients, freezes, and the nodes that serve them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import NOTHING, Row, StateModel

HELD_OVER, UNDO_WITHIN = 25, 30  # the organization's standard: objects; minutes


class Organization(StateModel):
    """Whoever runs this installation. There is one; its row is the lock of all that belongs to no client.

    forward_allowed, forward_forbidden: patterns (protocols/patterns.py) of addresses outside that mail of any client
    may be passed on to without an exception, and of those it may not with one.
    """

    unrecorded: ClassVar[frozenset[str]] = frozenset({"version"})
    everybody = True
    natural_key = "name"
    name = models.TextField()
    postmaster = models.TextField(default="")
    terms_url = models.TextField(default="")
    privacy_url = models.TextField(default="")
    forward_allowed = ArrayField(models.TextField(), default=list)
    forward_forbidden = ArrayField(models.TextField(), default=list)
    version = models.BigIntegerField(db_default=0)

    class Meta(StateModel.Meta):
        db_table = "organizations"


class Node(StateModel):
    """One mail server host. It signs in to PostgreSQL as `role`, a member of postroom_node."""

    everybody = True
    natural_key = "name"
    name = models.TextField(unique=True, db_collation="C")
    region = models.TextField(default="")
    role = models.TextField(unique=True, db_collation="C")
    public_key = models.TextField(default="")
    drained_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "nodes"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["removed_at"] else frozenset({"serve"})


class Redelivery(StateModel):
    """An object that a node was told to write again: one row of each, which moves whenever somebody asks.

    object: domain, address or key; node for the node's own rows and what has nobody's id, under the id of nothing.
    """

    for_good = True
    client = models.ForeignKey("Client", models.DO_NOTHING, null=True)
    node = models.ForeignKey(Node, models.DO_NOTHING)
    object = models.TextField()
    object_id = models.UUIDField()
    times = models.IntegerField(default=1)

    class Meta(StateModel.Meta):
        db_table = "redeliveries"
        verbose_name_plural = "redeliveries"
        constraints = [
            models.UniqueConstraint(fields=["node", "object_id", "client"], name="one_redelivery", nulls_distinct=False)
        ]


class Client(StateModel):
    """The tenancy boundary. Its row is the lock, and its version the order, of all its changes.

    app_passwords_only: the main password opens no mail here, only the owner's own page; devices have app passwords.
    reset_keeps_app_passwords: a mailbox's are there still when its owner got it back by a code or a link.
    sending: from what its mail leaves: shared with other clients, isolated, or unknown.
    held_over: more objects in one change of people than this wait for a second person; none: HELD_OVER.
    undo_within: minutes in which one's own untouched undo waits for nobody; none: UNDO_WITHIN.
    forward_allowed, forward_forbidden: like the organization's, of this client's mail.
    """

    unrecorded: ClassVar[frozenset[str]] = frozenset({"version"})
    natural_key = "slug"
    slug = models.TextField(unique=True, db_collation="C")
    name = models.TextField()
    node = models.ForeignKey(Node, models.DO_NOTHING, null=True)
    security_contact = models.TextField(default="")
    security_confirmed_at = models.DateTimeField(null=True)  # when whoever reads there last said so, by one click
    security_ask_at = models.DateTimeField(null=True)  # when the clock asks again
    may_ask = ArrayField(models.TextField(), default=list)
    notes = models.TextField(default="")
    sending = models.TextField(default="unknown")
    suspended_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    app_passwords_only = models.BooleanField(default=False)
    reset_keeps_app_passwords = models.BooleanField(default=False)
    held_over = models.IntegerField(null=True)
    undo_within = models.IntegerField(null=True)
    forward_allowed = ArrayField(models.TextField(), default=list)
    forward_forbidden = ArrayField(models.TextField(), default=list)
    closed_at = models.DateTimeField(null=True)  # its own people let nobody of the organization in
    version = models.BigIntegerField(db_default=0)

    class Meta(StateModel.Meta):
        db_table = "clients"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        if row["removed_at"]:
            return NOTHING
        operated = NOTHING if row.get("closed_at") else frozenset({"operate"})
        return operated | (frozenset({"receive"}) if row["suspended_at"] else frozenset({"receive", "sign in", "send"}))


class Freeze(StateModel):
    """Nothing changes here for now, but what only closes. Ends by predicate, tidied later."""

    everybody = True
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    reason = models.TextField()
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "freezes"
