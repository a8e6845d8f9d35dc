"""What observers found wrong, as last read; and what people decided about it, which is state."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Cast, Concat

from .base import NOTHING, Observation, Row, StateModel
from .clients import Client
from .domains import Domain
from .people import Person

SEVERITIES = ("critical", "high", "medium", "low")
OPEN = models.Q(closed_at=None)


def severity_rank() -> models.Case:
    """0 for critical to 3 for low, from the column `severity`."""
    return models.Case(
        *(models.When(severity=name, then=models.Value(n)) for n, name in enumerate(SEVERITIES)),
        output_field=models.SmallIntegerField(),
    )


def _place() -> Concat:
    rank = models.Case(
        *(models.When(severity=name, then=models.Value(str(n))) for n, name in enumerate(SEVERITIES)),
        output_field=models.TextField(),
    )
    return Concat(rank, Cast("id", models.TextField()), output_field=models.TextField())


class Finding(Observation):
    """One thing that is wrong, from the first read that showed it (`since`) to the one that showed it gone.

    at: when it was last read as present. unknown_since: since when its object could not be read; it is neither there
    nor gone then. fingerprint: the same for the same cause at the same object, however often it is read; one open row
    each. evidence: what the check saw, `before` and `after` where there are both; never a secret. kind, params: the
    change that would set it right, for a person to submit. told: when every owner's mail about a critical one was
    taken by our submission; told_to: what it answered, by address. place: worst first, then longest open.
    """

    everybody: ClassVar[bool] = False
    mine: ClassVar[str] = ""
    own: ClassVar[str] = ""
    id = models.UUIDField(primary_key=True, editable=False)
    check_name = models.TextField(db_collation="C")
    fingerprint = models.TextField(db_collation="C")
    severity = models.TextField()
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    domain = models.ForeignKey(Domain, models.DO_NOTHING, null=True, db_constraint=False)
    noun = models.TextField()
    object = models.UUIDField(null=True)
    label = models.TextField()
    title = models.TextField()
    evidence = models.JSONField(default=dict)
    kind = models.TextField(default="")
    params = models.JSONField(default=dict)
    since = models.DateTimeField()
    unknown_since = models.DateTimeField(null=True)
    unknown_why = models.TextField(default="")
    closed_at = models.DateTimeField(null=True)
    told = models.DateTimeField(null=True)
    told_to = models.JSONField(default=dict)
    rank = models.GeneratedField(expression=severity_rank(), output_field=models.SmallIntegerField(), db_persist=True)
    place = models.GeneratedField(expression=_place(), output_field=models.TextField(db_collation="C"), db_persist=True)

    class Meta:
        db_table = "findings"
        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], name="one_open_finding", condition=OPEN),
            models.CheckConstraint(condition=models.Q(severity__in=SEVERITIES), name="severity_is_known"),
        ]
        indexes = [
            models.Index(fields=["place"], name="findings_worst_first", condition=OPEN),
            models.Index(fields=["client", "place"], name="findings_of_a_client", condition=OPEN),
            models.Index(fields=["client", "-id"], name="findings_of_a_client_then"),
            models.Index(fields=["check_name", "object"], name="findings_of_a_check", condition=OPEN),
            models.Index(fields=["fingerprint", "-id"], name="findings_of_a_cause"),
            models.Index(fields=["id"], name="findings_not_told", condition=models.Q(severity="critical", told=None)),
            GinIndex(fields=["title", "label"], opclasses=["gin_trgm_ops"] * 2, name="findings_by_part"),
        ]


class Look(Observation):
    """When a check last read all it reads. failed: why the last try did not; then its findings are unknown."""

    check_name = models.TextField(primary_key=True, db_collation="C")
    at = models.DateTimeField(null=True)  # type: ignore[assignment]
    tried = models.DateTimeField()
    failed = models.TextField(default="")

    class Meta:
        db_table = "looks"


class Acceptance(StateModel):
    """What a person decided about a finding; ends by predicate, tidied later.

    sort: acknowledged (this one finding: somebody is at it) or accepted (its cause, until then, also when it comes
    back). severity: how bad it was then; what has become worse since is not covered. title: what it said then.
    """

    natural_key = "title"
    client = models.ForeignKey(Client, models.DO_NOTHING, null=True)
    finding = models.UUIDField(db_index=True)
    fingerprint = models.TextField(db_collation="C")
    severity = models.TextField()
    title = models.TextField()
    sort = models.TextField()
    reason = models.TextField(default="")
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    made = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(StateModel.Meta):
        db_table = "acceptances"
        indexes = [models.Index(fields=["fingerprint"], name="acceptances_of_a_cause")]

    @classmethod
    def opens(cls, row: Row) -> frozenset[str]:
        return NOTHING if row["ended_at"] else frozenset({row["sort"]})
