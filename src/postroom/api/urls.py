"""The API as one object, with its errors and its routers."""

from ninja import NinjaAPI

from . import access, changes, entries, findings, invites, objects, problems, reviews, rounds, sessions, tokens
from .door import Bearer

api = NinjaAPI(
    title="Postroom",
    version="1",
    description="Everything the pages do, by the same changes. Errors are RFC 9457 problem details.",
    auth=Bearer(),
    urls_namespace="api",
    docs_url=None,
    openapi_url="/openapi.json",
)
problems.install(api)
for router in (
    access.router,
    changes.router,
    entries.router,
    findings.router,
    invites.router,
    objects.router,
    reviews.router,
    rounds.router,
    sessions.router,
    tokens.router,
):
    api.add_router("", router)
