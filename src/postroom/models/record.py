"""The record: what was proposed, what was written, in what order. Entries, places and edits are only ever inserted.

But for what an erasure takes out of an edit: its content goes, its hash stays. Changes move from stage to stage, every
move an entry. What is still to be done for one stands in `machinery`.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Now

from .base import StateModel
from .clients import Client
from .people import ApiToken, Person


class Batch(models.Model):
    """Changes at several clients that are planned, shown, approved and undone together."""

    id = models.UUIDField(primary_key=True)
    proposer = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    why = models.TextField(default="")
    plan_hash = models.TextField()
    made = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "batches"


class Change(models.Model):
    """One proposal and where it stands. `plan` is kept only while somebody must look at it.

    actor: person, token, owner, code, link, founder, clock or system; proposer is the person, if it is one, token what
    they used, mailbox the one whose owner it was.
    domains: what it is about, if that is single domains and nothing besides.
    erased_by: the change that erased what was asked here, and why (changes/erase.py).
    """

    id = models.UUIDField(primary_key=True)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    batch = models.ForeignKey(Batch, models.DO_NOTHING, null=True)
    kind = models.TextField()
    params = models.JSONField()
    actor = models.TextField(default="person")
    proposer = models.ForeignKey(Person, models.DO_NOTHING, null=True)
    token = models.ForeignKey(ApiToken, models.DO_NOTHING, null=True, db_index=False)
    mailbox = models.ForeignKey("postroom.Mailbox", models.DO_NOTHING, null=True, db_index=False, related_name="+")
    domains = ArrayField(models.UUIDField(), null=True)
    why = models.TextField()
    ticket = models.TextField(default="")
    key = models.TextField(null=True)
    now = models.DateTimeField()
    at = models.DateTimeField(null=True)
    stage = models.TextField(default="proposed")
    verdicts = models.JSONField(default=list)
    plan = models.JSONField(null=True)
    plan_hash = models.TextField(default="")
    version = models.BigIntegerField(null=True)
    left_out = models.JSONField(default=list)
    caused_by = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="follow_ups")
    undoes = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="undone_in")
    undone_by = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="+")
    replans = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="replanned_in")
    erased_by = models.ForeignKey("self", models.DO_NOTHING, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "changes"
        constraints = [
            models.UniqueConstraint(
                fields=["actor", "proposer", "token", "mailbox", "key"],
                name="one_change_per_key",
                condition=models.Q(key__isnull=False),
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="changes_newest_first"),
            models.Index(fields=["stage"], name="changes_by_stage"),
        ]


class Approval(models.Model):
    """Somebody looked at exactly this plan and let it through. void: the plan, or its reasons, changed since."""

    change = models.ForeignKey(Change, models.DO_NOTHING)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    person = models.ForeignKey(Person, models.DO_NOTHING)
    plan_hash = models.TextField()
    at = models.DateTimeField(db_default=Now())
    void = models.BooleanField(default=False)

    class Meta:
        db_table = "approvals"


class Entry(models.Model):
    """One line of the record. version: the client's, or the organization's, that this entry made."""

    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    version = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())
    leaf = models.BinaryField()

    class Meta:
        db_table = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["client", "version"],
                name="one_version",
                condition=models.Q(version__isnull=False),
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="entries_newest_first"),
            models.Index(fields=["at"], name="entries_by_time"),
        ]


class Place(models.Model):
    """Where the sequencer put an entry: in the log, and in its client (or the organization). Both count from 0."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    log_index = models.BigIntegerField(unique=True)
    client_index = models.BigIntegerField()

    class Meta:
        db_table = "places"
        constraints = [
            models.UniqueConstraint(fields=["client", "client_index"], name="one_place", nulls_distinct=False)
        ]


class TreeNode(models.Model):
    """A whole subtree of the log, 2^level leaves, which never changes again. Level 0 is the leaves themselves."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "tree_nodes"


class Checkpoint(models.Model):
    """A signed note that says how long the log is and what its root is; made by the signer, who keeps its own."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "checkpoints"


class Alarm(models.Model):
    """Why the signer signs nothing any more, as it says itself; no words: it signs. One row at most."""

    id = models.SmallIntegerField(primary_key=True)
    why = models.TextField()
    since = models.DateTimeField()

    class Meta:
        db_table = "signer_alarms"


class LookedAt(models.Model):
    """That somebody who runs the service looked at an object within an hour, so that it is one entry and not many.

    object: of a refusal at one (queries/turned_away.py) it is made of the object and the permission; those are counted
    apart from looks.
    """

    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    person = models.ForeignKey(Person, models.DO_NOTHING, db_constraint=False, db_index=False)
    object = models.UUIDField()
    hour = models.DateTimeField()

    class Meta:
        db_table = "looked_at"
        constraints = [models.UniqueConstraint(fields=["hour", "person", "object"], name="one_look_an_hour")]


class RecordedEdit(models.Model):
    """A line of an entry. person, said: by whom it is, and its kind or event; what an entry is searched by.
    hashed: its salted hash, of one that was erased: then it holds nothing else.

    PostgreSQL works both out from the line itself: under row security no index finds what is inside of JSON.
    """

    pk = models.CompositePrimaryKey("entry_id", "n")
    entry = models.ForeignKey(Entry, models.DO_NOTHING)
    n = models.IntegerField()
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    table = models.TextField()
    row = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    salt = models.BinaryField()
    hashed = models.BinaryField(null=True)
    person = models.GeneratedField(
        expression=Case(When(n=0, then=Coalesce(KT("after__proposer_id"), KT("after__person")))),
        output_field=models.TextField(null=True),
        db_persist=True,
    )
    said = models.GeneratedField(
        expression=Case(
            When(Q(n=0, table="changes"), then=KT("after__kind")), When(Q(n=0, table="events"), then=KT("after__what"))
        ),
        output_field=models.TextField(null=True),
        db_persist=True,
    )

    class Meta:
        db_table = "edits"
        indexes = [
            models.Index(fields=["row", "entry"], name="edits_of_a_row"),
            models.Index(fields=["person", "entry"], name="edits_by_a_person", condition=Q(n=0)),
            models.Index(fields=["said", "entry"], name="edits_by_what", condition=Q(n=0)),
        ]


class Erasure(StateModel):
    """Lines of one entry that are erased, and what is kept of them: which rows and fields, never what stood there.

    leaf: the entry's, in hex, which names it wherever it is read. lines: [{n, table, row, before, after, kept}], before
    and after the names of fields. It is made and never unmade; who makes it blanks the lines (changes/erase.py).
    """

    for_good: ClassVar[bool] = True
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    entry = models.ForeignKey(Entry, models.DO_NOTHING)
    leaf = models.TextField()
    lines = models.JSONField()
    reason = models.TextField()

    class Meta(StateModel.Meta):
        db_table = "erasures"
