"""What of a VIP waits for a second person: lines of the table in high_risk.py."""

from collections.abc import Iterator

from postroom.changes.policy import Move, Proposed
from postroom.models import (
    CatchAll,
    Delegation,
    Filter,
    Forward,
    Mailbox,
    RecoveryChannel,
    RedirectStop,
    RouteException,
)
from postroom.models.delegations import NOBODYS

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
    """Mail of one may leave, or goes on for longer; where it lands elsewhere is landing.py's to say."""
    moves = [m for m in proposed.moves(Forward, RouteException) if longer(m) or _way_out(m)]
    addresses = {str((m.then or {})["address_id"]) for m in moves}
    vips = Mailbox.objects.filter(client_id=proposed.plan.client, vip=True, address_id__in=addresses)
    if moves and vips.exists():
        yield "passes on the mail of a VIP"
    if (targets := _caught_for(proposed)) and Mailbox.objects.filter(
        client_id=proposed.plan.client, vip=True, address__address__in=targets
    ).exists():
        yield "changes what reaches a VIP"


def _caught_for(proposed: Proposed) -> set[str]:
    """For whom a catch-all that stands caught mail, or would: it is no address, so nobody follows mail to it."""
    moves = [m for m in proposed.moves(CatchAll) if m.now] if proposed.access.actor.somebody else []
    return {target for m in moves for target in m.opens | m.closes}


def _way_out(move: Move) -> bool:
    return bool(move.opens) and move.edit.table == RouteException._meta.db_table


def delegated(proposed: Proposed) -> Iterator[str]:
    """Somebody else gets into a VIP's mailbox, or writes in its name; or an owner asks for one that nobody owns."""
    made = [m.then["mailbox_id"] for m in proposed.moves(Delegation) if m.then and m.now is None]
    if made and Mailbox.objects.filter(pk__in=made, vip=True).exists():
        yield "lets somebody else into the mailbox of a VIP, or write in its name"
    owners = proposed.access.actor.sort == "owner" and made
    if owners and Mailbox.objects.filter(pk__in=made, kind__in=NOBODYS).exists():
        yield "its owner asks for themselves to be let into a mailbox that no human owns, or to write in its name"


def filtered(proposed: Proposed) -> Iterator[str]:
    """Somebody else than its owner has the mail of one sorted, or answered."""
    boxes = {str((m.then or {})["mailbox_id"]) for m in proposed.moves(Filter) if m.opens}
    if boxes and proposed.access.actor.somebody and Mailbox.objects.filter(pk__in=boxes, vip=True).exists():
        yield "sets a filter at the mailbox of a VIP"


def resumed(proposed: Proposed) -> Iterator[str]:
    """A filter of one passes mail on again, where somebody had stopped that."""
    boxes = {str((m.then or m.now or {})["mailbox_id"]) for m in proposed.moves(RedirectStop) if _goes_on(m)}
    if boxes and Mailbox.objects.filter(pk__in=boxes, vip=True).exists():
        yield "lets a filter of a VIP pass mail on again"


def _goes_on(move: Move) -> bool:
    """A stop that stood stands no more: that closes nothing."""
    return bool(move.now and not move.now["ended_at"] and (move.then is None or move.then["ended_at"]))


def recovery(proposed: Proposed) -> Iterator[str]:
    """A way back into a VIP's mailbox comes or goes, by another than its owner."""
    moves = [m for m in proposed.moves(RecoveryChannel) if m.opens or m.closes]
    boxes = {str((m.then or m.now or {})["mailbox_id"]) for m in moves}
    if moves and proposed.access.actor.somebody and Mailbox.objects.filter(pk__in=boxes, vip=True).exists():
        yield f"{'names' if any(m.opens for m in moves) else 'ends'} a way back into the mailbox of a VIP"
