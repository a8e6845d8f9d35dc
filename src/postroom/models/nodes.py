"""What mail nodes tell: heartbeats and what was seen when an object was read back."""

from datetime import timedelta

from django.db import models

from .base import Observation
from .clients import Client, Node

WORD_HOLDS = timedelta(minutes=5)  # so old may what a node told of be; what it told before is not known of now


class Report(Observation):
    """One line of a node's report: sort is heartbeat, greeting, digest, …"""

    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False)
    sort = models.TextField()
    facts = models.JSONField()

    class Meta:
        db_table = "reports"
        indexes = [models.Index(fields=["node", "sort", "-at"], name="reports_newest_first")]


class Evidence(Observation):
    """What a node read back for an object of a change; the worker compares it and moves the stage."""

    node = models.ForeignKey(Node, models.DO_NOTHING, db_constraint=False)
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False)
    change_id = models.UUIDField()
    object = models.TextField()
    object_id = models.UUIDField()
    found = models.JSONField()

    class Meta:
        db_table = "evidence"
        indexes = [
            models.Index(fields=["change_id"], name="evidence_of_a_change"),
            models.Index(fields=["object_id", "-id"], name="evidence_newest_first"),
        ]
