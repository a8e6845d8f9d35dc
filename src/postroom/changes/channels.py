"""What the link of a recovery channel's question is about, and how it is answered."""

from django.utils import timezone

from postroom.access.acting import Actor, NoSuchLink, acting_as
from postroom.models import Change, Invite, RecoveryChannel

from .kind import KINDS
from .pipeline import submit

CONFIRM = "recovery_channels.confirm"


def holder(link: str) -> Actor:
    """Whoever holds a link, by the SHA-256 of its token."""
    return Actor(None, "who reads the channel", "link", link)


def opened(link: str) -> RecoveryChannel:
    """A good link's channel; NoSuchLink for one that is unknown, used, replaced or too old. Changes nothing."""
    with acting_as(holder(link)) as access:
        rows = Invite.objects.select_related("confirms__mailbox__address")
        invite = rows.filter(pk=access.invite, used_at=None, ended_at=None, until__gt=timezone.now()).first()
        if invite is None or invite.confirms is None or invite.confirms.ended_at:
            raise NoSuchLink("no such link")
        channel: RecoveryChannel = invite.confirms
        return channel


def confirm(link: str) -> Change:
    """It is read still: the link is spent."""
    return submit(KINDS[CONFIRM](), actor=holder(link), why="pressed the button of the mailed link")
