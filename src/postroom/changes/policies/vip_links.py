"""The link of a VIP's mailbox is mailed, and nobody else ever sees it.

Whoever holds such a link becomes the mailbox's owner. By mail it reaches who was named, and who is named stands on the
record; a copy goes wherever the operator takes it.
"""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite, Mailbox, Row

ISSUES = "invites.issue"


def vip_links(proposed: Proposed) -> Verdict | None:
    """Refuse to make a link of a VIP's mailbox for a person to copy, or to hand over by hand."""
    if not proposed.access.actor.somebody:
        return None
    made = [move.then for move in proposed.moves(Invite) if move.then and move.then["mailbox_id"]]
    boxes = {row["mailbox_id"] for row in made if proposed.kind.permission == ISSUES or _by_hand(row)}
    if boxes and (boxes & _made_vip(proposed) or Mailbox.objects.filter(pk__in=boxes, vip=True).exists()):
        return refuse(vip_links, "this mailbox is a VIP's: its link is mailed, and nobody copies it")
    return None


def _by_hand(row: Row) -> bool:
    return not row["by_mail"] and not row["used_at"] and not row["ended_at"]


def _made_vip(proposed: Proposed) -> set[str]:
    """Mailboxes that this very plan makes, or makes a VIP's."""
    return {move.edit.id for move in proposed.moves(Mailbox) if move.then and move.then["vip"]}
