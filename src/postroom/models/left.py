"""By which ways mail left, and when last; and since when each node has looked without a gap. No more of any mail."""

from typing import ClassVar

from django.db import models

from .base import Observation
from .clients import Client, Node
from .domains import Domain


class LastHit(Observation):
    """at: when mail to `source` last left to `target`, as a node's log says it did.

    source: an address of the client, or @domain for all who are nobody there; domain: where that is. target: outside;
    empty for one that a script works out. One row a way, let go a year after.
    """

    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    own: ClassVar[str] = ""
    client = models.ForeignKey(Client, models.DO_NOTHING, db_constraint=False, db_index=False)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, db_constraint=False, db_index=False)
    source = models.TextField(db_collation="C")
    target = models.TextField(db_collation="C")

    class Meta:
        db_table = "last_hits"
        constraints = [models.UniqueConstraint(fields=["source", "target"], name="one_last_hit")]
        indexes = [models.Index(fields=["at"], name="last_hits_oldest_first")]


class LeftRead(Observation):
    """at: to when a node has read its logs of what leaves, all there is; since: from when without a gap."""

    everybody: ClassVar[bool] = True
    client: ClassVar[None] = None
    node = models.OneToOneField(Node, models.DO_NOTHING, db_constraint=False)
    since = models.DateTimeField()

    class Meta:
        db_table = "left_reads"
