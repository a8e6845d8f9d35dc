"""What was last found of a domain's DNS by the rules mail is judged by."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from .base import Observation
from .clients import Client
from .domains import Domain

HOLDS = timedelta(minutes=45)  # three rounds of looking; what was looked at longer ago holds what nobody knows


class Posture(Observation):
    """One domain as it was looked at last, at `at`; since: from when on it has stood so.

    level: the worst of all results. levels: area → its worst (protocols/posture.py). results: each as JSON, in the
    order of the table of rules. unfinished: why nothing is known; then there are no results and the level is unknown.
    """

    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    own: ClassVar[str] = ""
    client = models.ForeignKey(Client, models.DO_NOTHING, db_constraint=False)
    domain = models.OneToOneField(Domain, models.DO_NOTHING, db_constraint=False)
    since = models.DateTimeField()
    level = models.TextField()
    levels = models.JSONField(default=dict)
    results = models.JSONField(default=list)
    unfinished = models.TextField(default="")

    class Meta:
        db_table = "postures"
        indexes = [models.Index(fields=["at"], name="postures_oldest_first")]
