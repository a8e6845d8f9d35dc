"""What every answer carries, and what no request gets past: content policy, no caching of pages, the database away."""

import logging
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

log = logging.getLogger("postroom.web")
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
PLAIN = "text/plain; charset=utf-8"
AWAY = b"The database does not answer. Nothing was changed; try again in a moment.\n"


class Guard:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(
                b"A NUL stands in this address; no name here holds one.\n", status=400, content_type=PLAIN
            )
        try:
            answer = self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            answer = away(error)
        if answer.status_code == 429:
            answer.setdefault("Retry-After", "60")
        answer.setdefault("Content-Security-Policy", CSP)
        answer.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if not request.path.startswith("/static/"):
            answer.setdefault("Cache-Control", "no-store")
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page whose database is away says so, and when to come back; anything else is Django's to report."""
        return away(error) if isinstance(error, (OperationalError, InterfaceError)) else None


def away(error: BaseException) -> HttpResponse:
    log.warning("the database does not answer: %s", error)
    return HttpResponse(AWAY, status=503, content_type=PLAIN, headers={"Retry-After": "5"})


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Middleware below Guard may be the first to meet a database that is away, as the one that
    keeps sessions does after the view is done; Django makes a 500 of that before Guard sees it."""
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError)):
        return away(error)
    # By its route: the path itself may hold a one-time link. The page says that it is written down.
    route = request.resolver_match.route if request.resolver_match else "an address that leads nowhere"
    log.error("%s %s failed", request.method, route, exc_info=error)
    return server_error(request)
