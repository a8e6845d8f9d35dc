"""The routes that a plan brings back with the client or the domain that they stand at: no edit is of theirs."""

from collections.abc import Iterator, Mapping
from typing import Any

from postroom.models import Alias, CatchAll, Client, Domain, Forward, RouteException, StateModel, Transport
from postroom.models.routes import Inside, inside

from .edit import Edit
from .policy import Move, Proposed

# Which rows of each stand, apart from their time.
STAND: Mapping[type[StateModel], dict[str, None]] = {
    Alias: {"removed_at": None},
    Forward: {"removed_at": None, "disabled_at": None},
    CatchAll: {"removed_at": None},
    RouteException: {"ended_at": None},
    Transport: {"ended_at": None},
}


def brought(proposed: Proposed, *models: type[StateModel]) -> list[Move]:
    """Of these models, the routes that come back, each as if it were made by this plan."""
    if "brought" not in proposed.asked:
        domains = returning(proposed)
        proposed.asked["brought"] = list(_at(proposed, domains)) if domains else []
    found: list[Move] = proposed.asked["brought"]  # type: ignore[assignment]
    tables = {model._meta.db_table for model in models}
    return [one for one in found if one.edit.table in tables]


def returning(proposed: Proposed) -> dict[str, str]:
    """The domains, name by id, that come back; those that are back with their client too."""
    if "returning" not in proposed.asked:
        found = {m.edit.id: str((m.then or {})["name"]) for m in proposed.moves(Domain) if comes_back(m)}
        if clients := [m.edit.id for m in proposed.moves(Client) if comes_back(m)]:
            there = Domain.objects.filter(client__in=clients, removed_at=None).values_list("pk", "name")
            found |= {str(pk): name for pk, name in there}
        proposed.asked["returning"] = found
    return proposed.asked["returning"]  # type: ignore[return-value]


def comes_back(move: Move) -> bool:
    """Of a client or a domain: it was removed, and is no more."""
    return bool(move.now and move.now["removed_at"] and move.then and not move.then["removed_at"])


def inside_then(proposed: Proposed) -> Inside:
    """What mail of its client stays inside by, with the domains that come back."""
    back = returning(proposed)
    proven = Domain.objects.filter(pk__in=list(back), proof="read").values_list("name", flat=True) if back else ()
    return inside(proposed.plan.client).beside(*proven)


def _at(proposed: Proposed, domains: Mapping[str, str]) -> Iterator[Move]:
    for model, standing in STAND.items():
        touched = {e.id for e in proposed.plan.on(model)}
        at = "domain" if model is CatchAll else "address__domain"
        where: dict[str, Any] = {f"{at}__in": list(domains), **standing}
        if model is not Alias:
            where["until__gt"] = proposed.state.now
        for row in model.objects.filter(**where).exclude(pk__in=touched).order_by("id"):
            as_made = row.row()
            yield Move(Edit(model._meta.db_table, str(row.pk), None, as_made, proposed.plan.client), None, as_made)
