"""Domains, the one address space under them, and what shall stand in their DNS."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Reverse

from .base import NOTHING, Observation, Row, StateModel
from .clients import Client

FRESH = timedelta(minutes=10)  # a zone that was read longer ago holds what nobody knows


class Domain(StateModel):
    """A domain in a client's care: who holds it where, and whether its control is proven.

    registrar_account: where the registrar writes to. registrar_account_holder: who holds the mailbox there.
    registrar_mfa: yes, no or unknown. second_holder: who else holds the registrar's login. confirmed_on: when somebody
    last asked whether all this is still so. No secret of a registrar is kept, only who holds it.

    hosting: hosted (our name servers), provider (theirs, with an API), manual (somebody types it in).
    proof:   waiting, read or lost; a domain delivers for nobody until its proof is read.
    alias_of: every address of that domain is one here too, and has no mailbox of its own.
    """

    natural_key = "name"
    client = models.ForeignKey(Client, models.DO_NOTHING)
    name = models.TextField(unique=True, db_collation="C")
    hosting = models.TextField(default="hosted")
    registrar = models.TextField(default="")
    registrar_holder = models.TextField(default="")
    registrar_account = models.TextField(default="")
    registrar_account_holder = models.TextField(default="")
    registrar_confirmed_at = models.DateTimeField(null=True)  # when whoever reads there last said so, by one click
    registrar_ask_at = models.DateTimeField(null=True)  # when the clock asks again
    registrar_mfa = models.TextField(default="unknown")
    second_holder = models.TextField(default="")
    dns_holder = models.TextField(default="")
    confirmed_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    proof = models.TextField(default="waiting")
    proof_token = models.TextField(default="")
    alias_of = models.ForeignKey("self", models.DO_NOTHING, null=True, db_index=False, related_name="+")
    suspended_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "domains"
        indexes = [
            models.Index(Reverse("name"), name="domains_by_end"),  # those below a name lie together
            models.Index(  # a page of the list is found in it alone, whoever asks
                fields=["name"], include=["id", "client"], condition=models.Q(removed_at=None), name="domains_listed"
            ),
        ]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        if row["removed_at"] or row["proof"] != "read":
            return NOTHING
        return frozenset({"receive"}) if row["suspended_at"] else frozenset({"receive", "sign in", "send"})


class Address(StateModel):
    """Every address a client holds is one row; mailbox, alias and catch-all hang on it."""

    natural_key = "address"
    own = "id"
    client = models.ForeignKey(Client, models.DO_NOTHING, db_index=False)  # the first column of an index below
    domain = models.ForeignKey(Domain, models.DO_NOTHING)
    address = models.TextField(unique=True, db_collation="C")
    keep_copy = models.BooleanField(default=True)

    class Meta(StateModel.Meta):
        db_table = "addresses"
        indexes = [
            models.Index(fields=["client", "address"], name="addresses_of_a_client"),
            GinIndex(fields=["address"], opclasses=["gin_trgm_ops"], name="addresses_by_part"),
        ]


class RecordSet(StateModel):
    """The whole RRset that shall stand under a name, other people's values included.

    found:     {ttl, values} as it stood when we first took it over; null when nothing stood there.
    ours:      the values among them that we answer for.
    set_aside: {ttl, values, ours} while its domain is removed; what a restore puts back.
    """

    client = models.ForeignKey(Client, models.DO_NOTHING)
    domain = models.ForeignKey(Domain, models.DO_NOTHING)
    name = models.TextField(db_collation="C")
    type = models.TextField()
    ttl = models.IntegerField(default=3600)
    values = ArrayField(models.TextField())
    ours = ArrayField(models.TextField(), default=list)
    found = models.JSONField(null=True)
    set_aside = models.JSONField(null=True)

    class Meta(StateModel.Meta):
        db_table = "record_sets"
        constraints = [models.UniqueConstraint(fields=["domain", "name", "type"], name="one_record_set")]

    @property
    def label(self) -> str:
        return f"{self.type} {self.name}"


class DkimKey(StateModel):
    """A signing key of a domain: wanted, made and published, active, retiring, at last revoked.

    The private half is a secret, sealed to the node; only its public half is ever read here.
    activated_at: when its record had been read at every authoritative server. retired_at: since when nothing is signed
    with it any more; what it signed still verifies. revoke_at: from when on its record may say that nothing does;
    revoked_at: since when that is so, for good.
    """

    client = models.ForeignKey(Client, models.DO_NOTHING)
    domain = models.ForeignKey(Domain, models.DO_NOTHING)
    selector = models.TextField(db_collation="C")
    algorithm = models.TextField(default="rsa-2048")
    public = models.TextField(default="")
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    revoke_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "dkim_keys"
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="one_selector")]
        indexes = [
            models.Index(fields=["activated_at"], condition=models.Q(retired_at=None), name="keys_by_age"),
            models.Index(
                fields=["revoke_at"], condition=models.Q(revoke_at__isnull=False, revoked_at=None),
                name="keys_to_revoke",
            ),
        ]  # fmt: skip

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        signs = row["activated_at"] and not row["retired_at"] and not row.get("revoked_at")
        return frozenset({"sign"}) if signs else NOTHING

    @property
    def signs(self) -> bool:
        return bool(self.opens(self.row()))

    @property
    def label(self) -> str:
        return f"{self.selector} of {self.domain_id}"


class Reading(Observation):
    """An RRset as an authoritative server, or a provider's API, last told it. values null: nothing stands there.

    failed: why it could not be read; then `values` says nothing at all.
    everybody: what a zone answers is no secret while it is no client's; whoever adds it plans from it.
    """

    everybody: ClassVar[bool] = True
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    zone = models.TextField(db_collation="C")
    name = models.TextField(db_collation="C")
    type = models.TextField()
    ttl = models.IntegerField(null=True)
    values = ArrayField(models.TextField(), null=True)
    failed = models.TextField(default="")
    server = models.TextField(default="")

    class Meta:
        db_table = "readings"
        constraints = [models.UniqueConstraint(fields=["zone", "name", "type"], name="newest_reading")]


class ServerReading(Observation):
    """What one of a zone's authoritative servers, as the zone's parent names them, last said of what we answer for.

    said: "TYPE name" → its values. failed: why nothing of it is known, since `failed_since`; `said` is then empty.
    """

    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, db_constraint=False)
    server = models.TextField(db_collation="C")
    said = models.JSONField(default=dict)
    failed = models.TextField(default="")
    failed_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "server_readings"
        constraints = [models.UniqueConstraint(fields=["domain", "server"], name="newest_of_a_server")]
