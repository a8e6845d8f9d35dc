"""The letter about a change that nobody could approve: what was asked, by whom, why, when, and how to stop it."""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM
from postroom.changes.kinds.notices import RESET, TRANSFER, WHILE_HELD
from postroom.changes.recovery import RECOVER
from postroom.models import Change, Invite
from postroom.web.told import Told, told

SUBJECT = "A change waits because nobody else could approve it"  # nothing that somebody typed stands in a header
SUBJECT_OF_RECOVERY = "Somebody asks for a new sign-in"
TEXT = """Hello,

a change at {organization} would need a second person, and there is none. So it waits, and is made by
itself at the time below, unless somebody stops it.

  What:  {what}
  By:    {who}
  Why:   {why}
  Held:  {held}
  When:  {when}

If you know of this change, do nothing.

This was not me:

{link}

The link opens a page with one button. Nothing happens before you press it; then the change is
withdrawn and the sessions of who asked for it end. It works once.
"""


RECOVERY = """Hello,

{who} says at {organization} that password and second factor are lost, and asks for a new sign-in. It
came from the link that was mailed to that address.

  What:  {what}
  When:  {when}

An owner has to agree where there is another one, and speaks with the person first. If you know of this,
do nothing else.

This was not me, or I do not believe it:

{link}

The link opens a page with one button. Nothing happens before you press it; then no sign-in is given.
It works once.
"""


RESET_TEXT = """Hello,

somebody who says that they own a mailbox asks {organization} for a way back in.

  What:  {what}
  By:    {who}
  Why:   {why}
  When:  {when} at the earliest

A second person has to agree. If you know of this, do nothing.

This was not me:

{link}

The link opens a page with one button. Nothing happens before you press it; then no link is sent.
It works once.
"""
SUBJECT_OF_RESET = "Somebody asks to reset a mailbox"
TRANSFER_TEXT = """Hello,

somebody asks {organization} to give a mailbox, its mail in it, to another owner.

  What:  {what}
  By:    {who}
  Why:   {why}
  When:  {when}

What opens it now would open it no more, and the new owner would get a link of their own. If you know of
this, do nothing.

This was not me, or I do not agree:

{link}

The link opens a page with one button. Nothing happens before you press it; then the mailbox stays as it
is. It works once.
"""
SUBJECT_OF_TRANSFER = "Somebody asks to give a mailbox to another owner"
OF = {
    RECOVER: (SUBJECT_OF_RECOVERY, RECOVERY),
    RESET: (SUBJECT_OF_RESET, RESET_TEXT),
    TRANSFER: (SUBJECT_OF_TRANSFER, TRANSFER_TEXT),
}


def about(notice: Invite) -> Told | None:
    """What there is to tell; None when the change waits no more. Acting as the system."""
    change = Change.objects.select_related("proposer", "client", "undoes").get(notices=notice)
    waits = change.stage == "scheduled" or (change.kind in WHILE_HELD and change.stage == "held")
    return told(change, SYSTEM, to=notice.contact) if waits else None


def letter(about: Told, link: str) -> EmailMessage:
    found = EmailMessage()
    found["Subject"], text = OF.get(about.kind, (SUBJECT, TEXT))
    found.set_content(text.format(**vars(about), link=link))
    return found
