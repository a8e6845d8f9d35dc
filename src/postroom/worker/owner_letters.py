"""What is mailed about a mailbox's own secrets: the link that gets it back; what was done, to all known of its owner.

Nothing that somebody typed stands in a header.
"""

from email.message import EmailMessage

from django.conf import settings

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
ANOTHER = """Hello,

the password of the mailbox {mailbox} at {organization} is known to somebody else, or may be. It opens
nothing any more. This address is kept as a way back into that mailbox.

Open this link to choose another password:

{link}

The link works once, until {until}; after that the recovery code, or a new link, is asked for at
{again}. If the mailbox is not yours, do nothing.
"""
WANTED = """Hello,

the password of the mailbox {mailbox} at {organization} is known to somebody else, or may be. Since
{when} it opens nothing any more, every app password and mail app has ended, and so has every session.

Its owner sets another one with the recovery code, or by a link to a recovery address, at {again}.

If this is about a mailbox that you do not know, tell {organization}.
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
SUBJECT = "A mailbox wants another password"
BY = {"code": "by the recovery code", "link": "by a link that was mailed to a recovery address"}


def back(invite: Invite, link: str, *, wanted: bool = False) -> EmailMessage:
    """The link, to a recovery address. wanted: nobody asked for it, another password has to be set."""
    with acting_as(SYSTEM):
        issued = Invite.objects.select_related("mailbox__address").get(pk=invite.pk)
        organization = Organization.objects.get().name
    until = f"{issued.until:%d %B %Y, %H:%M} UTC" if issued.until else "it is used"
    words = {"organization": organization, "mailbox": issued.mailbox.label, "link": link, "until": until}
    if wanted:
        return written(SUBJECT, ANOTHER.format(**words, again=_page()))
    return written("The way back into a mailbox", LINK.format(**words))


def wanted(letter: Letter, change: Change) -> EmailMessage:
    """To all known of its owner who get no link: that another password has to be set, and where."""
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id).label
        made, organization = Change.objects.get(pk=change.pk), Organization.objects.get().name
    when = f"{made.now:%d %B %Y, %H:%M} UTC"
    return written(SUBJECT, WANTED.format(mailbox=mailbox, organization=organization, when=when, again=_page()))


def _page() -> str:
    return f"{settings.POSTROOM.origin}/mailbox/recover/"


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
