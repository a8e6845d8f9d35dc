"""The gate: no view is reached whose method has not said whom it lets in. It answers 403 whoever asks, and logs it."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access.declared import declared
from postroom.api.problems import problem

log = logging.getLogger("postroom.web")


class Gate:
    """Middleware, before anything that looks at who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        said = declared(view)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if said.get(method) is not None:
            return None
        if said and method not in said:
            return HttpResponse(status=405, headers={"Allow": ", ".join(sorted(said))})
        return closed(request)


def closed(request: HttpRequest) -> HttpResponse:
    """Nobody said whom this lets in: nobody."""
    match = request.resolver_match
    log.error("%s %s has not said whom it lets in: 403", request.method, match.route if match else "")
    if request.path_info.startswith("/api/"):
        return problem(403, "not-allowed", "This is not allowed to anybody")
    return render(request, "403.html", status=403)
