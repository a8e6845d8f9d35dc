"""Every week the newest checkpoint goes to each client's security contact: kept there, it cannot be rewritten here.

Once a week and client however many workers look: the change's key is the client and the week.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial

from django.conf import settings
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.changes.errors import Problems
from postroom.changes.kinds.clients import CHECKPOINT, MailCheckpoint
from postroom.changes.pipeline import submit
from postroom.models import Change, Checkpoint, Client, Letter, Organization, Place
from postroom.models.base import made_at
from postroom.posture.checks.no_contact import SETTLED
from postroom.posture.signed import Signed, signed

TEXT = """Hello,

{organization} keeps a record of everything done to the mail of {client}. Nobody can change what was
recorded without this checkpoint saying so. Keep this letter, best outside of your mail.

{note}
It covers {size} entries, {mine} of them of {client}. The signer's key, which should be the same every week:

{key}

To compare it: paste the text above, from the log's name to the line of the signature, on the page
Audit log at {origin}. Whoever runs the machine can check everything with the attached file:

    postroom audit verify --from checkpoint.note
"""


def weekly(now: datetime | None = None) -> Iterator[Callable[[], object]]:
    """A piece of work for each client that was not written to this week. Nothing while nothing is signed."""
    at = now or timezone.now()
    year, week, _ = at.isocalendar()
    monday = datetime.fromisocalendar(year, week, 1).replace(tzinfo=UTC)
    with acting_as(SYSTEM):
        if not Checkpoint.objects.exists():
            return
        told = Letter.objects.filter(says=CHECKPOINT, made__gte=monday).values("client_id")
        rows = Client.objects.filter(removed_at=None).exclude(security_contact="").exclude(pk__in=told)
        left = [row.pk for row in rows.order_by("id") if made_at(row.pk) < at - SETTLED]
    yield from (partial(told_once, str(pk), f"checkpoint {pk} {year}-{week:02}") for pk in left)


def told_once(client: str, key: str) -> Change | None:
    try:
        return submit(MailCheckpoint(client=client), actor=SYSTEM, why="every week, to compare later", key=key)
    except Problems:
        return None  # removed, or without a contact, meanwhile


def newest(about: Letter) -> EmailMessage | Outcome:
    """The newest one as it is sent; none while nothing can be vouched for, and that is said."""
    with acting_as(SYSTEM):
        now = signed()
        if not now.known or not now.note:
            why = now.alarm or now.wrong or "nothing is signed yet, or the signer's key cannot be read"
            return Outcome(why=f"no checkpoint to send: {why}", again_in=timedelta(minutes=10))
        return letter(about, now)


def letter(about: Letter, now: Signed) -> EmailMessage:
    """What the contact gets. Nothing that somebody typed stands in a header."""
    client = Client.objects.get(pk=about.client_id)
    last = Place.objects.filter(client=client, log_index__lt=now.size).order_by("-client_index").first()
    found = EmailMessage()
    found["Subject"] = "This week's checkpoint of your record"
    found.set_content(TEXT.format(
        organization=Organization.objects.get().name, client=client.name, note=now.note, size=f"{now.size:,}",
        mine=f"{last.client_index + 1 if last else 0:,}", key=now.key, origin=settings.POSTROOM.origin,
    ))  # fmt: skip
    found.add_attachment(now.note.encode(), maintype="application", subtype="octet-stream", filename="checkpoint.note")
    return found
