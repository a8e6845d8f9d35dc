"""Plans: the edits of one change, with a hash that says exactly this and nothing else."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from postroom.models import StateModel

from .edit import Edit, LeftOut, NotEditable, create, edit, end, merged
from .errors import Problem

__all__ = ["Edit", "LeftOut", "NotEditable", "NotOneClient", "Plan", "Planned", "create", "edit", "end"]

Planned = Edit | LeftOut


class NotOneClient(Problem):
    """Work over several clients is a batch."""


@dataclass(frozen=True)
class Plan:
    edits: tuple[Edit, ...]
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def of(cls, planned: Iterable[Planned]) -> "Plan":
        """One edit a row: what is planned twice for a row is merged, or refused where it disagrees."""
        edits: dict[tuple[str, str], Edit] = {}
        left_out: list[LeftOut] = []
        for one in planned:
            if isinstance(one, LeftOut):
                left_out.append(one)
                continue
            before = edits.get((one.table, one.id))
            edits[one.table, one.id] = merged(before, one) if before else one
        real = (one for one in edits.values() if one.before or one.after)  # stands so already: not an edit
        return cls(tuple(real), tuple(left_out))

    @cached_property
    def hash(self) -> str:
        digest = hashlib.sha256()
        for one in self.edits:
            digest.update(one.canonical + b"\n")
        return digest.hexdigest()

    @cached_property
    def client(self) -> UUID | None:
        """Whose change this is; None is the organization itself."""
        clients = {one.client for one in self.edits}
        if len(clients) != 1:
            raise NotOneClient("params", f"a change touches one client, this one {len(clients)}; send it as a batch")
        return clients.pop()

    def on(self, *models: type[StateModel]) -> Iterator[Edit]:
        tables = {model._meta.db_table for model in models}
        return (one for one in self.edits if one.table in tables)

    @cached_property
    def by_table(self) -> dict[str, list[Edit]]:
        tables: dict[str, list[Edit]] = {}
        for one in self.edits:
            tables.setdefault(one.table, []).append(one)
        return tables

    def as_json(self) -> list[list[Any]]:
        return [[e.table, e.id, e.before, e.after, e.client and str(e.client)] for e in self.edits]

    @classmethod
    def from_json(cls, edits: list[list[Any]]) -> "Plan":
        return cls(tuple(Edit(t, i, b, a, UUID(c) if c else None) for t, i, b, a, c in edits))
