"""People as their pages show them: the roles they hold, how they sign in, the mailboxes they own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Grant, Invite, Login, Mailbox, Role

SOMEBODY = "somebody of the organization"


@dataclass(frozen=True)
class SignIn:
    """How somebody signs in to the pages. None of it: they never opened their link."""

    made: bool = False
    last: datetime | None = None
    factors: tuple[tuple[str, datetime], ...] = ()
    password: bool = False


def grants(actor: Actor, people: Iterable[UUID], *, ended: bool = False) -> dict[UUID, list[Grant]]:
    """The roles that stand, by person: one query. `ended`: those that have ended too."""
    now = timezone.now()
    rows = visible(actor, Grant).filter(person__in=list(people)).select_related("client", "domain", "given_by")
    if not ended:
        rows = rows.filter(Q(until=None) | Q(until__gt=now), ended_at=None)
    found: dict[UUID, list[Grant]] = {}
    for one in rows.order_by("id"):
        found.setdefault(one.person_id, []).append(one)
    return found


def giver(one: Grant) -> str:
    """Who gave a role, as far as that is seen; nobody did where the organization was founded with it."""
    if one.given_by_id is None:
        return "the founding"
    return one.given_by.name if one.given_by else SOMEBODY


def sign_ins(people: Iterable[UUID]) -> dict[UUID, SignIn]:
    """Two queries. Sign-in rows are the sign-in library's; who may see the person may see this much of them."""
    logins = list(Login.objects.filter(person__in=list(people)))
    factors: dict[int, list[tuple[str, datetime]]] = {}
    for one in Authenticator.objects.filter(user__in=logins).order_by("created_at"):
        factors.setdefault(one.user_id, []).append((one.type, one.created_at))
    return {
        login.person_id: SignIn(True, login.last_login, tuple(factors.get(login.pk, ())), login.has_usable_password())
        for login in logins
        if login.person_id
    }


def mailboxes(actor: Actor, person: UUID) -> list[Mailbox]:
    rows = visible(actor, Mailbox).filter(owner=person).select_related("address", "client")
    return list(rows.order_by("address__address")[:100])


def invite(actor: Actor, person: UUID) -> Invite | None:
    """The mailed invite of a person that is still open."""
    rows = visible(actor, Invite).filter(person=person, by_mail=True, used_at=None, ended_at=None)
    return rows.order_by("-made", "-id").first()


def elevated(grant: Grant) -> bool:
    """Whether somebody asked for it themselves, for some hours."""
    return grant.given_by_id == grant.person_id and grant.until is not None


def own_roles(actor: Actor, names: Iterable[str]) -> dict[str, Role]:
    """Those of these roles that are the organization's own: one query."""
    return {one.name: one for one in visible(actor, Role).filter(name__in=list(names))}
