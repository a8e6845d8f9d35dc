"""API tokens: whose, for what, until when, and when each came last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import ApiToken, Client, TokenUse

from .page import Page, page


def tokens(actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    """Newest first. Three queries."""
    found = page(
        visible(actor, ApiToken), key="id", after=after, limit=limit, newest_first=True, along=("person", "client")
    )
    last = uses([one.pk for one in found.items])
    named = {client for one in found.items for client in one.clients}
    slugs = dict(visible(actor, Client).filter(pk__in=named).values_list("pk", "slug"))
    return Page([_shown(one, last.get(one.pk), slugs) for one in found.items], found.next)


def uses(tokens: Sequence[UUID]) -> Mapping[UUID, TokenUse]:
    """When each of these came last, and from where; nothing of one that never came."""
    return {one.pk: one for one in TokenUse.objects.filter(pk__in=tokens)}


def of_person(actor: Actor, person: UUID) -> list[tuple[ApiToken, TokenUse | None]]:
    """A person's tokens that still work, newest first, the first fifty; each with its last use. Two queries."""
    rows = visible(actor, ApiToken).filter(person=person, ended_at=None, until__gt=timezone.now())
    found = list(rows.select_related("client").order_by("-id")[:50])
    last = uses([one.pk for one in found])
    return [(one, last.get(one.pk)) for one in found]


def _shown(one: ApiToken, last: TokenUse | None, slugs: dict[Any, str]) -> dict[str, Any]:
    return {
        "id": str(one.pk), "name": one.name, "person": one.person.email, "permissions": one.permissions,
        "clients": [slugs.get(client, str(client)) for client in one.clients], "networks": one.networks,
        "until": one.until.isoformat(), "ended": _time(one.ended_at), "last_used": _time(last.at if last else None),
        "last_from": last.source if last else None,
    }  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
