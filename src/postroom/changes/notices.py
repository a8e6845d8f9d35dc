"""*This was not me*: what the link of a notice says, and how it stops the change it is about."""

from dataclasses import dataclass

from django.utils import timezone

from postroom.access.acting import Actor, NoSuchLink, acting_as
from postroom.models import Change, Invite

from .approvals import seen, taken_off, waiting_with
from .errors import NotSeen
from .kind import KINDS
from .pipeline import submit

NOT_ME = "this was not me"


@dataclass(frozen=True)
class Warned:
    """Whom the letter went to, and the change it is about, as it stands now."""

    contact: str
    change: Change


def holder(link: str) -> Actor:
    """Whoever holds a link, by the SHA-256 of its token."""
    return Actor(None, "who was told", "link", link)


def warned(link: str) -> Warned:
    """What a good link is about; NoSuchLink for one that is unknown, used, replaced or too old. Changes nothing."""
    with acting_as(holder(link)) as access:
        rows = Invite.objects.select_related("stops__proposer", "stops__client", "stops__undoes")
        notice = rows.filter(pk=access.invite, used_at=None, ended_at=None, until__gt=timezone.now()).first()
        if notice is None or notice.stops is None:
            raise NoSuchLink("no such link")
        return Warned(notice.contact, notice.stops)


def stop(link: str) -> Change:
    """Withdraw the change, and what waits of its batch; spend every notice of them and end the proposer's sessions:
    all of it or nothing.

    NotSeen when the change waits no more: then nothing is done, and the link stays as it is.
    """
    with acting_as(holder(link)) as access:
        about = warned(link)
        # Changes are locked before the organization is, as the clock does it that applies them.
        waiting = list(waiting_with(about.change).select_for_update(of=("self",)))
        if not waiting:
            raise NotSeen(f"it is {seen(about.change.pk).stage}; only what waits is withdrawn")
        spent = submit(KINDS["notices.stop"](), actor=access.actor, why=NOT_ME, caused_by=about.change)
        if spent.version is None:
            raise NotSeen("; ".join(v["reason"] for v in spent.verdicts))
        for change in waiting:
            taken_off(change, by=about.contact, why=NOT_ME)
        return seen(about.change.pk)
