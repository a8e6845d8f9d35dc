"""What somebody was told they may not do stands in the record: a refused proposal by itself, anything else by this."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.models import Change, Client

from .errors import NotAllowed, OwnChange
from .record import note


@contextmanager
def refusals(actor: Actor, permission: str, of: UUID) -> Iterator[None]:
    """Around a transaction of `actor` about a change, a batch or a client: where it is refused, an entry that stays.

    It has a transaction of its own: the one that was refused leaves nothing.
    """
    try:
        yield
    except (NotAllowed, OwnChange) as refusal:
        with acting_as(SYSTEM):
            note("refused", client=_whose(of), of=of, person=actor.person, permission=permission, why=str(refusal))
        raise


def _whose(of: UUID) -> UUID | None:
    """The client it is about; a batch is of several, and so the organization's."""
    change = Change.objects.filter(pk=of).first()
    return change.client_id if change else Client.objects.filter(pk=of).values_list("pk", flat=True).first()
