"""A grant never exceeds the granter's: what a role, a token or a role's change would let somebody do besides."""

from collections.abc import Iterator
from uuid import UUID

from postroom.access.acting import Access
from postroom.access.actor import Held
from postroom.access.roles import APPROVE, ROLES
from postroom.models import Role

from .kind import KINDS


def beyond(role: str, access: Access, client: UUID | None) -> Iterator[str]:
    """What is in this role and not in what `access` holds at the client, in words; nothing where all of it is."""
    held = _held(role)
    if held.rank > access.rank_at(client):
        yield f"{role} stands above what you hold here"
    every = (*KINDS, APPROVE, *(held.permissions or ()))
    if more := [one for one in every if held.allows(one) and not access.can(one, client)]:
        yield f"{role} may {', '.join(more[:5])}, and you may not"


def _held(role: str) -> Held:
    if role in ROLES:
        return Held(role)
    own = Role.objects.filter(name=role, ended_at=None).values_list("permissions", flat=True).first()
    return Held(role, permissions=tuple(own or ()))
