"""Asked too often: 429 with Retry-After, at sign-in too, where the library answers with the form and an error in it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.access.throttle import TooMany

TOO_MANY = "too_many_login_attempts"
WAIT = 300  # seconds; settings.ACCOUNT_RATE_LIMITS counts failures of an account for as long


def guessed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """One of the library's sign-in pages; too many failures are answered as such."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        shown = getattr(answer, "context_data", None) or {}
        forms = [shown[name] for name in ("form", "webauthn_form") if shown.get(name) is not None]
        found = [errors for form in forms if form.is_bound for errors in form.errors.as_data().values()]
        if any(one.code == TOO_MANY for errors in found for one in errors):
            answer.status_code = 429
            answer["Retry-After"] = str(WAIT)
        return answer

    return asked


def too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    minutes = -(-error.wait // 60)
    answer = render(request, "429.html", {"minutes": minutes}, status=429)
    answer["Retry-After"] = str(error.wait)
    return answer
