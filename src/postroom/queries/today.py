"""What changed within a day, in numbers; and how much of what stands was changed past Postroom. Two queries."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from postroom.access.acting import Actor, access_of
from postroom.access.scope import changes_seen, visible
from postroom.models import Change, Finding
from postroom.posture.checks.behind_our_back import BEHIND_OUR_BACK
from postroom.posture.checks.drift import DRIFT
from postroom.posture.checks.maps import MAPS

from .findings import decided

DAY = timedelta(hours=24)
ENDED = ("refused", "withdrawn", "stale")
KNOWN = ("person", "system", "clock", "founder", "link", "token", "owner", "code")
RECONCILER = (BEHIND_OUR_BACK.name, MAPS.name, DRIFT.name)  # what stands, held against the record (decision 15)


@dataclass(frozen=True)
class Today:
    """total: those that took effect. left: of these not verified yet. strange: without a known actor or a why.

    past: findings of the reconciler that are open and nobody accepted, however old. unsure: those of them whose object
    could not be read, apart. looked: whether this actor may look at findings at all.
    """

    total: int
    mail: int
    dns: int
    stopped: int
    left: int
    strange: int
    past: int
    unsure: int
    looked: bool

    @property
    def unexplained(self) -> int:
        return self.strange + self.past


def today(actor: Actor) -> Today:
    """Of what this actor may look at."""
    done = Q(version__isnull=False)
    dns = Q(kind__startswith="domains.") | Q(kind__startswith="record_sets.") | Q(kind__startswith="dkim_keys.")
    strange = ~Q(actor__in=KNOWN) | Q(why="")
    found = Change.objects.filter(changes_seen(), now__gte=timezone.now() - DAY).aggregate(
        total=Count("pk", filter=done),
        mail=Count("pk", filter=done & ~dns),
        dns=Count("pk", filter=done & dns),
        stopped=Count("pk", filter=Q(stage__in=ENDED)),
        left=Count("pk", filter=Q(stage="applied")),
        strange=Count("pk", filter=done & strange),
    )
    return Today(**found, **_past(actor), looked=access_of(actor).can_somewhere("findings.view"))


def _past(actor: Actor) -> dict[str, int]:
    rows = visible(actor, Finding).filter(closed_at=None, check_name__in=RECONCILER)
    read = Q(unknown_since=None)
    counted: dict[str, int] = rows.exclude(decided(actor, "accepted")).aggregate(
        past=Count("pk", filter=read), unsure=Count("pk", filter=~read)
    )
    return counted
