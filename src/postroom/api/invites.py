"""Invites at the API: the pending list; resend, cancel, redirect, and the one place where a link appears."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Schema

from postroom.access.acting import acting_as
from postroom.access.declared import ALWAYS
from postroom.access.scope import visible
from postroom.access.tokens import draw, invite_link
from postroom.changes import step_up
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Invite
from postroom.protocols.addresses import Text
from postroom.queries.invites import pending

from .asked import as_why
from .changes import DONE_OR_WAITING, Why, answered
from .door import reads, submits
from .problems import problem
from .unknown import Body

router = Router(tags=["invites"])


NO_WORD = Why(why="asked for at the API")  # who resends, cancels or copies may say why, and need not


class Redirected(Body):
    contact: str
    why: Text


class Link(Schema):
    link: str
    until: str


@router.get("/invites")
@reads("invites.view")
def invites(
    request: Any, client: str | None = None, mailbox: str | None = None, after: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """Invites that nobody has used yet."""
    found = pending(request.auth.actor, client=client, mailbox=mailbox, after=after, limit=limit)
    return {"items": found.items, "next": found.next}


@router.post("/invites/{invite_id}/resend", response=DONE_OR_WAITING)
@submits("invites.resend")
def resend(request: Any, invite_id: UUID, body: Why = NO_WORD) -> Any:
    """Mail a new link to the same contact."""
    return _submitted(request, "invites.resend", _why(body), invite=str(invite_id))


@router.post("/invites/{invite_id}/cancel", response=DONE_OR_WAITING)
@submits("invites.cancel")
def cancel(request: Any, invite_id: UUID, body: Why = NO_WORD) -> Any:
    """End an invite."""
    return _submitted(request, "invites.cancel", _why(body), invite=str(invite_id))


@router.post("/invites/{invite_id}/redirect", response=DONE_OR_WAITING)
@submits("invites.redirect", step_up=ALWAYS)
def redirect(request: Any, invite_id: UUID, body: Redirected) -> Any:
    """Send it to another contact."""
    return _submitted(request, "invites.redirect", as_why(body.why), invite=str(invite_id), contact=body.contact)


@router.post("/invites/{invite_id}/link", response={200: Link})
@submits("invites.issue", step_up=ALWAYS)
def link(request: Any, response: HttpResponse, invite_id: UUID, body: Why = NO_WORD) -> Any:
    """A new link, in this answer and nowhere else; the one before it is void. Never replayed for an Idempotency-Key."""
    token, hashed = draw()
    kind = KINDS["invites.issue"].model_validate({"invite": str(invite_id)})
    step_up.before([kind], actor=request.auth.actor, fresh=request.auth.fresh)
    change = submit(kind, actor=request.auth.actor, why=_why(body), secrets={"link": hashed})
    response["Cache-Control"] = "no-store"
    with acting_as(request.auth.actor):
        invite = visible(request.auth.actor, Invite).get(pk=invite_id)
        if change.version is None:
            said = "; ".join(v["reason"] for v in change.verdicts)
            return problem(409, "refused", "No link was made", said)
        return {"link": invite_link(token), "until": invite.until.isoformat() if invite.until else ""}


def _submitted(request: Any, permission: str, why: str, **params: Any) -> Any:
    kind = KINDS[permission].model_validate(params)
    step_up.before([kind], actor=request.auth.actor, fresh=request.auth.fresh)
    return answered(request, submit(kind, actor=request.auth.actor, why=why))


def _why(body: Why) -> str:
    return as_why(body.why or NO_WORD.why)
