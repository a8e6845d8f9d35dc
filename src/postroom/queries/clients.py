"""Clients as their pages show them: how much hangs on each, who has rights there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Change, Client, Domain, Mailbox
from postroom.protocols.refs import short_ref

from .records import Standing


@dataclass(frozen=True)
class Held:
    """How much a client has, and when something of it last changed."""

    domains: int
    mailboxes: int
    changed: datetime | None


def named(actor: Actor, ref: str) -> "QuerySet[Client]":
    """The client of this id or slug, to narrow something to it; none where there is none that this actor sees."""
    wanted, rows = short_ref(ref), visible(actor, Client)
    try:
        return rows.filter(pk=UUID(wanted))
    except ValueError:
        return rows.filter(slug=wanted)


def held(actor: Actor, clients: Sequence[Client]) -> dict[UUID, Held]:
    """Three queries for a page of clients."""
    domains = _counted(visible(actor, Domain), clients)
    mailboxes = _counted(visible(actor, Mailbox), clients)
    newest = Change.objects.filter(client__in=clients, version__isnull=False).values_list("client")
    changed = dict(newest.annotate(at=Max("now")).order_by())
    return {one.pk: Held(domains.get(one.pk, 0), mailboxes.get(one.pk, 0), changed.get(one.pk)) for one in clients}


def _counted(rows: Any, clients: Sequence[Client]) -> dict[UUID, int]:
    here = rows.filter(client__in=clients, removed_at=None).values_list("client")
    return dict(here.annotate(n=Count("pk")).order_by())


def worst_first(actor: Actor, standing: Standing, limit: int) -> list[Client]:
    """The first clients in use, those with a domain that differs from what is wanted before all others: two queries."""
    wrong = [domain for domain, states in standing.items() if "bad" in states.values()]
    inside = visible(actor, Client).filter(removed_at=None)
    bad = list(inside.filter(domain__in=wrong).distinct().order_by("slug")[:limit])
    return [*bad, *inside.exclude(pk__in=[one.pk for one in bad]).order_by("slug")[: limit - len(bad)]]


def domains_of(actor: Actor, client: Client) -> list[Any]:
    """The first hundred domains of a client with how many mailboxes each has."""
    rows = visible(actor, Domain).filter(client=client, removed_at=None)
    boxes = Count("address__mailbox", filter=Q(address__mailbox__removed_at=None))
    return list(rows.annotate(boxes=boxes).order_by("name")[:100])
