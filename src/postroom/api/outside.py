"""Requests under /api/ that no operation answers: they too get a problem document, never a page.

A wrong address, method or Host, a database that is away, a fault of our own: whatever the pages, the library or Django
would say in HTML is said here as RFC 9457 has it, with the status and the headers it came with. HEAD is answered like
GET without the content (RFC 9110, 9.3.2), OPTIONS with what an address takes (9.3.7).
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from .problems import TYPE, problem

SAID = {
    400: ("bad-request", "This request cannot be read"),
    403: ("not-allowed", "This is not allowed to you"),
    404: ("no-such-address", "Nothing is at this address"),
    405: ("method", "This address does not take that method"),
    413: ("too-large", "That is too much for one request"),
    429: ("too-many", "Too many requests"),
    500: ("fault", "Postroom failed at this"),
    503: ("database", "The database does not answer"),
}
DETAIL = {
    400: "its address or its headers are not well-formed",
    404: "GET /api/v1/openapi.json lists every operation",
    500: "the fault is ours and stands in the log; GET /api/v1/changes says whether anything was changed",
    503: "nothing was changed; try again in a moment",
}
MOVED = range(300, 400)
OPTIONS = "OPTIONS"


class Outside:
    """The outermost middleware, around the one of the pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/") and request.path != "/api":
            return self.get_response(request)
        head = request.method == "HEAD"
        if head:
            request.method = "GET"
        answer = as_problem(request, _allowing(request, self.get_response(request)))
        if head:
            request.method = "HEAD"
            answer = _bare(answer)
        return answer


def as_problem(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The answer as it is, if it is one of the API's; else what it says as a problem document."""
    status = 404 if answer.status_code in MOVED else answer.status_code
    if status < 400 or answer.get("Content-Type") == TYPE:
        return answer
    sort, title = SAID.get(status, (f"status-{status}", answer.reason_phrase))
    said = problem(status, sort, title, _detail(request, status, answer))
    for name, value in answer.headers.items():
        if name not in ("Content-Type", "Content-Length", "Location"):
            said[name] = value
    return said


def _detail(request: HttpRequest, status: int, answer: HttpResponse) -> str:
    if status == 405:
        return f"{request.method} is not among {answer.get('Allow', '')}"
    if status == 400:
        try:
            request.get_host()
        except DisallowedHost:
            return f"Host: this installation answers at {settings.POSTROOM.origin}"
    return DETAIL.get(status, "")


def _allowing(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Allow with what is answered here besides; to OPTIONS that is the answer."""
    if answer.status_code != 405:
        return answer
    methods = {one.strip() for one in answer.get("Allow", "").split(",")} | {OPTIONS}
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    if request.method == OPTIONS:
        return HttpResponse(status=204, headers={"Allow": allowed})
    answer["Allow"] = allowed
    return answer


def _bare(answer: HttpResponse) -> HttpResponse:
    """Its status and headers alone."""
    length = answer.get("Content-Length") or ("" if answer.streaming else str(len(answer.content)))
    bare = HttpResponse(status=answer.status_code, headers=dict(answer.headers))
    if length:
        bare["Content-Length"] = length
    answer.close()
    return bare
