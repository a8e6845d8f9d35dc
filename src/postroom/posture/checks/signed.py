"""Nothing is signed any more, or not as it shall be: what comes now, nobody can prove later.

NIST SP 800-53 r5, AU-5 (somebody is told when logging fails) and AU-9 (3) (the log is protected by signatures). The
signer's own word (models/record.py, Alarm) is that the log is not the one it signed. A newest checkpoint that the key
we know did not make counts for nothing, whatever it says. Without that key only what waits is known.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Entry, Organization, Place
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen
from postroom.posture.signed import Signed, signed

NAME, LONGEST = "record.signed", timedelta(seconds=60)  # a signer that is well signs within two
LATE = 1_000  # places; who was committed late has a number among theirs
UNREAD = "the signer's key cannot be read here"


def evaluate(organization: UUID, name: str, log: Signed, waiting: datetime | None) -> Iterator[Found]:
    """waiting: of when the oldest entry is that should have been signed by now."""

    def found(severity: str, cause: str, title: str, **evidence: object) -> Found:
        said = {"signed": log.size, **evidence}
        return Found(severity, "organizations", organization, name, title, cause, evidence=said)

    if log.alarm:
        since = log.alarmed.isoformat(timespec="seconds") if log.alarmed else ""
        yield found("critical", "alarm", f"The signer signs nothing any more: {log.alarm}", since=since)
    if log.wrong:
        yield found("critical", "checkpoint", f"The newest checkpoint counts for nothing: {log.wrong}")
    if waiting:
        at = waiting.isoformat(timespec="seconds")
        yield found("high", "waiting", "What was recorded is not signed, since more than a minute", oldest=at)


def unsigned(size: int, before: datetime) -> datetime | None:
    """Of when the oldest entry is that has no place yet, or one that was not signed. Acting as the system.

    Without a place is looked for beside what was placed last: to look through a long record is for `audit verify`.
    """
    placed = Place.objects.filter(log_index__gte=size, entry__at__lt=before).order_by("log_index")
    newest = Place.objects.order_by("-log_index").values("entry_id")[:LATE]
    floor = newest.aggregate(least=Min("entry_id"))["least"] or 0
    without = Entry.objects.filter(place=None, at__lt=before, id__gt=floor).order_by("id")
    ends = (placed.values_list("entry__at", flat=True).first(), without.values_list("at", flat=True).first())
    return min((at for at in ends if at), default=None)


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        organization = Organization.objects.first()
        if organization is None:
            return Seen(())
        log = signed()
        waiting = unsigned(0 if log.wrong else log.size, now - LONGEST)
    found = tuple(evaluate(organization.pk, organization.name, log, waiting))
    return Seen(found, unread=frozenset() if log.key else frozenset({organization.pk}), why="" if log.key else UNREAD)


SIGNED = Check(NAME, "Is everything that is recorded signed?", "NIST SP 800-53 r5, AU-9 (3)", 60, _look)
