"""One domain above or below another: two zones in one name server, of which the lower answers for part of the upper.

So does a domain in which the names stand that every client's mail and DNS hang on, ours: whoever holds it holds them.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from django.conf import settings

from postroom.access.acting import others_beside
from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import Domain


def beside(proposed: Proposed) -> Verdict | None:
    """Refuse one that comes above or below a domain of another client, never saying whose; hold it within one."""
    coming = {str(move.then["name"]): move for move in proposed.moves(Domain) if move.then and _comes(move)}
    if not coming:
        return None
    if others := others_beside([(name, move.edit.client) for name, move in coming.items()]):
        return refuse(beside, f"{', '.join(others)}: lies above or below a domain that is already taken")
    there = Domain.objects.filter(client_id=proposed.plan.client, removed_at=None).values_list("name", flat=True)
    reasons = [*_within({*there, *coming}, set(coming)), *_over_ours(coming)]
    return hold(beside, "; ".join(reasons)) if reasons else None


def _comes(move: Move) -> bool:
    """Made, restored, or moved to another client."""
    if move.then is None or move.then["removed_at"]:
        return False
    was = move.now
    return was is None or bool(was["removed_at"]) or was["client_id"] != move.then["client_id"]


def _within(names: set[str], coming: set[str]) -> Iterator[str]:
    for name in sorted(names):
        for upper in _above(name):
            if upper not in names or not {name, upper} & coming:
                continue
            if name in coming:
                yield f"{name} stands below {upper}, whose zone it would shadow in part"
            else:
                yield f"{upper} stands above {name}, whose zone it would cut off"


def _over_ours(coming: Iterable[str]) -> Iterator[str]:
    """Domains at, above or below a name that all clients share."""
    env = settings.POSTROOM
    named = (env.mail_host, *env.name_servers, env.spf_include, urlsplit(env.origin).hostname or "")
    shared = {one.rstrip(".").lower() for one in named} - {"", "localhost"}
    for name in sorted(coming):
        if inside := sorted(host for host in shared if name == host or name in _above(host) or host in _above(name)):
            yield f"{name} holds {', '.join(inside)}, which the mail and DNS of every client hang on"


def _above(name: str) -> Iterator[str]:
    labels = name.split(".")
    yield from (".".join(labels[n:]) for n in range(1, len(labels)))
