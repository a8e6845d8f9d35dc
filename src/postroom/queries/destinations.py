"""Destinations with what uses them: addresses under a name, and the aliases that follow it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Min

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Alias

VIEW = "destinations.view"


@dataclass(frozen=True)
class Used:
    """How many aliases use a destination, and the first of them by name."""

    aliases: int
    first: str


def used(actor: Actor, destinations: Collection[UUID]) -> Mapping[UUID, Used]:
    """Of those that any alias uses which this actor may see. One query."""
    rows = visible(actor, Alias).filter(destination__in=destinations, removed_at=None).order_by()
    counted = rows.values("destination_id").annotate(aliases=Count("pk"), first=Min("address__address"))
    return {one["destination_id"]: Used(one["aliases"], one["first"]) for one in counted}
