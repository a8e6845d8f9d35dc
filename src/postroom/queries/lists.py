"""Lists as pages show them: rows narrowed by what was asked, keyset-paged; what hangs on them is read in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from postroom.access.acting import Actor

from .objects import NOUNS, narrowed
from .page import Page, page

SIZE = 25
STATES: Mapping[str, Q] = {
    "active": Q(removed_at=None, suspended_at=None),
    "suspended": Q(removed_at=None, suspended_at__isnull=False),
    "removed": Q(removed_at__isnull=False),
}


@dataclass(frozen=True)
class Asked:
    """What a list is narrowed by. state: active, suspended, removed; empty: all that is not removed."""

    search: str = ""
    client: str = ""
    domain: str = ""
    state: str = ""
    kind: str = ""
    after: str = ""


def listed(actor: Actor, noun: str, asked: Asked, *, extra: "Q | None" = None) -> Page[Any]:
    """One page of rows of a noun with clients, domains and so on read along: one query, two with a client named."""
    about = NOUNS[noun]
    rows: QuerySet[Any] = narrowed(
        actor, about, client=asked.client or None, domain=asked.domain or None, search=asked.search or None
    )
    columns = set(about.model.columns())
    if "removed_at" in columns:
        wanted = STATES.get(asked.state, Q(removed_at=None))
        rows = rows.filter(wanted if "suspended_at" in columns else _without_suspended(asked.state))
    if asked.kind and "kind" in columns:
        rows = rows.filter(kind=asked.kind)
    if extra is not None:
        rows = rows.filter(extra)
    return page(rows, key=about.key, after=asked.after or None, limit=SIZE, along=about.along)


def _without_suspended(state: str) -> Q:
    return Q(removed_at__isnull=state != "removed")
