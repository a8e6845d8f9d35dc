"""People, what they may do where, and their sessions at the API."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import NOTHING, Observation, Row, StateModel
from .clients import Client
from .domains import Domain


class Person(StateModel):
    """Somebody who may sign in to Postroom, and may own mailboxes. Has at most one login.

    access_epoch: raised to end every session they have open, at the pages and at the API; when it was raised last, the
    record says (sql/install.sql, postroom_stopped).
    """

    natural_key = "email"
    only_forward = frozenset({"access_epoch"})
    mine = "id"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    name = models.TextField()
    email = models.TextField(unique=True, db_collation="C")
    access_epoch = models.IntegerField(default=0)
    suspended_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "people"
        verbose_name_plural = "people"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["suspended_at"] or row["removed_at"] else frozenset({"sign in"})


class Role(StateModel):
    """A role of the organization's own: permissions by their names. Ours are in code (access/roles.py)."""

    everybody = True
    grants_access = True
    natural_key = "name"
    name = models.TextField(unique=True, db_collation="C")
    permissions = ArrayField(models.TextField())
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "roles"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset(row["permissions"])


class Grant(StateModel):
    """A role at the organization, a client or a domain. Never changed but for its end."""

    grants_access = True
    mine = "person_id"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, null=True)
    person = models.ForeignKey(Person, models.DO_NOTHING)
    role = models.TextField()
    reason = models.TextField()
    given_by = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "grants"
        # Without it a grant on one domain, its client left out, would read as one on everything.
        constraints = [
            models.CheckConstraint(
                condition=models.Q(domain=None) | models.Q(client__isnull=False), name="domain_grant_names_its_client"
            )
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({row["role"]})


class Letter(StateModel):
    """Somebody is told by mail, of what was done to a person's sign-in, of a client's record or its roster, or of who
    gets into a mailbox. It opens nothing.

    says: RECOVERED, MOVED, of a second factor ADDED, REMOVED or CODES, CHECKPOINT or ROSTER, of a mailbox NAMED, ENDED,
    RESET, TRANSFERRED, REDEEMED or LEAVES, of an exception ENDED (the worker has the words). person: whose sign-in it
    is about. mailbox: which it is about. about: the address before, where it moved; the factor, and from where; the id
    of the roster, the channel, the exception or the verified reset; the mailbox it is about; where its mail goes.
    """

    for_good = True  # what was mailed is not taken back
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    mailbox = models.ForeignKey("Mailbox", models.DO_NOTHING, null=True)
    contact = models.TextField()
    says = models.TextField()
    about = models.TextField(default="")
    made = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "letters"


class Device(StateModel):
    """A browser on a system in a network, from which a person signs in: they said so from there. It opens nothing."""

    mine = "person_id"
    person = models.ForeignKey(Person, models.DO_NOTHING)
    network = models.TextField()
    browser = models.TextField()
    made = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "devices"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({"be known"})


class SavedView(models.Model):
    """What one person narrows the list of forwards that leave by, under a name: like the theme of the pages, theirs
    alone to read and to write, and no state. narrowed: parameter → value, as the address of the list has them."""

    person = models.ForeignKey(Person, models.DO_NOTHING, db_constraint=False, db_index=False)
    name = models.TextField()
    narrowed = models.JSONField(default=dict)

    class Meta:
        db_table = "saved_views"
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="one_view")]


class ApiSession(StateModel):
    """A personal session at the API and the CLI: may do what its person may, for twelve hours at most.

    mfa: how the second factor was shown. The token's SHA-256 is a secret; the token is kept nowhere.
    """

    grants_access = True
    mine = "person_id"
    person = models.ForeignKey(Person, models.DO_NOTHING)
    label = models.TextField(default="")
    mfa = models.TextField(default="")
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "api_sessions"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({"act"})


class ApiToken(StateModel):
    """A token for programs: proposes and reads as its person may, no more than its own permissions, at its clients.

    clients: none named means wherever its person may. networks: none named means from anywhere. Its SHA-256 is a
    secret; the token itself is kept nowhere.
    """

    grants_access = True
    mine = "person_id"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    person = models.ForeignKey(Person, models.DO_NOTHING)
    name = models.TextField()
    permissions = ArrayField(models.TextField())
    clients = ArrayField(models.UUIDField(), default=list)
    networks = ArrayField(models.TextField(), default=list)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "api_tokens"

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset(row["permissions"])


class TokenUse(Observation):
    """When a token was used last, and from where; a minute is near enough."""

    token = models.OneToOneField(ApiToken, models.DO_NOTHING, primary_key=True, db_constraint=False)
    source = models.TextField(default="")

    class Meta:
        db_table = "token_uses"
