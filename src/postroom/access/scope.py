"""Rows are reached through the person asking: not yours and not there answer the same."""

from typing import TypeVar

from django.db.models import Q, QuerySet

from postroom.models import Client, StateModel

from .acting import Access, Actor, access_of

M = TypeVar("M", bound=StateModel)


def visible(actor: Actor, model: type[M], permission: str | None = None) -> "QuerySet[M]":
    """The rows of `model` this actor may see. The filter is exact; row security is the wall behind it."""
    access = access_of(actor)
    rows: QuerySet[M] = model.objects.all()
    if access.everything or actor.sort == "link":
        return rows  # row security has narrowed a link to its own client
    if not _everywhere(access, model, permission):
        return rows.filter(_mine(access, model, permission))
    column = _client_column(model)
    if access.closed and column and model is not Client:  # that a client has closed itself may be seen
        rows = rows.exclude(**{f"{column}__in": access.closed})
    return rows


def _everywhere(access: Access, model: type[StateModel], permission: str | None) -> bool:
    wanted = permission or f"{model._meta.db_table}.view"
    return any(h.client is None and h.allows(wanted) for h in access.held)


def _client_column(model: type[StateModel]) -> str:
    columns = {field.attname for field in model._meta.concrete_fields}
    return "id" if model is Client else "client_id" if "client_id" in columns else ""


def _mine(access: Access, model: type[StateModel], permission: str | None) -> Q:
    held = [h for h in access.held if h.allows(permission or f"{model._meta.db_table}.view")]
    columns = {field.attname for field in model._meta.concrete_fields}
    mine = Q(pk__in=[])
    if client := _client_column(model):
        mine |= Q(**{f"{client}__in": [h.client for h in held if h.client and not h.domain]})
        if model.everybody:
            mine |= Q(**{f"{client}__isnull": True})
    elif model.everybody:
        return Q()
    if model.mine and access.actor.sort == "person":  # a token reaches what it names, and its person's own not besides
        mine |= Q(**{model.mine: access.actor.person})
    if domain := "domain_id" if "domain_id" in columns else "id" if model._meta.db_table == "domains" else None:
        mine |= Q(**{f"{domain}__in": [h.domain for h in held if h.domain]})
    elif "address_id" in columns and (domains := [h.domain for h in held if h.domain]):
        mine |= Q(address__domain_id__in=domains)
    return mine
