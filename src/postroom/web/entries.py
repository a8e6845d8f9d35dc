"""What the sign-in library does, as entries of the record: sign-ins, failures, factors and passwords that change."""

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.record import note
from postroom.web.door import BY_LINK


def entered(what: str, login: Any, **facts: Any) -> None:
    person = getattr(login, "person_id", None)
    with acting_as(SYSTEM):
        note(what, client=None, person=str(person) if person else "", **facts)


def signed_in(sender: object, request: HttpRequest, user: Any, **_: object) -> None:
    by = "printed link, both factors counted as done" if request.session.get(BY_LINK) else "password"
    entered("signed in", user, by=by, source=request.META.get("REMOTE_ADDR", ""))


def signed_out(sender: object, request: HttpRequest, user: Any, **_: object) -> None:
    if user is not None:
        entered("signed out", user)


def failed(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **_: object) -> None:
    """What was typed is not kept: a password may stand in the field for the address."""
    entered("sign-in failed", None, source=request.META.get("REMOTE_ADDR", "") if request else "")


def factor(what: str) -> Any:
    def told(sender: object, user: Any, **facts: Any) -> None:
        made = facts.get("authenticator")
        entered(what, user, factor=str(getattr(made, "type", "")))

    return told


ADDED, REMOVED, RESET = factor("factor added"), factor("factor removed"), factor("factor replaced")


def changed(sender: object, user: Any, **_: object) -> None:
    entered("password changed", user)


def connect() -> None:
    """Once, when the URLs are loaded: only the pages sign anybody in."""
    user_logged_in.connect(signed_in)
    user_logged_out.connect(signed_out)
    user_login_failed.connect(failed)
    authenticator_added.connect(ADDED)
    authenticator_removed.connect(REMOVED)
    authenticator_reset.connect(RESET)
    password_changed.connect(changed)
