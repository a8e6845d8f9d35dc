"""The link of a VIP's mailbox is mailed, and nobody else ever sees it.

Whoever holds such a link becomes the mailbox's owner. By mail it reaches who was named, and who is named stands on the
record; a copy goes wherever the operator takes it.
"""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite, Mailbox

ISSUES = "invites.issue"


def vip_links(proposed: Proposed) -> Verdict | None:
    """Refuse to make a link of a VIP's mailbox for a person to copy."""
    if proposed.kind.permission != ISSUES or not proposed.access.actor.somebody:
        return None
    boxes = {move.then["mailbox_id"] for move in proposed.moves(Invite) if move.then and move.then["mailbox_id"]}
    if boxes and Mailbox.objects.filter(pk__in=boxes, vip=True).exists():
        return refuse(vip_links, "this mailbox is a VIP's: its link is mailed, and nobody copies it")
    return None
