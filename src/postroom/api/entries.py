"""The record at the API: its entries, one with its proof, the newest checkpoint, one client's record to take away."""

from datetime import datetime
from typing import Any

from django.http import FileResponse
from ninja import Router

from postroom.access.declared import ALWAYS, EXPORT
from postroom.posture.signed import signed
from postroom.queries.entries import Wanted, entries, entry
from postroom.queries.take_out import take_out

from .asked import as_why
from .door import reads, submits

router = Router(tags=["record"])


@router.get("/entries")
@reads("entries.view")
def listed(
    request: Any, client: str = "", person: str = "", object: str = "", kind: str = "", since: datetime | None = None,
    until: datetime | None = None, after: str = "", limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """Every entry, newest first. kind: a kind of change, or an event as it is called; several apart by commas."""
    said = tuple(filter(None, kind.split(",")))
    wanted = Wanted(client, person, object, said, since, until, after, limit)
    found = entries(request.auth.actor, wanted, signed())
    return {"items": found.items, "next": found.next}


@router.get("/entries/{number}")
@reads("entries.view")
def one(request: Any, number: int) -> dict[str, Any]:
    """One entry: its lines, its leaf, its place, and the hashes that lead to the newest checkpoint's root."""
    return entry(request.auth.actor, number, signed())


@router.get("/checkpoint")
@reads("entries.view")
def checkpoint(request: Any) -> dict[str, Any]:
    """The newest signed note and the line of the key; `trusted` is false where either cannot be relied on."""
    now = signed()
    return {
        "note": now.note or None, "key": now.key or None, "size": now.size, "at": now.at and now.at.isoformat(),
        "trusted": now.known and bool(now.note), "wrong": now.wrong or None, "alarm": now.alarm or None,
    }  # fmt: skip


@router.get("/clients/{ref}/record")
@submits("entries.export", step_up=ALWAYS, recorded=EXPORT)
def record(request: Any, ref: str, why: str = "") -> Any:
    """One client's entries with proofs and what verifies them, as a zip archive. Say why: it is an entry itself."""
    archive = take_out(request.auth.actor, ref, why=as_why(why) if why.strip() else "", fresh=request.auth.fresh)
    answer = FileResponse(archive.file, as_attachment=True, filename=archive.name, content_type="application/zip")
    answer["Cache-Control"] = "no-store"
    return answer
