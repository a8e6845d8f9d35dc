"""The inventory sheet of a client at the API: a part of it, a page at a time; the whole as a file."""

from typing import Any, Literal

from django.http import FileResponse
from django.utils import timezone
from ninja import Router

from postroom.access.declared import ALWAYS, EXPORT
from postroom.changes.errors import NotAllowed
from postroom.queries import sheet as sheets
from postroom.queries.objects import row_of
from postroom.queries.sheet_files import take_out

from .door import reads, submits

router = Router(tags=["sheets"])


@router.get("/clients/{ref}/sheet")
@reads("sheets.view", recorded="clients")
def sheet(
    request: Any, ref: str, part: Literal["domains", "mailboxes", "routes", "roles"] = "domains",
    after: str | None = None, limit: int = 50,
) -> dict[str, Any]:  # fmt: skip
    """One part of a client's inventory; null is what nobody has said. complete: how many cells of each are known."""
    client = request.opened = row_of(request.auth.actor, "clients", ref)
    if client.pk in sheets.closed():
        raise NotAllowed(f"{client.name} closed itself to the organization")
    of = sheets.PARTS[part]
    found = of.read(request.auth.actor, client, after, limit)
    known = sheets.complete(request.auth.actor, client)
    names = [name for name, _ in of.columns]
    return {
        "client": client.slug, "at": timezone.now().isoformat(timespec="seconds"), "part": part,
        "sending": None if client.sending == sheets.UNKNOWN else client.sending,
        "complete": {name: {"known": one.known, "of": one.of} for name, one in known.items()},
        "items": [dict(zip(names, line.cells, strict=True)) for line in found.items], "next": found.next,
    }  # fmt: skip


@router.get("/clients/{ref}/sheet/file")
@submits("sheets.export", step_up=ALWAYS, recorded=EXPORT)
def sheet_file(request: Any, ref: str, format: Literal["csv", "pdf"] = "csv", why: str = "") -> Any:
    """The whole sheet, CSV or PDF. Say why: it is an entry itself."""
    found = take_out(request.auth.actor, ref, as_file=format, why=why.strip()[:1000], fresh=request.auth.fresh)
    answer = FileResponse(found.file, as_attachment=True, filename=found.name, content_type=found.type)
    answer["Cache-Control"] = "no-store"
    return answer
