"""Rows are reached through the person asking: not yours and not there answer the same."""

from collections.abc import Sequence
from functools import cache, lru_cache, reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from postroom.models import (
    Client,
    Finding,
    LastHit,
    LiveSession,
    Posture,
    ProbeLanding,
    SieveScript,
    SignIn,
    StateModel,
)

from .acting import Access, Actor, Held, access_of, current
from .roles import APPROVE

LOOKS = ("changes.view", APPROVE)
Walled = (
    StateModel | Finding | SignIn | LiveSession | SieveScript | ProbeLanding | LastHit | Posture
)  # what says of itself who sees it
M = TypeVar("M", bound=Walled)


def visible(actor: Actor, model: type[M], permission: str | None = None) -> "QuerySet[M]":
    """The rows of `model` this actor may see. The filter is exact; row security is the wall behind it."""
    access = access_of(actor)
    rows: QuerySet[Any] = model.objects.all()
    if access.everything or actor.sort == "link":
        return rows  # row security has narrowed a link to its own client
    if actor.mailbox is not None:
        return rows.filter(_own(access, model))
    if not _everywhere(access, model, permission):
        return rows.filter(_mine(access, model, permission))
    column = _client_column(model)  # type: ignore[arg-type]
    if access.closed and column and model is not Client:  # that a client has closed itself may be seen
        rows = rows.exclude(**{f"{column}__in": access.closed})
    return rows


def changes_seen(prefix: str = "") -> Q:
    """Which changes whoever acts may look at: where they hold what lets them, and their own. Row security is narrower
    still at single domains. prefix: of a row that names a change, `change__`.
    """
    access = current()
    if access.actor.mailbox is not None:
        return Q(**{f"{prefix}mailbox": access.actor.mailbox})
    actor, where = access.actor, {h.client for h in access.held if any(map(h.allows, LOOKS))}
    if not actor.somebody or None in where:
        return Q()
    own = {"token": actor.token} if actor.sort == "token" else {"proposer": actor.person}
    return Q(**{f"{prefix}client__in": where}) | Q(**{prefix + name: pk for name, pk in own.items()})


def _own(access: Access, model: type[Any]) -> Q:
    """The mailbox's own, and of what belongs to no client what everybody may see."""
    if model.own:
        ids = access.own.ids if access.own else ()
        return reduce(
            or_, (Q(**{f"{column}__in": ids}) for column in (model.own, getattr(model, "own_too", "")) if column)
        )
    return Q() if model.everybody and not _client_column(model) else Q(pk__in=[])  # type: ignore[arg-type]


def _everywhere(access: Access, model: type[Any], permission: str | None) -> bool:
    return any(h.client is None for h in _held(access, model, permission))


def _held(access: Access, model: type[Any], permission: str | None) -> list[Held]:
    """What of all they hold lets them see rows of this model; a role is asked once, wherever it is held."""
    wanted = permission or f"{model._meta.db_table}.view"
    if wanted not in access.lets:
        roles = {role for role, h in {h.role: h for h in access.held}.items() if h.allows(wanted)}
        access.lets[wanted] = [h for h in access.held if h.role in roles]
    return access.lets[wanted]


@cache
def _columns(model: type[Walled]) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields)


@cache
def _client_column(model: type[Walled]) -> str:
    return "id" if model is Client else "client_id" if "client_id" in _columns(model) else ""


def _mine(access: Access, model: type[Any], permission: str | None) -> Q:
    held = _held(access, model, permission)
    columns, client = _columns(model), _client_column(model)  # type: ignore[arg-type]
    if not client and model.everybody:
        return Q()
    mine: list[Q] = []
    if client:
        mine += _any_of(client, [h.client for h in held if h.client and not h.domain])
        mine += [Q(**{f"{client}__isnull": True})] if model.everybody else []
    if model.mine and access.actor.sort == "person":  # a token reaches what it names, and its person's own not besides
        mine.append(Q(**{model.mine: access.actor.person}))
    domains = [h.domain for h in held if h.domain]
    if domain := "domain_id" if "domain_id" in columns else "id" if model._meta.db_table == "domains" else None:
        mine += _any_of(domain, domains)
    elif "address_id" in columns and domains:
        mine.append(Q(address__domain_id__in=domains))
    elif domains and (way := getattr(model, "at_domain", "")):
        mine.append(Q(**{f"{way}__in": domains}))
    return reduce(or_, mine) if mine else Q(pk__in=[])


def _any_of(column: str, ids: Sequence[UUID]) -> list[Q]:
    return [Q(_AnyOf(F(column), Value(_array(tuple(ids)))))] if ids else []


@lru_cache(maxsize=1024)
def _array(ids: tuple[UUID, ...]) -> str:
    return f"{{{','.join(map(str, ids))}}}"


class _AnyOf(Func):
    """A column of the row's own is one of many: one value in the statement, where `in` has one each."""

    template, arg_joiner, output_field = "%(expressions)s::uuid[])", " = ANY (", BooleanField()
