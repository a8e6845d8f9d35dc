"""What every answer carries, and what no request gets past: content policy, no caching of pages, the database away."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

log = logging.getLogger("postroom.web")
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
AWAY = b"The database does not answer. Nothing was changed; try again in a moment.\n"


class Guard:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            answer = self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            answer = self._away(error)
        answer.setdefault("Content-Security-Policy", CSP)
        answer.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if not request.path.startswith("/static/"):
            answer.setdefault("Cache-Control", "no-store")
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page whose database is away says so, and when to come back; anything else is Django's to report."""
        return self._away(error) if isinstance(error, (OperationalError, InterfaceError)) else None

    def _away(self, error: Exception) -> HttpResponse:
        log.warning("the database does not answer: %s", error)
        return HttpResponse(AWAY, status=503, content_type="text/plain", headers={"Retry-After": "5"})
