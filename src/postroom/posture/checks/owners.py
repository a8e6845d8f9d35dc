"""At least two owners of the organization who can sign in and stay, at most four who hold the role.

One alone who loses their second factor locks everybody out; each further one is a way in to everything. NIST SP 800-53
r5, AC-6 (5) (privileged accounts are restricted to named people). Microsoft Entra asks for fewer than five global
administrators, Google Workspace for more than one super administrator.

Towards the fewest counts nobody whose invite was never used, who has no second factor (without one no page answers an
owner, web/door.py), or whose role ends within a week: they are no help on the day the other one is locked out. Towards
the most counts whoever holds the role: an unused invite is a way in too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from postroom.models import Grant, Login, Organization, Person, Subject
from postroom.posture.checks.expiring import SOON
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

FEWEST, MOST = 2, 4
FACTORS = ("totp", "webauthn")  # recovery codes alone are none: whoever has used them up is out
NO_LOGIN, NO_FACTOR = "never made a sign-in", "has no second factor"
ENDS = f"the role ends within {SOON.days} days"


def evaluate(organization: UUID, name: str, owners: Mapping[str, str]) -> Iterator[Found]:
    """owners: the mail addresses of those who hold the role, each with why they do not count towards the fewest."""
    counted = [one for one, why in owners.items() if not why]
    if len(counted) < FEWEST:
        title = f"{name} has {_count(counted, owners)}; two are the fewest"
        yield _found(organization, name, owners, "high", "too few", title)
    if len(owners) > MOST:
        title = f"{name} has {len(owners)} owners; four are the most"
        yield _found(organization, name, owners, "medium", "too many", title)


def _count(counted: Sequence[str], owners: Mapping[str, str]) -> str:
    said = "one owner alone" if counted else "no owner"
    return said if len(counted) == len(owners) else f"{said} who can sign in and stays"


def _found(organization: UUID, name: str, owners: Mapping[str, str], severity: str, cause: str, title: str) -> Found:
    params = {"role": "owner"} if cause == "too few" else {}
    evidence = {
        "owners": sorted(one for one, why in owners.items() if not why),
        "not counted": sorted(f"{one}: {why}" for one, why in owners.items() if why),
    }
    return Found(
        severity, "organizations", organization, name, title, cause, evidence=evidence,
        kind="grants.give" if params else "", params=params,
    )  # fmt: skip


def active_owners(now: datetime) -> list[str]:
    """The mail addresses of the organization's owners who are not suspended, each once. Acting as the system."""
    return list(_holding(now).values_list("email", flat=True))


def _holding(now: datetime) -> "QuerySet[Person]":
    found: QuerySet[Person] = Person.objects.filter(Exists(_roles(now)), suspended_at=None, removed_at=None)
    return found.order_by("email")


def _roles(after: datetime) -> "QuerySet[Grant]":
    """Of one person: owner of the organization, also after that time."""
    lasting = Q(until=None) | Q(until__gt=after)
    found: QuerySet[Grant] = Grant.objects.filter(
        lasting, person=OuterRef("pk"), role="owner", client=None, ended_at=None
    )
    return found


def owners_now(now: datetime) -> dict[str, str]:
    """Who holds the role, each with why they do not count; empty for who does. Acting as the system. One query."""
    login = Login.objects.filter(person=OuterRef("pk"), is_active=True)
    provider = Subject.objects.filter(login__person=OuterRef("pk"), issuer=settings.POSTROOM.oidc_issuer)
    people = _holding(now).annotate(
        login_made=Exists(login), factor=Exists(login.filter(authenticator__type__in=FACTORS)),
        provider=Exists(provider), stays=Exists(_roles(now + SOON)),
    )  # fmt: skip
    return {one.email: _why_not(one) for one in people}


def _why_not(one: Person) -> str:
    env, made = settings.POSTROOM, vars(one)  # what the query adds to a row
    if not (made["login_made"] or env.demo):  # there, a printed link stands for both factors
        return NO_LOGIN
    if not (made["factor"] or env.demo or (made["provider"] and env.oidc_second_factors)):
        return NO_FACTOR
    return "" if made["stays"] else ENDS


def _read(now: datetime) -> Iterator[Found]:
    organization = Organization.objects.first()
    if organization is not None:
        yield from evaluate(organization.pk, organization.name, owners_now(now))


OWNERS = Check(
    "access.owners", "Are there two owners, and not five?", "NIST SP 800-53 r5, AC-6 (5)", 60, reading(_read)
)
