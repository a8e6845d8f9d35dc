"""In which browsers a mailbox's owner is signed in to these pages: sessions of its own login, and no other's."""

import time
from collections.abc import Mapping
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from postroom.access.acting import Own
from postroom.web.entries import entered
from postroom.web.mailbox_door import EPOCH, Asked
from postroom.web.session_limits import BEGAN

WHY = "ended by its owner"
MOST = 50


def browsers(request: Asked) -> list[UserSession]:
    """Those that would be let in now, the newest first. Two queries; one whose access ended stays a row until it is
    used, and is none."""
    rows = list(UserSession.objects.filter(user=request.user).order_by("-created_at")[:MOST])
    kept = Session.objects.filter(session_key__in=[one.session_key for one in rows], expire_date__gt=timezone.now())
    good = {one.session_key for one in kept if _stands(one.get_decoded(), request.own)}
    return [one for one in rows if one.session_key in good]


def _stands(session: Mapping[str, Any], own: Own) -> bool:
    longest = settings.POSTROOM.session_hours * 3600
    return session.get(EPOCH) == own.epoch and time.time() - session.get(BEGAN, time.time()) < longest


def is_this(request: Asked, one: UserSession) -> bool:
    return bool(one.session_key == request.session.session_key)


def end(request: Asked, which: str) -> None:
    """One of this mailbox's own; of what is none of its own, nothing is known."""
    for one in browsers(request):
        if str(one.pk) == which:
            one.end()
            entered("session ended", request.user, because=WHY, source=one.ip)
