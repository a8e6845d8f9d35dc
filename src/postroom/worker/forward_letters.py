"""What the owner of a mailbox is told of mail that leaves it: where to, by what that stands, and whom to ask."""

from email.message import EmailMessage

from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Letter, Mailbox, Organization, RouteException
from postroom.models.routes import patterns_at
from postroom.protocols.patterns import matches

from .letters import written

SUBJECT = "Mail of a mailbox is passed on"
TEXT = """Hello,

mail of the mailbox {mailbox} at {organization} is passed on to

  {target}

which is outside of what {organization} looks after. {rests}

If you set this up, answer with why it is needed and until when. If you do not know of it, somebody
else may have set it up: tell {organization} at once.
"""
UNKNOWN = "an address that its filter works out when mail comes"
BY = "It may go there until {until}; {owner} answers for it."
BY_RULE = "It may go there by what is allowed without an exception."
BY_NOTHING = "No exception is written down for it: a filter of yours that does so is stopped."


ENDED_SUBJECT = "An exception has ended: shall mail still be passed on?"
ENDED_TEXT = """Hello,

you answer for mail of {source} at {organization} being passed on to

  {target}

The exception by which it left has ended, so nothing is passed on now; no mail is lost by that.
Somebody has to say what becomes of it. Ask whoever runs your mail at {organization} for one of these:

  - renew it: another exception, with a reason and an end; then the forward is enabled again
  - end the forward, if it is not needed any more

Until then it stays as it is.
"""


def ended(letter: Letter, change: Change) -> EmailMessage:
    """An exception has ended, and a forward that rested on it is disabled until somebody says."""
    with acting_as(SYSTEM):
        one = RouteException.objects.select_related("address").get(pk=letter.about)
        organization = Organization.objects.get().name
    words = {"source": one.address.address, "organization": organization, "target": one.target}
    return written(ENDED_SUBJECT, ENDED_TEXT.format(**words))


def told(letter: Letter, change: Change) -> EmailMessage:
    """As it stands when the letter is written."""
    with acting_as(SYSTEM):
        mailbox = Mailbox.objects.select_related("address").get(pk=letter.mailbox_id)
        standing = RouteException.objects.filter(
            address=mailbox.address_id, target=letter.about, ended_at=None, until__gt=timezone.now()
        )
        rests_on = standing.order_by("-until").first()
        allowed, forbidden = patterns_at(mailbox.client_id)
        organization = Organization.objects.get().name
    rests = BY_RULE if matches(allowed, letter.about) and not matches(forbidden, letter.about) else BY_NOTHING
    if rests_on:
        rests = BY.format(until=f"{rests_on.until:%d %B %Y}", owner=rests_on.owner)
    words = {"mailbox": mailbox.label, "organization": organization, "target": letter.about or UNKNOWN}
    return written(SUBJECT, TEXT.format(**words, rests=rests))
