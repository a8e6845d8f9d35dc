"""The API as one object, with its errors and its routers, and each route with what its methods say of themselves."""

from inspect import getclosurevars
from typing import Any

from django.urls import URLPattern
from ninja.operation import PathView

from postroom.access.declared import PUBLIC, Declared, Methods

from . import (
    access,
    changes,
    entries,
    findings,
    invites,
    leaving,
    objects,
    postures,
    probes,
    problems,
    reviews,
    rounds,
    sessions,
    sheets,
    sign_ins,
    tokens,
    tracing,
    verifying,
    views,
)
from .documented import Documented
from .door import Bearer

# The library's own: the description, the same for all and of nobody, and the root, which answers that nothing is there.
OPEN = ("openapi-json", "api-root")


class Api(Documented):
    """The library's, but that the view of a path says what its operations do: the gate asks the view."""

    def _get_urls(self) -> list[Any]:
        urls: list[Any] = super()._get_urls()
        for one in urls:
            one.callback.declared = _methods(one)
        return urls


def _methods(pattern: URLPattern) -> Methods:
    """Method → what its operation says of itself; nothing for a view that is not known here, which the gate closes."""
    if pattern.name in OPEN:
        return {"GET": Declared(PUBLIC)}
    closed_over = getclosurevars(pattern.callback).nonlocals if hasattr(pattern.callback, "__closure__") else {}
    path = closed_over.get("self")
    operations = path.operations if isinstance(path, PathView) else ()
    return {method: getattr(one.view_func, "says", None) for one in operations for method in one.methods}


api = Api(
    title="Postroom",
    version="1",
    description="Everything the pages do, by the same changes. Errors are RFC 9457 problem details.",
    auth=Bearer(),
    urls_namespace="api",
    docs_url=None,
    openapi_url="/openapi.json",
    parser=problems.Json(),
)
problems.install(api)
for router in (
    access.router,
    changes.router,
    entries.router,
    findings.router,
    invites.router,
    leaving.router,
    views.router,
    objects.router,
    postures.router,
    probes.router,
    reviews.router,
    rounds.router,
    sessions.router,
    sheets.router,
    sign_ins.router,
    tokens.router,
    tracing.router,
    verifying.router,
):
    api.add_router("", router)
