"""A frozen client, or a frozen organization, changes in nothing but what only closes access."""

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from postroom.changes.policy import Move, Proposed, Verdict, mark, refuse
from postroom.models import Freeze

QUIET = ("invites", "secrets")  # a link or a secret that goes along with what closes opens nothing by itself
SIGNING_IN = {"api_sessions", "secrets"}  # who may end a freeze has to be able to sign in for it


def frozen(proposed: Proposed) -> Verdict | None:
    """Refuse what opens or alters during a freeze; let through, marked, what only closes or ends the freeze."""
    freeze = freeze_over(proposed.plan.client)
    if freeze is None:
        return None
    moves = list(proposed.moves())
    if "api_sessions" in proposed.plan.by_table.keys() <= SIGNING_IN:
        return None
    if all(_only_closes(move) or _ends_freeze(move) for move in moves):
        return mark(frozen, f"during freeze: {words(freeze)}")
    return refuse(frozen, f"frozen: {words(freeze)}")


def freeze_over(client: UUID | None) -> Freeze | None:
    """The freeze that lies over a client, or over the whole organization, now."""
    here = Q(client_id=client) | Q(client_id=None)
    lasting = Q(until=None) | Q(until__gt=Now())  # now, not when it was proposed: it may have waited for days
    freeze: Freeze | None = Freeze.objects.filter(here, lasting, ended_at=None).order_by("pk").first()
    return freeze


def _only_closes(move: Move) -> bool:
    return move.only_closes or (move.edit.table in QUIET and not move.opens and bool(move.closes))


def _ends_freeze(move: Move) -> bool:
    return move.edit.table == "freezes" and move.edit.before == {"ended_at": None}


def words(freeze: Freeze) -> str:
    reason = freeze.reason or "no reason given"
    return f"{reason} (until {freeze.until:%d %b %H:%M} UTC)" if freeze.until else reason
