"""Rows that are gone from the tables and stood once: found again in the record, and called as they were called then."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.erase import ERASED
from postroom.changes.history import Rows
from postroom.models import Address, Alias, Client, Domain, Mailbox, RecordedEdit, Row, StateModel

ON_AN_ADDRESS = (Mailbox, Alias)
NAMED: dict[str, tuple[type[StateModel], str]] = {
    "address": (Address, "address"), "domain": (Domain, "name"), "client": (Client, "slug"),
}  # fmt: skip


def once_called(actor: Actor, model: type[StateModel], ref: str) -> Iterator[tuple[UUID, UUID]]:
    """(row, client) of what went and was known by this id or name, as far as this person reads the record."""
    gone = RecordedEdit.objects.filter(table=model._meta.db_table, after__isnull=True, client_id__isnull=False)
    try:
        found = gone.filter(row=UUID(ref))
    except ValueError:
        if model in ON_AN_ADDRESS:
            addresses = [str(row) for row, _ in once_called(actor, Address, ref)]
            addresses += [str(pk) for pk in visible(actor, Address).filter(address=ref).values_list("pk", flat=True)]
            found = gone.filter(before__address_id__in=addresses)
        elif model.natural_key == "id":
            return
        else:
            found = gone.filter(**{f"before__{model.natural_key}": ref})
    yield from found.order_by("-entry_id").values_list("row", "client_id")


class Then:
    """What rows were called at a version: by the unwound rows, and where these say nothing by those that stand."""

    def __init__(self, actor: Actor, unwound: Rows) -> None:
        self.actor, self.unwound = actor, unwound
        self._names: dict[tuple[type[StateModel], str], str | None] = {}

    def names(self, model: type[StateModel], row: Row, now: dict[str, Any]) -> dict[str, Any]:
        """Label, and the names of what the row hangs on; `now` says what a row that still stands is called."""
        said = {}
        for name, (other, column) in NAMED.items():
            if id := row.get(f"{name}_id"):
                said[name] = self._named(other, id, column, now.get(name))
        label = said.get("address") if model in ON_AN_ADDRESS else row[model.natural_key]
        said["label"] = row["id"] if label == ERASED else label
        return said

    def _named(self, model: type[StateModel], id: str, column: str, now: str | None) -> str | None:
        if id == ERASED:
            return ERASED
        if (row := self.unwound.get((model._meta.db_table, UUID(id)))) is not None:
            return str(row[column])
        if now is None and (model, id) not in self._names:
            self._names[model, id] = visible(self.actor, model).filter(pk=id).values_list(column, flat=True).first()
        return now or self._names[model, id]
