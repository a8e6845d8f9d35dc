"""What stands around every page: the organization's name, how much waits for this person, clients, freezes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import changes_seen, visible
from postroom.models import Change, Client, Freeze, Organization

from .findings import pressing

MOST = 100
SCOPES = 30


@dataclass(frozen=True)
class Frozen:
    """A freeze that stands now. client None: it holds the whole organization."""

    id: UUID
    client: UUID | None
    reason: str
    until: datetime | None


@dataclass(frozen=True)
class Around:
    """clients: (name, slug), the first thirty. waiting: held changes of others; pressing: findings; to a hundred."""

    organization: str
    waiting: int
    pressing: int
    clients: tuple[tuple[str, str], ...]
    frozen: tuple[Frozen, ...]


def around(actor: Actor) -> Around:
    """Five queries, whatever there is to see."""
    organization = visible(actor, Organization).values_list("name", flat=True).first()
    held = Change.objects.filter(changes_seen(), stage="held").exclude(proposer_id=actor.person)
    waiting = len(held.values_list("pk", flat=True)[:MOST])
    clients = visible(actor, Client).filter(removed_at=None).order_by("slug").values_list("name", "slug")[:SCOPES]
    return Around(organization or "Postroom", waiting, pressing(actor, MOST), tuple(clients), standing(actor))


def standing(actor: Actor) -> tuple[Frozen, ...]:
    """The freezes that hold something this actor may see; ended by predicate, whatever the clock has tidied."""
    now = timezone.now()
    rows = visible(actor, Freeze).filter(Q(until=None) | Q(until__gt=now), ended_at=None).order_by("id")[:MOST]
    return tuple(Frozen(row.pk, row.client_id, row.reason, row.until) for row in rows)
