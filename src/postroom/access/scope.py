"""Rows are reached through the person asking: not yours and not there answer the same."""

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from postroom.models import Client, Finding, StateModel

from .acting import Access, Actor, access_of
from .roles import allows

Walled = StateModel | Finding  # what says of itself who sees it
M = TypeVar("M", bound=Walled)


def visible(actor: Actor, model: type[M], permission: str | None = None) -> "QuerySet[M]":
    """The rows of `model` this actor may see. The filter is exact; row security is the wall behind it."""
    access = access_of(actor)
    rows: QuerySet[Any] = model.objects.all()
    if access.everything or actor.sort == "link" or _everywhere(access, model, permission):
        return rows  # row security has narrowed a link to its own client
    return rows.filter(_mine(access, model, permission))


def _everywhere(access: Access, model: type[Any], permission: str | None) -> bool:
    return any(h.client is None and allows([h.role], permission or f"{model._meta.db_table}.view") for h in access.held)


def _mine(access: Access, model: type[Any], permission: str | None) -> Q:
    held = [h for h in access.held if allows([h.role], permission or f"{model._meta.db_table}.view")]
    columns = {field.attname for field in model._meta.concrete_fields}
    mine = Q(pk__in=[])
    if client := "id" if model is Client else "client_id" if "client_id" in columns else None:
        mine |= Q(**{f"{client}__in": [h.client for h in held if h.client and not h.domain]})
        if model.everybody:
            mine |= Q(**{f"{client}__isnull": True})
    elif model.everybody:
        return Q()
    if model.mine:
        mine |= Q(**{model.mine: access.actor.person})
    if domain := "domain_id" if "domain_id" in columns else "id" if model._meta.db_table == "domains" else None:
        mine |= Q(**{f"{domain}__in": [h.domain for h in held if h.domain]})
    elif "address_id" in columns and (domains := [h.domain for h in held if h.domain]):
        mine |= Q(address__domain_id__in=domains)
    return mine
