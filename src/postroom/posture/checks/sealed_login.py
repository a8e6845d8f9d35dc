"""A sealed login that was used is open to whoever read its envelope: until it is printed anew. One that was never
printed lets nobody in on the day it is needed.

NIST SP 800-53 r5, AC-2 (2) and (11): emergency accounts are watched, and disabled or changed after use. The use itself
is an alarm where it happens (`used`); the check closes it when the secrets were drawn again since.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from postroom.access.roles import SEALED
from postroom.models import Finding, Grant, Organization, Person, RecordedEdit
from postroom.posture.findings import Found, raised
from postroom.posture.run import Check, reading

NAME = "access.sealed_login"
PRINTED = "sealed login printed"
HOW_MANY = 2


def used(person: UUID, what: str, source: str, entry: int) -> None:
    """Whatever a sealed login does, or has done to it: an alarm each time. Inside a transaction of the system."""
    if Grant.objects.filter(person=person, role=SEALED, ended_at=None).exists():
        who = Person.objects.get(pk=person)
        raised(NAME, _found(who.pk, who.email, f"{who.name} was used: {what}", entry, source))


def _found(person: UUID | None, email: str, title: str, entry: int, source: str) -> Found:
    evidence = {"entry": entry, "source": source}
    return Found("critical", "people", person, email, title, cause=str(entry), evidence=evidence)


def printed() -> int:
    """How many sealed logins have their secrets. Acting as the system."""
    held = Grant.objects.filter(role=SEALED, ended_at=None, person__login__authenticator__isnull=False)
    return int(held.values("person").distinct().count())


def unprinted(organization: UUID, name: str, there: int) -> Iterator[Found]:
    if there < HOW_MANY:
        title = f"{'One' if there else 'None'} of the {HOW_MANY} sealed logins was printed: postroom break-glass"
        yield Found("medium", "organizations", organization, name, title, "not printed", evidence={"printed": there})


def _read(now: datetime) -> Iterator[Found]:
    organization = Organization.objects.first()
    if organization is not None:
        yield from unprinted(organization.pk, organization.name, printed())
    yield from _still_used()


def _still_used() -> Iterator[Found]:
    """A factor that was added since says nothing: whoever uses the login can add one."""
    entries = RecordedEdit.objects.filter(n=0, said=PRINTED).values("person").annotate(at=Max("entry__at"))
    printed = dict(entries.values_list("person", "at"))
    for row in Finding.objects.filter(check_name=NAME, noun="people", closed_at=None):
        at = printed.get(str(row.object))
        if at is None or at <= row.since:
            yield _found(row.object, row.label, row.title, row.evidence["entry"], row.evidence["source"])


SEALED_LOGINS = Check(
    NAME, "Are both sealed logins as they were printed?", "NIST SP 800-53 r5, AC-2 (11)", 60, reading(_read)
)
