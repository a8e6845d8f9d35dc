"""At least two owners of the organization, at most four.

One alone who loses their second factor locks everybody out; each further one is a way in to everything. NIST SP 800-53
r5, AC-6 (5) (privileged accounts are restricted to named people). Microsoft Entra asks for fewer than five global
administrators, Google Workspace for more than one super administrator.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from postroom.models import Organization, Person
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

FEWEST, MOST = 2, 4


def evaluate(organization: UUID, name: str, owners: Sequence[str]) -> Iterator[Found]:
    """owners: the mail addresses of those who may sign in."""
    if len(owners) < FEWEST:
        yield _found(organization, name, owners, "high", "too few", f"{name} has {_count(owners)}; two are the fewest")
    if len(owners) > MOST:
        yield _found(
            organization, name, owners, "medium", "too many", f"{name} has {_count(owners)}; four are the most"
        )


def _count(owners: Sequence[str]) -> str:
    return "no owner" if not owners else "one owner alone" if len(owners) == 1 else f"{len(owners)} owners"


def _found(organization: UUID, name: str, owners: Sequence[str], severity: str, cause: str, title: str) -> Found:
    params = {"role": "owner"} if len(owners) < FEWEST else {}
    evidence = {"owners": sorted(owners)}
    return Found(
        severity, "organizations", organization, name, title, cause, evidence=evidence,
        kind="grants.give" if params else "", params=params,
    )  # fmt: skip


def active_owners(now: datetime) -> list[str]:
    """The mail addresses of the organization's owners who may sign in now, each once. Acting as the system."""
    lasting = Q(grant__until=None) | Q(grant__until__gt=now)
    held = Q(lasting, grant__role="owner", grant__client=None, grant__ended_at=None)
    people = Person.objects.filter(held, suspended_at=None, removed_at=None)
    return list(people.order_by("email").values_list("email", flat=True).distinct())


def _read(now: datetime) -> Iterator[Found]:
    organization = Organization.objects.first()
    if organization is not None:
        yield from evaluate(organization.pk, organization.name, active_owners(now))


OWNERS = Check(
    "access.owners", "Are there two owners, and not five?", "NIST SP 800-53 r5, AC-6 (5)", 60, reading(_read)
)
