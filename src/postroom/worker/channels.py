"""What is mailed of recovery channels: the question whether one is read still, and what was done to one.

Nothing that somebody typed stands in a header. An address is told in full to its mailbox alone, to others in part.
"""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Invite, Letter, Mailbox, Organization, RecoveryChannel
from postroom.models.recovery import ADDRESS, REGISTRAR
from postroom.protocols.phone import masked

from .letters import written

ASKED = """Hello,

{what} is kept at {organization} as a way to get the mailbox {mailbox} back, for somebody who cannot
get in any more. Is it read still, or answered?

{link}

The link opens a page with one button, works once, until {until}. You are asked every half year. If you
know nothing of this mailbox, do not press it, and tell {organization}.
"""
VOUCHED = """Hello,

this address is kept at {organization} as {what}. Is it read still?

{link}

The link opens a page with one button, works once, until {until}. You are asked every half year. If you
know nothing of it, do not press it, and tell {organization}.
"""
NAMED = """Hello,

a way to get the mailbox {mailbox} back was named at {organization} by {who}, at {when}:

  {what}

It counts seven days from then, once it is confirmed. If you know of this, do nothing. If not, tell
{organization} at once: until then it can be ended, and nobody gets in by it.
"""
ENDED = """Hello,

a way to get the mailbox {mailbox} back was ended at {organization} by {who}, at {when}:

  {what}

{then} If you do not know of this, tell {organization} at
once.
"""
NO_MORE = "Nothing is sent there for this mailbox any more."
NOT_AT_ONCE = """It counts for seven days yet where others verify that its owner asks for a way back in;
after that nothing is sent there for this mailbox any more."""
RESET = """Hello,

a link to set another password of the mailbox {mailbox} was sent by {organization}, asked for by {who},
at {when}. It went to an address that was kept for this before.

If you know of this, do nothing. If not, tell {organization} at once.
"""
ENDS = "recovery_channels.end"
SAYS = {"mailbox reset": ("A mailbox is being reset", RESET),
        "channel named": ("A way back into a mailbox was named", NAMED),
        "channel ended": ("A way back into a mailbox was ended", ENDED)}  # fmt: skip


def asked(invite: Invite, link: str) -> EmailMessage:
    """The question, with the link by which it is answered."""
    with acting_as(SYSTEM):
        along = ("confirms__mailbox__address", "client", "domain")
        issued = Invite.objects.select_related(*along).get(pk=invite.pk)
        organization = Organization.objects.get().name
    if issued.vouches:
        return _vouched(issued, organization, link)
    channel = issued.confirms
    what = "This address" if channel.sort == ADDRESS else f"The number {channel.value}"
    until = f"{issued.until:%d %B %Y, %H:%M} UTC" if issued.until else "it is used"
    words = {"organization": organization, "mailbox": channel.mailbox.label, "what": what}
    return written("Do you still read this?", ASKED.format(**words, link=link, until=until))


def _vouched(issued: Invite, organization: str, link: str) -> EmailMessage:
    """Of a security contact, or of where a registrar writes to."""
    if issued.vouches == REGISTRAR:
        what = f"where the registrar of {issued.domain.name if issued.domain else ''} writes to"
    else:
        what = f"where {issued.client.name if issued.client else ''} is written to about the safety of its mail"
    until = f"{issued.until:%d %B %Y, %H:%M} UTC" if issued.until else "it is used"
    return written(
        "Do you still read this?", VOUCHED.format(organization=organization, what=what, link=link, until=until)
    )


def told(letter: Letter, change: Change) -> EmailMessage:
    """What was done to a way back into a mailbox, by whom, when."""
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id)
        channel = RecoveryChannel.objects.filter(pk=letter.about).first()
        made = Change.objects.select_related("proposer").get(pk=change.pk)
        organization = Organization.objects.get().name
    subject, text = SAYS[letter.says]
    value = channel.value if channel else ""
    own = letter.contact in (mailbox.label, value)
    words = {"organization": organization, "mailbox": mailbox.label, "what": value if own else masked(value),
             "who": made.proposer.name if made.proposer else "its owner",
             "then": NOT_AT_ONCE if mailbox.vip and made.kind == ENDS else NO_MORE}  # fmt: skip
    return written(subject, text.format(**words, when=f"{made.now:%d %B %Y, %H:%M} UTC"))
