"""What every answer carries, and what no request gets past: content policy, no caching of pages, the database away."""

import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error

log = logging.getLogger("postroom.web")
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
PLAIN = "text/plain; charset=utf-8"
NUL = b"A NUL stands in this address; no name here holds one.\n"
AWAY = b"The database does not answer. Nothing was changed; try again in a moment.\n"


class Guard:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answer(request)
        if answer.status_code == 429:
            answer.setdefault("Retry-After", "60")
        answer.setdefault("Content-Security-Policy", CSP)
        answer.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if not request.path.startswith("/static/"):
            answer.setdefault("Cache-Control", "no-store")
        return answer

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(NUL, status=400, content_type=PLAIN)
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            return away(error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page whose database is away says so, and when to come back; anything else is Django's to report."""
        return away(error) if isinstance(error, (OperationalError, InterfaceError)) else None


def away(error: BaseException) -> HttpResponse:
    log.warning("the database does not answer: %s", error)
    return HttpResponse(AWAY, status=503, content_type=PLAIN, headers={"Retry-After": "5"})


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400. By another name, or by an address, nobody is let in: sign-in cookies, passkeys and mailed
    links belong to one origin. Which one is said, so that somebody who typed an address gets there.
    """
    said = {"elsewhere": settings.POSTROOM.origin} if isinstance(exception, DisallowedHost) else {}
    return render(request, "400.html", said, status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Middleware below Guard may be the first to meet a database that is away, as the one that
    keeps sessions does after the view is done; Django makes a 500 of that before Guard sees it."""
    error = sys.exc_info()[1]
    if isinstance(error, (OperationalError, InterfaceError)):
        return away(error)
    # By the pattern of its address: in the address itself may stand a one-time link.
    where = request.resolver_match.route if request.resolver_match else "an address"
    log.error("%s /%s failed", request.method, where, exc_info=error)
    return server_error(request)
