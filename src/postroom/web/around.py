"""What stands around every page: demo mark, theme; for signed-in people the frame."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from postroom.web.terms import terms


def context(request: HttpRequest) -> dict[str, Any]:
    login = getattr(request, "user", None)
    theme = getattr(login, "theme", "") or "light"
    env = settings.POSTROOM
    sso = env.oidc_label if env.oidc_issuer else ""
    around: dict[str, Any] = {"terms": SimpleLazyObject(terms)}  # asked for on the pages that name them alone
    return around | {"demo": env.demo, "theme": theme, "frame": getattr(request, "frame", None), "sso": sso,
                     "own": getattr(request, "own", None)}  # fmt: skip
