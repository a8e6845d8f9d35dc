"""What the owner of a mailbox is told when somebody else set a filter or an auto-reply there."""

from email.message import EmailMessage

from django.conf import settings

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Letter, Mailbox, Organization

from .letters import written

SUBJECT = "A filter was set at your mailbox"
TEXT = """Hello,

{who} at {organization} set a filter, or an automatic answer, at the mailbox
{mailbox}, in place of the one that was in force there.

Why: {why}

You see what it does, and end it, at
{page}
"""


def told(letter: Letter, change: Change) -> EmailMessage:
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id)
        who = change.proposer.name if change.proposer_id and change.proposer else "Somebody"
        words = {"mailbox": mailbox.label, "organization": Organization.objects.get().name, "who": who}
    page = f"{settings.POSTROOM.origin}/mailbox/filters/"
    return written(SUBJECT, TEXT.format(**words, why=change.why, page=page))
