"""Probes: messages sent to see where mail to an address arrives, where each should, and where it was seen."""

from typing import ClassVar

from django.db import models

from .base import Observation, StateModel
from .clients import Client
from .domains import Domain

MAILBOX, OUTSIDE, REFUSED, DISCARDED, WAITING = "mailbox", "outside", "refused", "discarded", "waiting"
UNKNOWN = "unknown"
STILL_TO_BE_SENT = "is it still to be sent?"  # of a delivery; its answer is why not


class Probe(StateModel):
    """One message to an address, to see where it arrives. Its letter is known by the token of its Mailed."""

    for_good = True  # what was mailed is not taken back
    client = models.ForeignKey(Client, models.DO_NOTHING)
    domain = models.ForeignKey(Domain, models.DO_NOTHING)
    address = models.TextField(db_collation="C")
    made = models.DateTimeField()

    class Meta(StateModel.Meta):
        db_table = "probes"
        indexes = [models.Index(fields=["address", "-made"], name="probes_to_an_address")]


class ProbeLanding(Observation):
    """One place where a probe should end (predicted), was seen to (seen_at), or both. domain: of the probe.

    sort: MAILBOX, OUTSIDE, REFUSED (by whoever had it), DISCARDED (by a filter), WAITING (put off, and tried again);
    predicted, also loop and UNKNOWN, of which nothing is ever seen. OUTSIDE at another client turns UNKNOWN when
    mail came to it or beyond (sql/nodes.sql). address: empty for one that is another client's.
    of: the domain of the client that the address is at; nothing outside. folder: of the mailbox. status: as 5.1.1 (RFC
    3463); said: a server's own words. sometimes, why: as it was computed. at: when it was computed, or first seen.
    """

    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    own: ClassVar[str] = ""
    client = models.ForeignKey(Client, models.DO_NOTHING, db_constraint=False, db_index=False)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, db_constraint=False, db_index=False)
    probe = models.ForeignKey(Probe, models.DO_NOTHING, db_constraint=False, db_index=False)
    of = models.UUIDField(null=True)
    sort = models.TextField()
    address = models.TextField(db_collation="C")
    predicted = models.BooleanField(default=False)
    sometimes = models.BooleanField(default=False)
    why = models.TextField(default="")
    seen_at = models.DateTimeField(null=True)
    folder = models.TextField(default="")
    status = models.TextField(default="")
    said = models.TextField(default="")

    class Meta:
        db_table = "probe_landings"
        constraints = [models.UniqueConstraint(fields=["probe", "sort", "address"], name="one_probe_landing")]
        indexes = [models.Index(fields=["at"], name="probe_landings_oldest_first")]
