"""What a few letters find: one query a noun, a handful of rows, only what is in use."""

from dataclasses import dataclass
from typing import Any

from postroom.access.acting import Actor
from postroom.models import Destination

from .objects import NOUNS, narrowed

MOST = 8


@dataclass(frozen=True)
class Hit:
    words: str
    ref: str
    sub: str


def found(actor: Actor, noun: str, query: str) -> list[Hit]:
    """Names that begin with what was typed come first, as far as the first rows go."""
    about = NOUNS[noun]
    rows = narrowed(actor, about, search=query).filter(removed_at=None).select_related(*about.along)
    some = sorted(rows.order_by(about.key)[: MOST * 4], key=lambda row: not row.label.startswith(query.lower()))
    return [_hit(row) for row in some[:MOST]]


def _hit(row: Any) -> Hit:
    name = str(getattr(row, "name", "") or "")
    if isinstance(row, Destination):
        return Hit(name, f"{row.client.slug}:{name}", f"{row.client.name}, to {', '.join(row.targets[:3])}")
    client = getattr(row, "client", None) if getattr(row, "client_id", None) else None
    if row._meta.db_table in ("clients", "people"):
        return Hit(name, row.label, row.label)
    return Hit(
        row.label,
        row.label,
        " · ".join(part for part in (name if name != row.label else "", client and client.name) if part),
    )
