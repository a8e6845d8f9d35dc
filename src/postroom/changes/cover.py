"""A grant never exceeds the granter's, and who stands above whom: what a role, a token or a sign-in would let in."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from postroom.access.acting import Access, stand_above
from postroom.access.actor import Held
from postroom.access.roles import CLIENT_ROLES, EXPORT, ROLES, SHEET
from postroom.models import Grant, Role
from postroom.models.base import state_models

from .kind import KINDS

ADMIN = "client admin"
# What can be looked at and is no table of state, or is asked for by another name than its table's.
SEEN = ("approvals", "changes", "entries", "findings", "overview", "sheets", "sign_ins", "tokens")


def permissions() -> list[str]:
    """Every permission there is, by name."""
    views = (f"{noun}.view" for noun in (*state_models(), *SEEN))
    return sorted(
        {*KINDS, *views, EXPORT, SHEET, *(kind.approved_by for kind in KINDS.values())}
        - {name for name, kind in KINDS.items() if "person" not in kind.by}
    )


def beyond(role: str, access: Access, client: UUID | None) -> Iterator[str]:
    """What is in this role and not in what `access` holds at the client, in words; nothing where all of it is."""
    yield from more_than(standing(role), access, client)


def more_than(held: Held, access: Access, client: UUID | None) -> Iterator[str]:
    """The same of a role that was read before."""
    if held.rank > access.rank_at(client):
        yield f"{held.role} stands above what you hold here"
    if more := [one for one in permissions() if held.allows(one) and not access.can(one, client)]:
        yield f"{held.role} may {', '.join(more[:5])}, and you may not"


HeldUntil = tuple[str, UUID | None, datetime | None]


def held_until(access: Access, client: UUID | None) -> list[HeldUntil]:
    """(role, client, end) of what an actor holds at the client, or at all of them."""
    here = Q(client=None) | Q(client=client) if client else Q(client=None)
    rows = Grant.objects.filter(here, person=access.actor.person, domain=None, ended_at=None)
    return list(rows.values_list("role", "client", "until"))


def lasting(access: Access, held: Sequence[HeldUntil], until: datetime | None) -> Access:
    """What `access` still holds by then (None: for good): what ends before covers less."""
    kept = {(role, client) for role, client, end in held if end is None or (until is not None and end >= until)}
    return Access(access.actor, tuple(h for h in access.held if (h.role, h.client) in kept), closed=access.closed)


def roles_above(rank: int) -> list[str]:
    """Names of the roles that stand higher than this."""
    return [held.role for held in every_role() if held.rank > rank]


def signs_in_above(access: Access, people: Sequence[str]) -> bool:
    """Whether any of these holds more at some place than `access` does there: a sign-in is one, wherever it leads."""
    if not people:
        return False
    clients = {h.client for h in access.held if h.client and not h.domain}
    everywhere = max((h.rank for h in access.held if h.client is None), default=-1)
    ranks = {"": everywhere} | {str(client): access.rank_at(client) for client in clients}
    above = {rank: roles_above(rank) for rank in set(ranks.values())}  # as many queries as heights, not as clients
    return stand_above(people, {place: above[rank] for place, rank in ranks.items()})


def outranked(access: Access, client: UUID | None, people: Sequence[str]) -> bool:
    """Whether any of these holds more, wherever it is, than `access` does at this client."""
    return bool(people) and stand_above(people, {"": roles_above(access.rank_at(client))})


def more_here(access: Access, client: UUID | None, people: Sequence[str]) -> bool:
    """Whether any of these holds more than `access` at this client, or above all of them."""
    if not people:
        return False
    above = roles_above(access.rank_at(client))
    return stand_above(people, {"organization": above, str(client): above})


def admins_of(client: UUID) -> set[UUID]:
    """Who administers this client as one of its own, and runs nothing of the service besides."""
    standing = Grant.objects.filter(Q(until=None) | Q(until__gt=Now()), domain=None, ended_at=None)
    own = set(standing.filter(client=client, role=ADMIN).values_list("person_id", flat=True))
    others = standing.exclude(role__in=CLIENT_ROLES).filter(person__in=own)
    return own - set(others.values_list("person_id", flat=True))


def every_role() -> list[Held]:
    """Postroom's, and the organization's own as they stand now. One query."""
    own = Role.objects.filter(ended_at=None).values_list("name", "permissions")
    return [*map(Held, ROLES), *(Held(name, permissions=tuple(named)) for name, named in own)]


def standing(role: str) -> Held:
    """A role by its name as it stands now, with its permissions where it is the organization's own."""
    if role in ROLES:
        return Held(role)
    own = Role.objects.filter(name=role, ended_at=None).values_list("permissions", flat=True).first()
    return Held(role, permissions=tuple(own or ()))
