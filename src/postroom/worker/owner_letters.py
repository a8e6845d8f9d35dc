"""What is mailed about a mailbox's own secrets: the link that gets it back; what was done, to all known of its owner.

Nothing that somebody typed stands in a header.
"""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.kinds.app_passwords import LET_IN, MADE
from postroom.changes.kinds.own_secrets import CHANGED, RENEWED, RESET
from postroom.models import Change, Invite, Letter, Mailbox, Organization

from .letters import written

LINK = """Hello,

somebody says that they own the mailbox {mailbox} and cannot get in. This address is kept at
{organization} as a way back into it.

Open this link to choose another password:

{link}

The link works once, until {until}. If you did not ask for it, do nothing: nobody gets in without it.
"""
DONE = """Hello,

{what} of the mailbox {mailbox} at {organization} {was}, at {when}.{then}

If this was you, do nothing. If not, somebody else has what opens the mailbox: choose another password
at once with the recovery code, and tell {organization}.
"""
ENDED = "\n\nEvery session of the mailbox has ended."
SAYS = {
    CHANGED: ("The password of a mailbox was changed", "the password", "was changed by its owner", ENDED),
    RENEWED: ("A mailbox has another recovery code", "the recovery code", "was replaced by its owner", ""),
    MADE: ("A mailbox has another app password", "an app password", "was made by its owner", ""),
    LET_IN: ("A mail app was let into a mailbox", "a consent",
             "to a mail app, which then signs in without the password, was given by its owner", ""),
    RESET: ("A mailbox was got back", "the password", "was set anew, {by}", ENDED),
}  # fmt: skip
BY = {"code": "by the recovery code", "link": "by a link that was mailed to a recovery address"}


def back(invite: Invite, link: str) -> EmailMessage:
    """The link, to a recovery address."""
    with acting_as(SYSTEM):
        issued = Invite.objects.select_related("mailbox__address").get(pk=invite.pk)
        organization = Organization.objects.get().name
    until = f"{issued.until:%d %B %Y, %H:%M} UTC" if issued.until else "it is used"
    words = {"organization": organization, "mailbox": issued.mailbox.label, "link": link, "until": until}
    return written("The way back into a mailbox", LINK.format(**words))


def told(letter: Letter, change: Change) -> EmailMessage:
    """What was done, and when."""
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id).label
        made, organization = Change.objects.get(pk=change.pk), Organization.objects.get().name
    subject, what, was, then = SAYS[letter.says]
    return written(subject, DONE.format(
        what=what, mailbox=mailbox, organization=organization, was=was.format(by=BY.get(made.actor, "")), then=then,
        when=f"{made.now:%d %B %Y, %H:%M} UTC",
    ))  # fmt: skip
