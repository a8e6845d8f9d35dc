"""Sessions at the API: the device flow (RFC 8628), open to whoever asks since nothing comes of it without a person."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from postroom.access import throttle
from postroom.access.acting import SYSTEM
from postroom.access.declared import CHANGE
from postroom.access.devices import LIVES, Expired, Pending, begin, collect
from postroom.access.tokens import draw
from postroom.changes.errors import NotAllowed
from postroom.changes.kinds.people import EndSession, OpenSession
from postroom.changes.pipeline import submit
from postroom.protocols.addresses import Line

from .door import anybody, source, submits
from .problems import problem
from .unknown import Body

router = Router(tags=["sessions"])
LASTS = timedelta(hours=12)
EVERY = 3  # seconds between two questions of a terminal


class Terminal(Body):
    label: Line = ""


class Code(Body):
    device_code: str


@router.post("/device", auth=None)
@anybody()
def device(request: HttpRequest, body: Terminal) -> dict[str, Any]:
    """A code for a terminal to show, and where its person types it."""
    throttle.DEVICE(source(request))
    code, typed, _ = begin(body.label)
    where = f"{settings.POSTROOM.origin}/device/"
    return {
        "device_code": code, "user_code": typed, "verification_uri": where, "interval": EVERY,
        "expires_in": int(LIVES.total_seconds()),
    }  # fmt: skip


@router.post("/device/token", auth=None)
@anybody(recorded=CHANGE)
def device_token(request: HttpRequest, response: HttpResponse, body: Code) -> Any:
    """The token, once its person said yes; else what RFC 8628, 3.5 calls the reason."""
    throttle.STRANGER(source(request))
    try:
        person, label, mfa = collect(body.device_code)
    except Pending:
        return problem(400, "pending", "Nobody has confirmed the code yet", f"ask again in {EVERY} seconds",
                       error="authorization_pending")  # fmt: skip
    except Expired:
        detail = "begin again: POST /api/v1/device gives a new one"
        return problem(400, "expired", "This code is over, or was used", detail, error="expired_token")
    token, kept = draw()
    kind = OpenSession(person=str(person), label=label, mfa=mfa, until=timezone.now() + LASTS)
    change = submit(kind, actor=SYSTEM, why="postroom login, confirmed in the browser", secrets={"session": kept})
    if change.version is None:
        return problem(409, "refused", "No session was opened", "; ".join(v["reason"] for v in change.verdicts))
    response["Cache-Control"] = "no-store"
    return {"access_token": token, "token_type": "Bearer", "expires_in": int(LASTS.total_seconds())}


@router.post("/session/end")
@submits("changes.view")
def end(request: Any) -> dict[str, str]:
    """End the session that asks; a token is ended by `tokens.end`."""
    if request.auth.session is None:
        raise NotAllowed("this is a token, and no session: end it with tokens.end")
    submit(EndSession(session=str(request.auth.session)), actor=SYSTEM, why="postroom logout")
    return {"ended": str(request.auth.session)}
