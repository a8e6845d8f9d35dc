"""What of a VIP waits for a second person: lines of the table in high_risk.py."""

from collections.abc import Iterator, Sequence

from postroom.changes.policy import Move, Proposed
from postroom.models import Alias, CatchAll, Delegation, Forward, Mailbox, RecoveryChannel, RouteException

from .forwarding import longer


def suspended(proposed: Proposed) -> Iterator[str]:
    """Nobody signs in to a VIP's mailbox any more."""
    for m in proposed.moves(Mailbox):
        if m.then and m.then["vip"] and m.then["suspended_at"] and not (m.now or {}).get("suspended_at"):
            yield f"suspends a VIP: {m.then['name'] or 'a mailbox'}"


def no_more(proposed: Proposed) -> Iterator[str]:
    """The mark is taken off."""
    for m in proposed.moves(Mailbox):
        if m.now and m.then and m.now["vip"] and not m.then["vip"]:
            yield f"a VIP would be one no more: {m.now['name'] or 'a mailbox'}"


def routing(proposed: Proposed) -> Iterator[str]:
    """What passes a VIP's mail on, or brings it. That a forward or an exception of one ends is no risk: nothing of the
    mail goes anywhere by that, and whoever finds one waits for nobody. What ends by the clock was agreed to with it."""
    routes = [m for m in proposed.moves(Alias, Forward, CatchAll, RouteException) if m.opens or m.closes or longer(m)]
    if not routes:
        return
    passing = [m for m in routes if m.edit.table == Alias._meta.db_table or m.opens or longer(m)]
    bringing = [m for m in routes if m.now and proposed.access.actor.somebody]
    vips = Mailbox.objects.filter(client_id=proposed.plan.client, vip=True)
    if vips.filter(address_id__in=_addresses(passing)).exists():
        yield "passes on the mail of a VIP"
    elif bringing and vips.filter(address__address__in=_targets(bringing)).exists():
        yield "changes what reaches a VIP"


def _addresses(moves: Sequence[Move]) -> set[str]:
    """Whose mail it is; a catch-all takes nobody's."""
    return {str(row["address_id"]) for m in moves if "address_id" in (row := m.then or m.now or {})}


def _targets(moves: Sequence[Move]) -> set[str]:
    return {target for m in moves for target in m.opens | m.closes}


def recovery(proposed: Proposed) -> Iterator[str]:
    """A way back into a VIP's mailbox comes or goes, by another than its owner."""
    moves = [m for m in proposed.moves(RecoveryChannel) if m.opens or m.closes]
    boxes = {str((m.then or m.now or {})["mailbox_id"]) for m in moves}
    if moves and proposed.access.actor.somebody and Mailbox.objects.filter(pk__in=boxes, vip=True).exists():
        yield f"{'names' if any(m.opens for m in moves) else 'ends'} a way back into the mailbox of a VIP"


def delegated(proposed: Proposed) -> Iterator[str]:
    """It is asked that somebody else gets into a VIP's mailbox, or writes in its name."""
    made = [m.then["mailbox_id"] for m in proposed.moves(Delegation) if m.then and m.now is None]
    if made and Mailbox.objects.filter(pk__in=made, vip=True).exists():
        yield "lets somebody else into the mailbox of a VIP, or write in its name"
