"""What is mailed with a link that sets the secret of a mailbox, or makes a person's sign-in."""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Invite, Organization

from .letters import written

INVITE = """Hello,

{organization} has made the mailbox {what} for you.

Open this link to choose your password. Nobody else ever sees or sets it:

{link}

The link works once, until {until}. If you did not expect this mail, do nothing: without the link
nobody can sign in to the mailbox.
"""
REMINDER = """Hello,

{organization} has made the mailbox {what} for you; its password is not set yet, and mail waits there.

Open this link to choose it. The link that was mailed before stopped working:

{link}

The link works once, until {until}. This is the only reminder. If you did not expect this mail, do
nothing: without the link nobody can sign in to the mailbox.
"""
RESET = """Hello,

you asked {organization} for a way back into your mailbox {what}, and were found to be its owner.

Open this link to choose another password. Nobody else ever sees or sets it:

{link}

The link works once, until {until}. When it is used, every session of the mailbox ends, and the password
and the recovery code so far stop working. If you did not ask for this, do not open it, and tell
{organization} at once, by a way you already know.
"""
PERSON = """Hello,

{organization} asks you to make your sign-in to Postroom, for {what}.

Open this link to choose your password and set up a second factor:

{link}

The link works once, until {until}. If you did not expect this mail, do nothing.
"""


def letter(invite: Invite, link: str) -> EmailMessage:
    """With the link as it was issued last."""
    with acting_as(SYSTEM):
        now = Invite.objects.get(pk=invite.pk)
        organization = Organization.objects.get().name
    what = invite.mailbox.label if invite.mailbox else invite.person.email if invite.person else ""
    subject, text = _words(now, what)
    until = f"{now.until:%d %B %Y, %H:%M} UTC" if now.until else "it is used"
    return written(subject, text.format(organization=organization, what=what, link=link, until=until))


def _words(invite: Invite, what: str) -> tuple[str, str]:
    """Its subject and its text."""
    if not invite.mailbox_id:
        return "Your sign-in to Postroom", PERSON
    if invite.verification_id:
        return f"Choose another password for {what}", RESET
    return f"Set the password of {what}", REMINDER if invite.reminded_at else INVITE
