"""How long a sign-in at the pages lasts: a day at most and, for operator roles, an hour without a click.

NIST SP 800-63B-4, 2.2.3 (AAL2). What a page asks for by itself, as for the progress of a change, is no click.
"""

import time
from typing import Any

from django.contrib.auth import logout

from postroom.queries import sessions
from postroom.queries.sessions import BEGAN, SEEN

OFTEN = 60  # seconds; the time of the last click is written no more often


def began(request: Any) -> None:
    """Somebody signed in: from here on it counts."""
    request.session[BEGAN] = request.session[SEEN] = time.time()


def over(request: Any) -> str:
    """Why this session ends now; empty while it goes on. Notes the click."""
    now, session = time.time(), request.session
    if BEGAN not in session:
        began(request)
    because = sessions.over(session, now, request.roles, request.stopped)
    if not because and now - session[SEEN] >= OFTEN and "HX-Request" not in request.headers:
        session[SEEN] = now
    return because


def end(request: Any, because: str) -> None:
    """Signed out, and an entry that says why."""
    request.ended_because = because
    logout(request)
