"""API tokens at the API: made here, since the token itself is in the answer and nowhere else; ended as any change."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import Router

from postroom.access.declared import ALWAYS
from postroom.access.tokens import draw
from postroom.changes import step_up
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.protocols.addresses import Line
from postroom.queries.tokens import tokens

from .door import reads, submits
from .problems import problem
from .unknown import Body

router = Router(tags=["tokens"])


class Wanted(Body):
    name: Line
    permissions: list[str]
    clients: list[str] = []
    networks: list[str] = []
    until: datetime
    why: Line


@router.post("/tokens")
@submits("tokens.create", step_up=ALWAYS)
def create(request: Any, response: HttpResponse, body: Wanted) -> Any:
    """A new token of the caller's own; the answer is the one place where it stands."""
    kind = KINDS["tokens.create"].model_validate(body.dict(exclude={"why"}))
    step_up.before([kind], actor=request.auth.actor, fresh=request.auth.fresh)
    token, kept = draw()
    change = submit(kind, actor=request.auth.actor, why=body.why, secrets={"token": kept})
    if change.version is None:
        return problem(409, "refused", "No token was made", "; ".join(v["reason"] for v in change.verdicts))
    response["Cache-Control"] = "no-store"
    return {"token": token, "until": kind.until.isoformat(), "change": str(change.pk)}  # type: ignore[attr-defined]


@router.get("/tokens")
@reads("tokens.view")
def of_mine(request: Any, after: str | None = None, limit: int = 50) -> dict[str, Any]:
    """Tokens you may see: yours, and those of the people you see; when each was used last, and from where."""
    found = tokens(request.auth.actor, after=after, limit=limit)
    return {"items": found.items, "next": found.next}
