"""What stands around every page: demo mark, theme; for signed-in people the frame."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, Any]:
    login = getattr(request, "user", None)
    theme = getattr(login, "theme", "") or "light"
    env = settings.POSTROOM
    sso = env.oidc_label if env.oidc_issuer else ""
    return {"demo": env.demo, "theme": theme, "frame": getattr(request, "frame", None), "sso": sso}
