"""A mailbox whose owner once set a secret is that owner's: no link to it goes elsewhere on anybody's word.

Removal deletes the secret, and the mail stays. So that a restored mailbox is not anybody's, what counts is whether an
invite of it was ever used, not whether a secret is there now. What a verified reset released is judged by its proofs.
Somebody else's it becomes by a transfer, which ends what the owner before got back in by (decision 32).
"""

from collections.abc import Iterator

from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import Invite, Mailbox, Verification
from postroom.models.mailboxes import once_set_up
from postroom.models.recovery import counting

GIVES = "mailboxes.transfer"


def known_owner(proposed: Proposed) -> Verdict | None:
    """Refuse a new invite of such a mailbox to who is not its owner, and a link that a person would copy; hold one to
    another address that its owner gets back in by, and who it is given to."""
    verdicts = list(_verdicts(proposed))
    return next((one for one in verdicts if one.says == "refuse"), next(iter(verdicts), None))


def _verdicts(proposed: Proposed) -> Iterator[Verdict]:
    # What its owner asked for goes where they are reached, and nowhere else (kinds/own_secrets.py).
    moves = [m for m in proposed.moves(Invite) if m.then and m.then["mailbox_id"] and not m.then["recovers"]]
    boxes = {str(move.then["mailbox_id"]) for move in moves if move.then} - proposed.made(Mailbox)
    if not boxes:
        return
    known = {str(one.pk): one for one in Mailbox.objects.filter(pk__in=once_set_up(boxes))}
    proven = {m.then["mailbox_id"] for m in proposed.moves(Verification) if m.then and m.then["used_at"]}
    for move in moves:
        box = str((move.then or {})["mailbox_id"])
        if box in known.keys() - proven:
            yield from _sent(proposed, move, known[box])


def _sent(proposed: Proposed, move: Move, box: Mailbox) -> Iterator[Verdict]:
    """What there is to say of a link to a mailbox that has an owner."""
    contact = (move.then or {})["contact"]
    if proposed.kind.permission == "invites.issue" and proposed.access.actor.somebody:
        yield refuse(known_owner, "this mailbox has an owner already; its link is mailed, and nobody copies it")
    elif move.edit.before is None and contact != box.contact:
        if proposed.kind.permission == GIVES or contact in counting(box, proposed.change.now):
            yield hold(known_owner, f"lets {contact} set the secret of a mailbox that has an owner already")
        else:
            yield refuse(known_owner, f"it has an owner, and {contact} is none of theirs: {GIVES} gives it to another")
