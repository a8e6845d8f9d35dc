"""Who is asking at the API, and what an operation requires: declared beside it, or it answers 403 (web/gate.py).

A bearer token is a personal session: it may do what its person may. No cookies here, so no cross-site forgery.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from postroom.access import throttle
from postroom.access.acting import Actor, acting_as, session_of, signed_in, token_of
from postroom.access.declared import CHANGE, PUBLIC, Declared
from postroom.access.declared import look as looked
from postroom.access.roles import operates
from postroom.access.tokens import came_from, hashed, used
from postroom.changes.errors import NotAllowed
from postroom.changes.kinds.people import COUNTED
from postroom.changes.looks import look, opened
from postroom.models.base import made_at
from postroom.queries.turned_away import named_in, turned_away

from .unknown import only_asked

FRESH = timedelta(minutes=15)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Caller:
    """An authenticated caller: who acts, through which session of theirs; None: by a token."""

    actor: Actor
    session: UUID | None
    mfa: str = ""

    @property
    def fresh(self) -> bool:
        """Whether its second factor was shown just now: when it was opened, in a demo always; a token, when made."""
        if self.session is None:
            return True  # it does no more than was named then, and approves nothing
        if settings.POSTROOM.demo and self.mfa == COUNTED:
            return True
        return timezone.now() - made_at(self.session) < FRESH


class Bearer(HttpBearer):
    """`Authorization: Bearer …`. A token that is no good, for whatever reason, is answered alike."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        found = session_of(hashed(token))
        if found is None:
            return _by_token(request, token)
        session, actor, mfa = found
        throttle.SESSION(session, most=settings.POSTROOM.api_requests)
        known = signed_in(actor.person) if actor.person else None
        if known is None or (operates(known.roles) and not mfa):
            return None  # whoever holds an operator role shows a second factor, or is nobody
        return Caller(actor, session, mfa)


def source(request: HttpRequest) -> str:
    """Where a request comes from, as limits count it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _by_token(request: HttpRequest, token: str) -> Caller | None:
    """An API token, from where it may come from."""
    found = token_of(hashed(token))
    if found is None or found[0].token is None or not came_from(source(request), found[1]):
        throttle.STRANGER(source(request))
        return None
    throttle.SESSION(found[0].token, most=settings.POSTROOM.api_requests)
    used(found[0].token, found[0], source(request))
    return Caller(found[0], None)


def anybody(*, recorded: str = "") -> Callable[[F], F]:
    """The operation is open to whoever asks."""

    def declare(view: F) -> F:
        @wraps(view)
        def inside(request: Any, *args: Any, **kwargs: Any) -> Any:
            only_asked(request, inside)
            return view(request, *args, **kwargs)

        return _said(inside, Declared(PUBLIC, recorded=recorded))  # type: ignore[no-any-return]

    return declare


def reads(permission: str, *, recorded: str = "") -> Callable[[F], F]:
    """The operation reads, in one transaction as the caller; without the permission anywhere, 403 and an entry.

    recorded: as at the pages (web/door.py); the view says in `request.opened` which object it was.
    """

    def declare(view: F) -> F:
        @wraps(view)
        def inside(request: Any, *args: Any, **kwargs: Any) -> Any:
            only_asked(request, inside)
            _must(request, permission)
            with acting_as(request.auth.actor) as access:
                answer = view(request, *args, **kwargs)
                if recorded:
                    look(access, recorded, **opened(request.opened))
                return answer

        inside.recorded = recorded  # type: ignore[attr-defined]
        return _said(inside, Declared(permission, recorded=looked(recorded)))  # type: ignore[no-any-return]

    return declare


def submits(permission: str, *, step_up: str = "", recorded: str = CHANGE) -> Callable[[F], F]:
    """The operation submits changes, which judge the caller themselves; `permission` is what it takes to be let in.

    step_up, recorded: as at the pages (web/door.py).
    """

    def declare(view: F) -> F:
        @wraps(view)
        def inside(request: Any, *args: Any, **kwargs: Any) -> Any:
            only_asked(request, inside)
            _must(request, permission)
            return view(request, *args, **kwargs)

        return _said(inside, Declared(permission, step_up, recorded))  # type: ignore[no-any-return]

    return declare


def _said(inside: Any, said: Declared) -> Any:
    inside.says, inside.permission = said, said.permission
    return inside


def _must(request: Any, permission: str) -> None:
    caller: Caller = request.auth
    with acting_as(caller.actor) as access:
        may = access.can_somewhere(permission)
    if not may:
        turned_away(caller.actor, permission, *named_in(request.path_info))
        raise NotAllowed(f"{permission} is not allowed to you")
