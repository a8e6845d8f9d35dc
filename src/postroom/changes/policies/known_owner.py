"""A mailbox whose owner once set a secret is that owner's: no link to it goes elsewhere on one person's word.

Removal deletes the secret, and the mail stays. So that a restored mailbox is not anybody's, what counts is whether an
invite of it was ever used, not whether a secret is there now. What a verified reset released is judged by its proofs.
"""

from postroom.changes.policy import Proposed, Verdict, hold, refuse
from postroom.models import Invite, Mailbox, Verification
from postroom.models.mailboxes import once_set_up


def known_owner(proposed: Proposed) -> Verdict | None:
    """Hold a new invite of such a mailbox to another contact than its own; refuse a link that a person would copy."""
    # What its owner asked for goes where they are reached, and nowhere else (kinds/own_secrets.py).
    mailed = [move for move in proposed.moves(Invite) if move.then and move.then["mailbox_id"]]
    moves = [move for move in mailed if move.then and not move.then["recovers"]]
    boxes = {str(move.then["mailbox_id"]) for move in moves if move.then} - proposed.made(Mailbox)
    if not boxes:
        return None
    had = Mailbox.objects.filter(pk__in=once_set_up(boxes))
    known = {str(pk): contact for pk, contact in had.values_list("pk", "contact")}
    proven = {m.then["mailbox_id"] for m in proposed.moves(Verification) if m.then and m.then["used_at"]}
    for move in moves:
        row = move.then or {}
        if str(row["mailbox_id"]) not in known.keys() - proven:
            continue
        if proposed.kind.permission == "invites.issue" and proposed.access.actor.somebody:
            return refuse(known_owner, "this mailbox has an owner already; its link is mailed, and nobody copies it")
        if move.edit.before is None and row["contact"] != known[str(row["mailbox_id"])]:
            return hold(known_owner, f"lets {row['contact']} set the secret of a mailbox that has an owner already")
    return None
