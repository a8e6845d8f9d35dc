"""What waits for nobody: the undo of one's own change soon after it, while nobody else touched its rows.

Not where mail would leave by it: what was agreed to meanwhile was so without it.
"""

from datetime import timedelta
from uuid import UUID

from postroom.changes.history import family, touched_since
from postroom.changes.policy import Proposed
from postroom.models import Change, Client
from postroom.models.clients import UNDO_WITHIN

from .led_out import led_out


def own_undo(proposed: Proposed) -> bool:
    """The undo of one's own change within half an hour, or what its client has instead, untouched since."""
    undone = proposed.kind.takes_back
    if undone is None or proposed.access.actor.sort != "person":
        return False
    change = Change.objects.select_related("client").get(pk=undone)
    fresh = proposed.change.now - change.now < alone_for(change.client)
    alone = change.proposer_id == proposed.change.proposer_id and fresh and not touched_by_people(undone)
    return alone and led_out(proposed) is None


def alone_for(client: Client | None) -> timedelta:
    """How long after a change there the undo of it waits for nobody."""
    own = client.undo_within if client else None
    return timedelta(minutes=UNDO_WITHIN if own is None else own)


def touched_by_people(undone: UUID) -> list[Change]:
    """Later changes of people to the rows of this one."""
    change = Change.objects.get(pk=undone)
    return [one for one in touched_since(family(change)) if one.actor in ("person", "token", "link")]
