"""Whether a freeze lies over a client now: the policy judges by it, and what the system would do by itself waits."""

from uuid import UUID

from postroom.models import Freeze

# Asked twice of every change, so written out. Now, not when it was proposed: it may have waited for days.
OVER = """
SELECT * FROM freezes WHERE (client_id = %s OR client_id IS NULL) AND ended_at IS NULL
  AND (until IS NULL OR until > statement_timestamp()) ORDER BY id LIMIT 1
"""


def freeze_over(client: UUID | None) -> Freeze | None:
    """The freeze that lies over a client, or over the whole organization, now."""
    return next(iter(Freeze.objects.raw(OVER, [client])), None)


def in_words(freeze: Freeze) -> str:
    reason = freeze.reason or "no reason given"
    return f"{reason} (until {freeze.until:%d %b %H:%M} UTC)" if freeze.until else reason
