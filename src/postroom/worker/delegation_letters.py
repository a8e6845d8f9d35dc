"""What is mailed of a delegation: asked for, started, ended, declined; to both owners, of a VIP's to the client too.

Nothing that somebody typed stands in a header.
"""

from email.message import EmailMessage

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kinds.delegations import ASKED_FOR, DECLINED, ENDED, STARTED
from postroom.models import Change, Delegation, Letter, Organization
from postroom.models.delegations import NOBODYS, OPEN

from .letters import written

ASKED_TEXT = """Hello,

{who} asked at {organization}, at {when}, that the owner of {to}
may do this with the mailbox {mailbox}{until}:

{rights}

What for: {reason}
{instead}
Nobody is let in before the owner of {mailbox} consents, at
{page}{both}. If you do not want it, decline it there; if you know
nothing of who asks, tell {organization} at once.
"""
STARTED_TEXT = """Hello,

since {when} the owner of {to} may do this with the mailbox
{mailbox} at {organization}{until}:

{rights}

What for: {reason}
{instead}{shown}
Its owner ends it at {page} whenever they like. If you do not
know of this, end it there, and tell {organization} at once.
"""
ENDED_TEXT = """Hello,

the owner of {to} may do nothing any more with the mailbox
{mailbox} at {organization}, since {when}. Until then it was:

{rights}

You need not do anything.
"""
DECLINED_TEXT = """Hello,

it was asked at {organization} that the owner of {to} may do this
with the mailbox {mailbox}:

{rights}

That was declined, at {when}. Nobody was let in.
"""
SAYS = {
    ASKED_FOR: ("Somebody asks for access to a mailbox", ASKED_TEXT),
    STARTED: ("Somebody has access to another mailbox", STARTED_TEXT),
    ENDED: ("Access to another mailbox has ended", ENDED_TEXT),
    DECLINED: ("Access to a mailbox was declined", DECLINED_TEXT),
}
MEANS = {
    "open": "read all the mail in it, and change none",
    "send-as": "write as it: nobody who gets such a letter sees a difference",
    "send-on-behalf": "write on its behalf: who gets it sees both addresses",
}
WORKS = "work in it: read, answer, sort and delete the mail in it"  # it is of a task
SHOWN = """
Mail programs show it as “{mailbox}” under “shared”,
once they have signed in anew.
"""
INSTEAD = """
It takes the place of passing mail on: once they are let in, no more mail goes

{ways}
"""
AND_CLIENT = ",\nand one of the client’s own admins on their own pages"


def _ways(one: Delegation) -> list[str]:
    return [f"from {source} to {target}" for source, _, target in (way.partition(" ") for way in one.replaces)]


def told(letter: Letter, change: Change) -> EmailMessage:
    """What is asked or was done, for whom, until when, and what for."""
    with acting_as(SYSTEM):
        along = ("mailbox__address", "to_mailbox__address", "requester")
        one = Delegation.objects.select_related(*along).get(pk=letter.about)
        made, organization = Change.objects.get(pk=change.pk), Organization.objects.get().name
    to, means = one.to_mailbox.label, MEANS | ({OPEN: WORKS} if one.mailbox.kind in NOBODYS else {})
    words = {
        "who": one.requester.name if one.requester else f"The owner of {to}", "organization": organization, "to": to,
        "mailbox": one.mailbox.label, "until": f",\nuntil {one.until:%d %B %Y, %H:%M} UTC" if one.until else "",
        "rights": "\n".join(f"  - {means[right]}" for right in one.rights), "reason": one.reason,
        "shown": SHOWN.format(mailbox=one.mailbox.label) if OPEN in one.rights else "",
        "instead": INSTEAD.format(ways="\n".join(f"  - {way}" for way in _ways(one))) if one.replaces else "",
        "page": f"{settings.POSTROOM.origin}/mailbox/", "both": AND_CLIENT if len(one.wants) > 1 else "",
        "when": f"{made.now:%d %B %Y, %H:%M} UTC",
    }  # fmt: skip
    subject, text = SAYS[letter.says]
    return written(subject, text.format(**words))
