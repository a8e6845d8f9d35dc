"""Findings at the API: what is wrong as last read, a page at a time; one with its evidence and what was decided."""

from typing import Any
from uuid import UUID

from ninja import Router

from postroom.models.findings import SEVERITIES
from postroom.posture.run import CHECKS
from postroom.queries import findings as queries
from postroom.queries.findings import STATES, Asked

from .door import reads

router = Router(tags=["findings"])


@router.get("/findings")
@reads("findings.view")
def findings(
    request: Any, client: str = "", severity: str = "", check: str = "", state: str = "", search: str = "",
    domain: str = "", object: UUID | None = None, after: str = "", limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """Findings, worst first; closed ones newest first. Without a state: all that is open and not accepted."""
    queries.known("severity", severity, SEVERITIES)
    queries.known("state", state, STATES)
    asked = Asked(client, severity, check, state, search, domain, object, after)
    found = queries.listed(request.auth.actor, asked, limit=limit)
    return {"items": [queries.shown(one) for one in found.items], "next": found.next}


@router.get("/findings/counts")
@reads("findings.view")
def counts(request: Any) -> dict[str, Any]:
    """How many are open by severity, how many of all could not be read, and which checks were not read."""
    found, read = queries.counts(request.auth.actor), queries.looked([one.name for one in CHECKS])
    return {
        "open": dict(found.by), "unknown": found.unknown, "acknowledged": found.acknowledged,
        "accepted": found.accepted, "read": read.at.isoformat() if read.at else None, "unread": list(read.unread),
    }  # fmt: skip


@router.get("/findings/{finding_id}")
@reads("findings.view")
def finding(request: Any, finding_id: UUID) -> dict[str, Any]:
    """One finding: evidence, suggestion, what people decided about it, and when its cause was there before."""
    return queries.shown_whole(queries.whole(request.auth.actor, finding_id))
