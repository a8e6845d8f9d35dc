"""Edits: one row before and after, as data. `create`, `edit` and `end` are the only ways to one.

Canonical JSON: keys sorted, no spaces, UTF-8, no floats. Whole rows where a row is made or goes; only the
fields that differ where it stays, so that two people changing two things do not get in each other's way.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from postroom.models import Row, StateModel
from postroom.models.base import plain, state_models
from postroom.protocols.entry import encode, line

from .errors import Problem


class NotEditable(TypeError):
    """No such column here, or one that no edit may carry: a secret, a version."""


@dataclass(frozen=True)
class Edit:
    """One row before and after. No `before`: it is made; no `after`: it goes. `client`: whose row it is."""

    table: str
    id: str
    before: Row | None
    after: Row | None
    client: UUID | None

    @cached_property
    def before_json(self) -> str | None:
        return None if self.before is None else encode(self.before)

    @cached_property
    def after_json(self) -> str | None:
        return None if self.after is None else encode(self.after)

    @cached_property
    def canonical(self) -> bytes:
        return line(self.table, self.id, self.before_json, self.after_json)

    @property
    def stays(self) -> bool:
        return self.before is not None and self.after is not None


@dataclass(frozen=True)
class LeftOut:
    """What a plan could have said and does not, and why: shown beside it."""

    table: str
    id: str
    because: str


def create(model: type[StateModel], id: UUID, **values: Any) -> Edit:
    """Make a row; what is not named is as the model says."""
    _editable(model, values)
    row = {**model.defaults(), "id": str(id)}
    for name, value in values.items():
        row[name] = value if value.__class__ is str else plain(value)
    whose = values.get("client_id") if model._meta.db_table != "clients" else id
    return Edit(model._meta.db_table, row["id"], None, row, whose)


def edit(row: StateModel, **values: Any) -> Edit:
    """Change fields of a row that is there. Fields that already stand so are not part of the edit."""
    _editable(type(row), values)
    after = {name: plain(value) for name, value in values.items()}
    before = {name: plain(getattr(row, name)) for name in values}
    differing = [name for name in after if after[name] != before[name]]
    return Edit(
        row._meta.db_table,
        str(row.pk),
        {n: before[n] for n in differing},
        {n: after[n] for n in differing},
        client_of(row),
    )


def end(row: StateModel) -> Edit:
    """The row goes."""
    return Edit(row._meta.db_table, str(row.pk), row.row(), None, client_of(row))


def merged(first: Edit, second: Edit) -> Edit:
    """Two edits of one row in one plan, as one; they may not want the same field to be two things, unless the second
    goes on from what the first made of it."""
    if not second.stays or first.after is None:
        raise Problem("params", f"{first.table} {first.id} is planned twice, and differently")
    wanted, from_there = second.after or {}, second.before or {}
    differs = {n for n in wanted if n in first.after and first.after[n] != wanted[n] and first.stays}
    if clash := {n for n in differs if n not in from_there or from_there[n] != first.after[n]}:
        raise Problem("params", f"{first.table} {first.id} is planned twice, and differs in {', '.join(sorted(clash))}")
    before = None if first.before is None else {**(second.before or {}), **first.before}
    return Edit(first.table, first.id, before, {**first.after, **wanted}, first.client)


def client_of(row: StateModel) -> UUID | None:
    return row.pk if row._meta.db_table == "clients" else getattr(row, "client_id", None)


def model_of(table: str) -> type[StateModel]:
    return state_models()[table]


def _editable(model: type[StateModel], values: dict[str, Any]) -> None:
    if wrong := values.keys() - set(model.columns()):
        raise NotEditable(f"{model.__name__}: no edit may carry {', '.join(sorted(wrong))}")
