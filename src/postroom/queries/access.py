"""Who may do what: the roles and tokens that count at a client or anywhere, each with when it was last used.

A client sees its own people with all that is known of them; of the organization's people, by name, the role, since when
and until when (postroom_may_act), and what they did here, which is in its record anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from postroom.access.acting import Actor, MayAct, current, may_act
from postroom.access.roles import SEALED
from postroom.access.scope import visible
from postroom.models import ApiToken, Change, Client, Grant, Login
from postroom.models.base import made_at

from .objects import row_of
from .page import Page, page
from .people import giver
from .tokens import uses

SIZE = 25
TOKENS = 100
ACTIVE = Q(person__suspended_at=None, person__removed_at=None)


@dataclass(frozen=True)
class Right:
    """One way somebody may act. person, email: empty where this actor does not see them but by name. where: `client`,
    `domain` or `organization`. by, reason: None where they are not for this actor to know.
    """

    sort: str
    id: UUID
    name: str
    email: str
    role: str
    where: str
    client_id: UUID | None
    client: str
    domain: str
    since: datetime
    until: datetime | None
    by: str | None
    reason: str | None
    changed: datetime | None = None
    signed_in: datetime | None = None
    token_used: datetime | None = None

    @property
    def sealed(self) -> bool:
        return self.sort == "role" and self.role == SEALED

    @property
    def last(self) -> datetime | None:
        return max((at for at in (self.changed, self.signed_in, self.token_used) if at), default=None)


def chosen(actor: Actor, ref: str) -> Client | None:
    """The client that is named; where none is, the only one there is for this actor."""
    if ref:
        found: Client = row_of(actor, "clients", ref)
        return found
    if whole(None):
        return None
    mine = list(visible(actor, Client).filter(removed_at=None)[:2])
    return mine[0] if len(mine) == 1 else None


def whole(client: UUID | None) -> bool:
    """Whether this actor sees the grants of the organization itself."""
    return current().can("grants.view", None) and client not in current().closed


def grants(actor: Actor, client: Client | None, *, search: str = "", after: str = "", limit: int = SIZE) -> Page[Right]:
    """The roles that stand: of a client, its own and the organization's. Newest first; six queries."""
    found = page(_standing(actor, client, search), key="id", after=after or None, limit=limit, newest_first=True,
                 along=("person", "client", "domain", "given_by"))  # fmt: skip
    used = _used({one.person_id for one in found.items}, client)
    return Page([_grant(one, used) for one in found.items if one.person], found.next)


def _standing(actor: Actor, client: Client | None, search: str) -> "QuerySet[Grant]":
    rows = visible(actor, Grant).filter(Q(until=None) | Q(until__gt=timezone.now()), ACTIVE, ended_at=None)
    if client:
        rows = rows.filter(Q(client=client) | Q(client=None))
        if client.closed_at:
            rows = rows.filter(Q(person__client=client) | Q(role=SEALED))
    if search:
        rows = rows.filter(
            Q(role__contains=search.lower()) | Q(person__name__icontains=search) | Q(person__email__contains=search)
        )
    return rows


def tokens(actor: Actor, client: Client | None) -> list[Right]:
    """The first hundred tokens that still work, here if a client is named. Four queries."""
    rows = visible(actor, ApiToken).filter(ACTIVE, ended_at=None, until__gt=timezone.now())
    if client:
        rows = rows.filter(Q(clients=[]) | Q(clients__contains=[client.pk]))
        rows = rows.filter(person__in=_standing(actor, client, "").values("person"))
    found = list(rows.select_related("person", "client").order_by("-id")[:TOKENS])
    last = uses([one.pk for one in found])
    return [_token(one, last.get(one.pk)) for one in found if one.person]


def others(actor: Actor, client: Client | None, known: Iterable[UUID]) -> list[Right]:
    """Who else may act at this client, whom this actor sees by name alone. Three queries, or none."""
    if client is None or whole(client.pk):
        return []
    listed = set(known)
    rows = [one for one in may_act(client.pk) if one.id not in listed]
    seen = set(visible(actor, Grant).filter(ACTIVE, pk__in=[one.id for one in rows]).values_list("pk", flat=True))
    rows = [one for one in rows if one.id not in seen]
    changed = _changed({one.person for one in rows}, client)
    return [_other(one, client, changed.get(one.person)) for one in rows]


@dataclass(frozen=True)
class Used:
    changed: Mapping[UUID, datetime]
    signed_in: Mapping[UUID, datetime]


def _used(people: set[UUID], client: Client | None) -> Used:
    logins = Login.objects.filter(person__in=people, last_login__isnull=False)
    signed_in = {one.person_id: one.last_login for one in logins if one.person_id and one.last_login}
    return Used(_changed(people, client), signed_in)


def _changed(people: set[UUID], client: Client | None) -> dict[UUID, datetime]:
    """When each of these last changed something: there, or anywhere."""
    rows = Change.objects.filter(proposer__in=people, **({"client": client} if client else {}))
    return dict(rows.values_list("proposer").annotate(at=Max("now")).order_by())


def _grant(one: Grant, used: Used) -> Right:
    return Right(
        "role", one.pk, one.person.name, one.person.email, one.role, _where(one.client_id, one.domain_id),
        one.client_id, one.client.slug if one.client else "", one.domain.name if one.domain else "",
        made_at(one.pk), one.until, "" if one.given_by_id is None else giver(one), one.reason,
        used.changed.get(one.person_id), used.signed_in.get(one.person_id),
    )  # fmt: skip


def _where(client: UUID | None, domain: UUID | None) -> str:
    return "domain" if domain else "client" if client else "organization"


def _token(one: ApiToken, use: Any) -> Right:
    return Right(
        "token", one.pk, one.person.name, one.person.email, one.name, _where(one.client_id, None),
        one.client_id, one.client.slug if one.client else "", "", made_at(one.pk), one.until, one.person.name,
        ", ".join(one.permissions), token_used=use.at if use else None,
    )  # fmt: skip


def _other(one: MayAct, client: Client, changed: datetime | None) -> Right:
    where = "domain" if one.domain else "client" if one.here else "organization"
    here, slug = (client.pk, client.slug) if one.here else (None, "")
    return Right(one.sort, one.id, one.name, "", one.role, where, here, slug, one.domain or "", made_at(one.id),
                 one.until, None, None, changed)  # fmt: skip


def shown(one: Right) -> dict[str, Any]:
    return {
        "sort": one.sort, "id": str(one.id), "name": one.name, "email": one.email, "role": one.role,
        "where": one.where, "client": one.client or None, "domain": one.domain or None, "sealed": one.sealed,
        "since": one.since.isoformat(), "until": _time(one.until), "given_by": one.by, "reason": one.reason,
        "last_changed": _time(one.changed), "last_sign_in": _time(one.signed_in), "last_used": _time(one.last),
    }  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def all_at(actor: Actor, client: Client, limit: int) -> Sequence[Right]:
    """The first of those who may act at a client, for its page."""
    found = grants(actor, client, limit=limit).items
    return [*found, *others(actor, client, [one.id for one in found])][:limit]
