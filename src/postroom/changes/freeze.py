"""Whether a freeze lies over a client now: the policy judges by it, and what the system would do by itself waits."""

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from postroom.models import Freeze


def freeze_over(client: UUID | None) -> Freeze | None:
    """The freeze that lies over a client, or over the whole organization, now."""
    here = Q(client_id=client) | Q(client_id=None)
    lasting = Q(until=None) | Q(until__gt=Now())  # now, not when it was proposed: it may have waited for days
    freeze: Freeze | None = Freeze.objects.filter(here, lasting, ended_at=None).order_by("pk").first()
    return freeze


def in_words(freeze: Freeze) -> str:
    reason = freeze.reason or "no reason given"
    return f"{reason} (until {freeze.until:%d %b %H:%M} UTC)" if freeze.until else reason
