"""What the link of a recovery channel's question is about, and how it is answered."""

from dataclasses import dataclass

from django.utils import timezone

from postroom.access.acting import Actor, NoSuchLink, acting_as
from postroom.models import Change, Domain, Invite
from postroom.models.recovery import REGISTRAR, value_of

from .kind import KINDS
from .pipeline import submit

CONFIRM, RECOVERY = "recovery_channels.confirm", "recovery"


def holder(link: str) -> Actor:
    """Whoever holds a link, by the SHA-256 of its token."""
    return Actor(None, "who reads the channel", "link", link)


@dataclass(frozen=True)
class Asked:
    """noun, of: what is written to there about (a mailbox, a client, a domain). value: the address, or the number.
    what: RECOVERY, or what an invite vouches for."""

    noun: str
    of: str
    value: str
    what: str


def opened(link: str) -> Asked:
    """What a good link is about; NoSuchLink for one that is unknown, used, replaced or too old. Changes nothing."""
    with acting_as(holder(link)) as access:
        rows = Invite.objects.select_related("confirms__mailbox__address", "client", "domain")
        invite = rows.filter(pk=access.invite, used_at=None, ended_at=None, until__gt=timezone.now()).first()
        found = _asked(invite) if invite else None
        if found is None:
            raise NoSuchLink("no such link")
        return found


def _asked(invite: Invite) -> Asked | None:
    """None where the channel has ended, or another address stands there by now."""
    if (channel := invite.confirms) is not None:
        return None if channel.ended_at else Asked("Mailbox", channel.mailbox.label, channel.value, RECOVERY)
    row = invite.domain if invite.vouches == REGISTRAR else invite.client if invite.vouches else None
    if row is None or row.removed_at or value_of(row) != invite.contact:
        return None
    noun, name = ("Domain", row.name) if isinstance(row, Domain) else ("Client", row.name)
    return Asked(noun, name, invite.contact, invite.vouches)


def confirm(link: str) -> Change:
    """It is read still: the link is spent."""
    return submit(KINDS[CONFIRM](), actor=holder(link), why="pressed the button of the mailed link")
