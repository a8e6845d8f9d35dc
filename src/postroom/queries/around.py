"""What stands around every page: the organization's name, how much waits for this person, the clients they may see."""

from dataclasses import dataclass

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Change, Client, Organization

MOST = 100
SCOPES = 30


@dataclass(frozen=True)
class Around:
    """clients: (name, slug), the first thirty. waiting: held changes of others, a hundred at most."""

    organization: str
    waiting: int
    clients: tuple[tuple[str, str], ...]


def around(actor: Actor) -> Around:
    """Three queries, whatever there is to see."""
    organization = visible(actor, Organization).values_list("name", flat=True).first()
    waiting = Change.objects.filter(stage="held").exclude(proposer_id=actor.person)[:MOST].count()
    clients = visible(actor, Client).filter(removed_at=None).order_by("slug").values_list("name", "slug")[:SCOPES]
    return Around(organization or "Postroom", waiting, tuple(clients))
