"""Every right that counts at a client: its own roles, the organization's, sealed logins, API tokens, how each was used;
and who opens another's mailbox there, or writes in its name.

Read as a whole, by whoever sees all of it (the system, or who holds a role at the organization). What comes of it is in
the client's record, so nothing stands in it that the client may not know of the organization's own people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q

from postroom.access.roles import SEALED
from postroom.models import ApiToken, Change, Client, Delegation, Grant, Login, Role, TokenUse
from postroom.models.base import made_at, plain

from .state import State, seconds


@dataclass(frozen=True)
class Right:
    """One line of an access review: which row, whose, what it is called, how it stands now."""

    noun: str
    id: UUID
    person: UUID | None
    name: str
    stood: Mapping[str, Any]


def rights(client: Client, state: State) -> Iterator[Right]:
    """People with a role by name, then tokens, then delegations that count. Seven queries. Who is suspended is
    among them: they may come back."""
    lasting = Q(until=None) | Q(until__gt=state.now)
    here = Q(client=client) | Q(client=None)
    rows = state.rows(Grant, ended_at=None, person__removed_at=None).filter(here, lasting)
    grants = list(rows.select_related("person", "domain", "given_by").order_by("person__name", "id"))
    people = {one.person_id for one in grants}
    reach = Q(clients=[]) | Q(clients__contains=[client.pk])
    tokens = list(
        state.rows(ApiToken, ended_at=None, until__gt=state.now, person__in=people).filter(reach)
        .select_related("person").order_by("name", "id")
    )  # fmt: skip
    used = _used(client, people, tokens)
    own = {one.name: sorted(one.permissions) for one in state.rows(Role, ended_at=None)}
    yield from (_role(one, client, used, own.get(one.role)) for one in grants)
    yield from (_token(one, client, used) for one in tokens)
    live = state.rows(Delegation, client=client, started_at__isnull=False, ended_at=None).filter(lasting)
    boxes = ("mailbox__address", "to_mailbox__address", "requester")
    yield from map(_delegation, live.select_related(*boxes).order_by("mailbox__address__address", "id"))


@dataclass(frozen=True)
class _Used:
    changed: Mapping[UUID, datetime]
    signed_in: Mapping[UUID, datetime]
    tokens: Mapping[UUID, datetime]


def _used(client: Client, people: set[UUID], tokens: Sequence[ApiToken]) -> _Used:
    acted = Change.objects.filter(client=client, proposer__in=people).values_list("proposer")
    logins = Login.objects.filter(person__in=people, last_login__isnull=False).values_list("person_id", "last_login")
    uses = TokenUse.objects.filter(pk__in=[one.pk for one in tokens]).values_list("pk", "at")
    signed_in = {person: at for person, at in logins if at}
    return _Used(dict(acted.annotate(at=Max("now")).order_by()), signed_in, dict(uses))


def _role(one: Grant, client: Client, used: _Used, own: list[str] | None) -> Right:
    stood: dict[str, Any] = {
        "role": one.role, "where": "domain" if one.domain else "client" if one.client_id else "organization",
        "domain": one.domain.name if one.domain else None, "sealed": one.role == SEALED,
        "since": _time(made_at(one.pk)), "until": _time(one.until), "changed": _time(used.changed.get(one.person_id)),
        "suspended": _time(one.person.suspended_at),
    }  # fmt: skip
    if own is not None:
        stood["permissions"] = own
    if one.client_id:
        stood |= {"given_by": one.given_by.name if one.given_by else None, "reason": one.reason}
    if one.person.client_id == client.pk:
        stood |= {"email": one.person.email, "signed_in": _time(used.signed_in.get(one.person_id))}
    return Right("grants", one.pk, one.person_id, f"{one.role} of {one.person.name}", stood)


def _token(one: ApiToken, client: Client, used: _Used) -> Right:
    stood: dict[str, Any] = {
        "role": one.name, "where": "client" if one.client_id else "organization", "domain": None, "sealed": False,
        "since": _time(made_at(one.pk)), "until": _time(one.until), "suspended": _time(one.person.suspended_at),
    }  # fmt: skip
    if one.client_id == client.pk:
        stood |= {"permissions": sorted(one.permissions), "token_used": _time(used.tokens.get(one.pk))}
    return Right("api_tokens", one.pk, one.person_id, f"token {one.name} of {one.person.name}", stood)


def _delegation(one: Delegation) -> Right:
    """given_by: who asked for it; it is the right of who owns the mailbox that gets it, where a person does."""
    box, to = one.mailbox.label, one.to_mailbox.label
    stood: dict[str, Any] = {
        "where": "client", "domain": None, "sealed": False, "mailbox": box, "to": to, "rights": sorted(one.rights),
        "since": _time(one.started_at), "until": _time(one.until), "reason": one.reason,
        "given_by": _asked_by(one, to),
    }  # fmt: skip
    return Right(
        "delegations", one.pk, one.to_mailbox.owner_id, f"{', '.join(stood['rights'])} at {box} by {to}", stood
    )


def _asked_by(one: Delegation, to: str) -> str:
    """Who is not seen is somebody, and never the owner."""
    if one.requester_id is None:
        return f"the owner of {to}"
    return one.requester.name if one.requester else "somebody of the organization"


def _time(moment: datetime | None) -> Any:
    return plain(seconds(moment)) if moment else None
