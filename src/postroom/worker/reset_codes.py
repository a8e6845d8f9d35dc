"""The letter with the code that a caller reads out, so that a verified reset knows who reads the recovery address."""

from email.message import EmailMessage

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Organization, ResetCode
from postroom.models.verifying import CODE_DIGITS

from .letters import written

TEXT = """Hello,

somebody is asking {organization} to get the mailbox {mailbox} back, and says that they read this
address. If that is you, read this to whom you are talking to, now:

  {code}

It is good for one minute, from {sent} UTC. If the minute is over, ask for another.

If you did not ask {organization} for this, tell nobody the code, and tell {organization}, by a way you
already know, that somebody tries to get into the mailbox.
"""


def letter(code: ResetCode, digits: str) -> EmailMessage:
    """The code stands in the text alone: a subject is shown on locked screens."""
    with acting_as(SYSTEM):
        row = ResetCode.objects.select_related("verification__mailbox__address").get(pk=code.pk)
        organization = Organization.objects.get().name
    half = CODE_DIGITS // 2
    words = {"organization": organization, "mailbox": row.verification.mailbox.label,
             "code": f"{digits[:half]} {digits[half:]}"}  # fmt: skip
    return written("A code to read out", TEXT.format(**words, sent=f"{row.sent_at:%d %B %Y, %H:%M:%S}"))
