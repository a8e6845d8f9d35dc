"""Roles of the organization's own, and how many people hold each."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Grant, Role

from .page import Page, page


@dataclass(frozen=True)
class Own:
    """holders: people whose grants of it this actor may see."""

    role: Role
    holders: int


def roles_of_ones_own(actor: Actor, *, search: str = "", ended: bool = False, after: str = "") -> Page[Own]:
    """By name. Two queries."""
    rows = visible(actor, Role).filter(ended_at__isnull=not ended, name__contains=search.lower())
    found = page(rows, key="name", after=after or None, limit=25)
    held = visible(actor, Grant).filter(Q(until=None) | Q(until__gt=timezone.now()), ended_at=None)
    many = dict(
        held.filter(role__in=[one.name for one in found.items])
        .values_list("role")
        .annotate(n=Count("person", distinct=True))
        .order_by()
    )
    return Page([Own(one, many.get(one.name, 0)) for one in found.items], found.next)
