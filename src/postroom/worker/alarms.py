"""A critical finding is mailed to every owner of the organization, once, until our submission has taken each letter.

What it answered to whom is kept with the finding, letter by letter, so that a worker that dies repeats one at most.
What was accepted is not told; where nobody owns the organization, its postmaster is.
"""

import time
from collections.abc import Callable, Collection, Iterator
from email.message import EmailMessage
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome
from postroom.models import Finding, Organization
from postroom.posture.checks.owners import active_owners
from postroom.queries.findings import decided

from . import mail

AT_ONCE = 20
SHUT = "shown to the client's own people alone: it has closed itself"  # owners are of the organization
FIRST, LONGEST = 5.0, 600.0
SUBJECT = "A critical finding"  # nothing that was read, or that somebody typed, stands in a header
NO_SUBMISSION = "no submission server is set up for our own mail"
TEXT = """Hello,

something critical was found at {organization}:

  {title}

  About:  {label}
  Client: {client}
  Since:  {since}{closed}

What was seen, and what can be done:

{link}

Every owner of the organization gets this letter once.
"""


class Alarms:
    """Which alarms are told next, and when again if a letter was not taken; kept in memory, since it may be lost."""

    def __init__(self) -> None:
        self.next: dict[UUID, tuple[float, float]] = {}

    def due(self) -> Iterator[Callable[[], None]]:
        now = time.monotonic()
        for finding in untold({one for one, (at, _) in self.next.items() if at > now}):
            yield partial(self._tell, finding)

    def _tell(self, finding: UUID) -> None:
        """Each owner who is left, by themselves: an address that is refused puts off nobody else."""
        wait = self.next.get(finding, (0.0, FIRST))[1]
        self.next[finding] = (time.monotonic() + wait, min(wait * 2, LONGEST))
        for to in left(finding):
            tell(finding, to)
        if not left(finding):
            del self.next[finding]


def untold(waiting: Collection[UUID] = ()) -> list[UUID]:
    """Those whose turn it is: not the `waiting`, which would take the places of others for as long as one address is
    refused. First what nobody was told of yet, the newest first."""
    with acting_as(SYSTEM):
        rows = Finding.objects.filter(severity="critical", told=None).exclude(decided(SYSTEM, "accepted"))
        rows = rows.exclude(pk__in=waiting).annotate(tried=~Q(told_to={}))
        return list(rows.order_by("tried", "-id").values_list("pk", flat=True)[:AT_ONCE])


def left(finding: UUID) -> list[str]:
    """To whom it is still to be told."""
    with acting_as(SYSTEM):
        row = Finding.objects.filter(pk=finding, told=None).first()
        return [to for to in _whom() if not _taken(row, to)] if row else []


def tell(finding_id: UUID, to: str) -> None:
    """Hand in one letter under the finding's lock, and keep what became of it; told is when all of them are taken."""
    with acting_as(SYSTEM):
        rows = Finding.objects.select_for_update(skip_locked=True, of=("self",)).select_related("client")
        finding = rows.filter(pk=finding_id, told=None).first()
        if finding is None or _taken(finding, to):
            return
        finding.told_to = {**finding.told_to, to: _said(_handed_in(to, finding))}
        if all(_taken(finding, one) for one in _whom()):
            finding.told = timezone.now()
        finding.save(update_fields=["told_to", "told"])


def _taken(finding: Finding, to: str) -> bool:
    return "answer" in finding.told_to.get(to, {})


def _whom() -> list[str]:
    owners = active_owners(timezone.now())
    return owners or list(filter(None, Organization.objects.values_list("postmaster", flat=True)))


def _handed_in(to: str, finding: Finding) -> Outcome:
    if settings.POSTROOM.submission is None:
        return Outcome(why=NO_SUBMISSION)
    return mail.post(to, letter(finding), object=finding.pk, client=finding.client_id)


def _said(outcome: Outcome) -> dict[str, str]:
    if outcome.why:
        return {"why": outcome.why[:500], "at": timezone.now().isoformat(timespec="seconds")}
    found = outcome.evidence[0]
    return {"answer": str(found["answer"]), "server": str(found["server"]), "at": str(found["at"])}


def letter(finding: Finding) -> EmailMessage:
    organization = Organization.objects.first()
    closed = f"\n  Gone:   {finding.closed_at:%d %B %Y, %H:%M} UTC" if finding.closed_at else ""
    made = EmailMessage()
    made["Subject"] = SUBJECT
    shut = finding.client is not None and finding.client.closed_at is not None
    made.set_content(TEXT.format(
        organization=_line(organization.name if organization else "Postroom"),
        title=SHUT if shut else _line(finding.title), label=SHUT if shut else _line(finding.label),
        client=_line(finding.client.name) if finding.client else "the organization itself",
        since=f"{finding.since:%d %B %Y, %H:%M} UTC", closed=closed,
        link=f"{settings.POSTROOM.origin.rstrip('/')}/findings/{finding.pk}/",
    ))  # fmt: skip
    return made


def _line(text: str) -> str:
    """One line, whatever was in it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]
