"""What leaves Postroom as a file is asked for in one way: allowed, fresh, with a reason, and in the record first."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from postroom.access.acting import Access, Actor, acting_as
from postroom.access.scope import visible
from postroom.changes.errors import NotAllowed, Problem, StepUp
from postroom.changes.record import note
from postroom.changes.refused import refusals
from postroom.changes.step_up import SENSITIVE
from postroom.models import Client, Organization

from .objects import row_of


@contextmanager
def exporting(actor: Actor, ref: str, may: str, *, said: str, why: str, fresh: bool, **more: str) -> Iterator[Client]:
    """The client, by slug or id, in the transaction that notes the entry `said` of it when the body is done.

    may: the permission. NotThere, NotAllowed, StepUp, Problem; each refusal is in the record too.
    """
    with acting_as(actor):
        about = row_of(actor, "clients", ref).pk
    with refusals(actor, may, about), acting_as(actor) as access:
        client: Client = row_of(actor, "clients", str(about))
        _judged(access, may, client.pk, where=client.slug, why=why, fresh=fresh)
        yield client
        note(said, client=client.pk, of=client.pk, person=actor.person, name=actor.name, why=why, **more)


@contextmanager
def exporting_all(actor: Actor, may: str, *, said: str, why: str, fresh: bool, **more: str) -> Iterator[None]:
    """The same of all clients at once, for who may at the organization; its entry is the organization's."""
    with acting_as(actor):
        about = visible(actor, Organization).get().pk
    with refusals(actor, may, about), acting_as(actor) as access:
        _judged(access, may, None, where="the organization", why=why, fresh=fresh)
        yield
        note(said, client=None, of=about, person=actor.person, name=actor.name, why=why, **more)


def _judged(access: Access, may: str, client: UUID | None, *, where: str, why: str, fresh: bool) -> None:
    if not access.can(may, client):
        raise NotAllowed(f"{may} is not allowed to you at {where}")
    if not fresh:
        raise StepUp(SENSITIVE)
    if not why:
        raise Problem("why", "say why: whoever looks at this later will ask")
