"""In which browsers a mailbox's owner is signed in to these pages: sessions of its own login, and no other's."""

from allauth.usersessions.models import UserSession

from postroom.queries.sessions import at_owners_pages
from postroom.web.entries import entered
from postroom.web.mailbox_door import Asked

WHY = "ended by its owner"


def browsers(request: Asked) -> list[UserSession]:
    """Those that would be let in now, the newest first. Two queries."""
    return at_owners_pages(request.own.mailbox, request.own.epoch)


def is_this(request: Asked, one: UserSession) -> bool:
    return bool(one.session_key == request.session.session_key)


def end(request: Asked, which: str) -> None:
    """One of this mailbox's own; of what is none of its own, nothing is known."""
    for one in browsers(request):
        if str(one.pk) == which:
            one.end()
            entered("session ended", request.user, because=WHY, source=one.ip)
