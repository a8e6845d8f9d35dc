"""A grant never exceeds the granter's, and who stands above whom: what a role, a token or a sign-in would let in."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from postroom.access.acting import Access, roles_above, stand_above
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


def signs_in_above(access: Access, people: Sequence[str]) -> bool:
    """Whether any of these holds more at some place than `access` does there: a sign-in is one, wherever it leads."""
    if not people:
        return False
    clients = {h.client for h in access.held if h.client and not h.domain}
    everywhere = max((h.rank for h in access.held if h.client is None), default=-1)
    above = {str(client): roles_above(access.rank_at(client)) for client in clients}
    return stand_above(people, {"": roles_above(everywhere), **above})


def outranked(access: Access, client: UUID | None, people: Sequence[str]) -> bool:
    """Whether any of these holds more, wherever it is, than `access` does at this client."""
    return bool(people) and stand_above(people, {"": roles_above(access.rank_at(client))})


def more_here(access: Access, client: UUID | None, people: Sequence[str]) -> bool:
    """Whether any of these holds more than `access` at this client, or above all of them."""
    if not people:
        return False
    above = roles_above(access.rank_at(client))
    return stand_above(people, {"organization": above, str(client): above})


def _held(role: str) -> Held:
    if role in ROLES:
        return Held(role)
    own = Role.objects.filter(name=role, ended_at=None).values_list("permissions", flat=True).first()
    return Held(role, permissions=tuple(own or ()))
