"""What stands around every page: demo mark, theme; for signed-in people the frame."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, Any]:
    login = getattr(request, "user", None)
    theme = getattr(login, "theme", "") or "light"
    return {"demo": settings.POSTROOM.demo, "theme": theme, "frame": getattr(request, "frame", None)}
