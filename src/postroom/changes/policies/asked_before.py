"""What an owner asked for and somebody agrees to later is the owner's of then; by then the mailbox may be another's."""

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite


def asked_before(proposed: Proposed) -> Verdict | None:
    """Refuse what waited, if a link into the mailbox was given out since it was asked for: by a transfer, a reset, a
    way back after its removal."""
    actor = proposed.access.actor
    if actor.sort != "owner":
        return None
    since = Invite.objects.filter(
        mailbox=actor.mailbox, made__gt=proposed.change.now, person=None, stops=None, confirms=None
    )
    return (
        refuse(asked_before, "a new link into this mailbox was given out since: its owner asks anew")
        if since.exists()
        else None
    )
