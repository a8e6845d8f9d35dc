"""Errors as RFC 9457 problem details: what is wrong, where, all of it at once. Nothing was changed.

Here what an operation says; what no operation answers is said by `outside.py`.
"""

from json import JSONDecodeError
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser
from pydantic import ValidationError as BadParams

from postroom.access.throttle import TooMany
from postroom.changes.errors import (
    ChangeError,
    KeyReused,
    NotAllowed,
    NothingGoesBack,
    NothingToDo,
    NotLikeThat,
    NotSeen,
    NotThere,
    OwnChange,
    Problem,
    Problems,
    StepUp,
)

TYPE = "application/problem+json"
TITLES = {
    KeyReused: (409, "key-reused", "This Idempotency-Key came with another request"),
    NothingGoesBack: (409, "nothing-goes-back", "Nothing of it goes back"),
    NothingToDo: (409, "nothing-to-do", "It stands so already"),
    NotSeen: (409, "not-seen", "That is not what waits here"),
    OwnChange: (403, "own-change", "Nobody approves or reviews what they did themselves"),
    StepUp: (403, "step-up", "Show your second factor once more"),
    NotAllowed: (403, "not-allowed", "This is not allowed to you"),
    NotLikeThat: (422, "carries-a-secret", "A change that carries a secret cannot be done like that"),
}


HOW = (
    "This is sensitive, and your session is older than 15 minutes; nothing was changed. Run `postroom login` again,"
    " with your second factor in the browser, and repeat it; or do it on its page."
)


def problem(status: int, sort: str, title: str, detail: str = "", **more: Any) -> JsonResponse:
    body = {"type": f"/problems/{sort}", "title": title, "status": status, "detail": detail, **more}
    answer = JsonResponse(body, status=status, content_type=TYPE)
    if status == 503:
        answer["Retry-After"] = "5"
    return answer


def of_change(error: ChangeError) -> JsonResponse:
    """The problem document of an error of the core."""
    if isinstance(error, Problems):
        return _listed(error.problems, not_there=error.only_not_there)
    if isinstance(error, Problem):
        return _listed([error], not_there=isinstance(error, NotThere))
    status, sort, title = TITLES.get(type(error), (409, "change", "Something stands in the way"))
    detail = HOW if isinstance(error, StepUp) else str(error)
    return problem(status, sort, title, detail)


def _listed(problems: Any, *, not_there: bool) -> JsonResponse:
    errors = [{"where": one.where, "what": one.what} for one in problems]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
    if not_there:
        return problem(404, "not-there", "Not there, or not yours", detail, errors=errors)
    return problem(422, "wrong", "What was asked cannot be; nothing was changed", detail, errors=errors)


def of_params(error: BadParams | ValidationError) -> JsonResponse:
    """What a type refused, at its parameter; what was typed is not sent back."""
    found = error.errors() if isinstance(error, BadParams) else error.errors
    errors = [{"where": _where(one["loc"]), "what": _what(one)} for one in found]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
    return problem(422, "wrong", "What was asked cannot be; nothing was changed", detail, errors=errors)


def _where(loc: Any) -> str:
    return ".".join(str(part) for part in loc if part not in ("body", "query", "path", "header")) or "params"


def _what(one: Any) -> str:
    return str(one["msg"]).removeprefix("Value error, ")


class NotJson(Exception):
    """The body came as something else than JSON."""


class NotAnObject(Exception):
    """The body is JSON, and no object with fields."""


class Json(Parser):
    """Bodies are JSON objects, and say so: what a form of another site can send is refused (RFC 9110, 15.5.16).

    None at all is an object without fields.
    """

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if not request.body:
            return {}
        if request.content_type != "application/json":
            came = (request.content_type or "nothing")[:80]
            raise NotJson(f"Content-Type: application/json is read here, not {came}")
        found = super().parse_body(request)
        if not isinstance(found, dict):
            raise NotAnObject
        return found


def unreadable(error: HttpError) -> HttpResponse:
    """A body that is no JSON, or not sent as JSON; any other refusal of the library, in its own words."""
    match error.__cause__:
        case NotJson() as cause:
            return problem(415, "media-type", "The body has to be JSON", str(cause))
        case NotAnObject():
            return _listed([Problem("body", "it has to be an object with fields")], not_there=False)
        case JSONDecodeError() as cause:
            return problem(400, "not-json", "The body is not JSON", f"body: {cause}")
        case None:
            return problem(error.status_code, f"status-{error.status_code}", "This request was refused", str(error))
    return problem(400, "not-json", "The body is not JSON", "body: it is not UTF-8, or nested too deeply")


def install(api: NinjaAPI) -> None:
    """Every error of the core, of the types and of the database, in one shape."""

    @api.exception_handler(ChangeError)
    def change(request: HttpRequest, error: ChangeError) -> HttpResponse:
        return of_change(error)

    @api.exception_handler(BadParams)
    def params(request: HttpRequest, error: BadParams) -> HttpResponse:
        return of_params(error)

    @api.exception_handler(ValidationError)
    def body(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return of_params(error)

    @api.exception_handler(HttpError)
    def unread(request: HttpRequest, error: HttpError) -> HttpResponse:
        return unreadable(error)

    @api.exception_handler(RequestDataTooBig)
    def large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        most = f"the body of a request is at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
        return problem(413, "too-large", "That is too much for one request", most)

    @api.exception_handler(AuthenticationError)
    def nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        answer = problem(401, "who", "Sign in first", "send Authorization: Bearer with the token of a session")
        answer["WWW-Authenticate"] = "Bearer"
        return answer

    @api.exception_handler(TooMany)
    def often(request: HttpRequest, error: TooMany) -> HttpResponse:
        answer = problem(429, "too-many", "Too many requests", str(error))
        answer["Retry-After"] = str(error.wait)
        return answer

    @api.exception_handler(OperationalError)
    @api.exception_handler(InterfaceError)
    def database(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(503, "database", "The database does not answer", "nothing was changed; try again in a moment")
