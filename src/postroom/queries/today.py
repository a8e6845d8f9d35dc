"""What changed within a day, in numbers: one query."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import changes_seen
from postroom.models import Change

DAY = timedelta(hours=24)
ENDED = ("refused", "withdrawn", "stale")
KNOWN = ("person", "system", "clock", "founder", "link", "token", "owner", "code")


@dataclass(frozen=True)
class Today:
    """total: those that took effect. left: of these not verified yet. unexplained: without a known actor or a why."""

    total: int
    mail: int
    dns: int
    stopped: int
    left: int
    unexplained: int


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
        unexplained=Count("pk", filter=done & strange),
    )
    return Today(**found)
