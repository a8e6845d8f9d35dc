"""What people call the rows that edits are about, those that are made by the very plan included.

Reads in waves: the rows themselves, what they refer to, what that refers to; one query a table and wave, so that the
number of queries follows from the tables and never from the rows.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from postroom.changes.edit import model_of
from postroom.models import Row
from postroom.models.base import state_models
from postroom.models.routes import server

WAVES = 3
DEEP = 5  # a link of an invite for a mailbox at an address
OWNERS = (
    "mailboxes",
    "invites",
    "dkim_keys",
    "api_sessions",
    "credentials",
    "reset_codes",
)  # whose secrets `owner_row` names
Edits = Iterable[Mapping[str, Any]]
Named = Callable[[Any], str]


def _of(row: Row, name: Named, *columns: str) -> str:
    return next((name(row[column]) for column in columns if row.get(column)), "")


LABELS: dict[str, Callable[[Row, Named], str]] = {
    "clients": lambda row, name: str(row["name"]),
    "people": lambda row, name: str(row["name"]),
    "addresses": lambda row, name: str(row["address"]),
    "mailboxes": lambda row, name: _of(row, name, "address_id"),
    "aliases": lambda row, name: _of(row, name, "address_id"),
    "forwards": lambda row, name: f"{_of(row, name, 'address_id')} to {row['to']}",
    "destinations": lambda row, name: str(row["name"]),
    "probes": lambda row, name: f"to {row['address']}",
    "catch_alls": lambda row, name: f"of {_of(row, name, 'domain_id')}",
    "exceptions": lambda row, name: f"{_of(row, name, 'address_id')} to {row['target']}",
    "transports": lambda row, name: f"{_of(row, name, 'address_id')} to {server(row['host'], row['port'])}",
    "delegations": lambda row, name: f"to {_of(row, name, 'mailbox_id')} for {_of(row, name, 'to_mailbox_id')}",
    "filters": lambda row, name: f"at {_of(row, name, 'mailbox_id')}",
    "redirect_stops": lambda row, name: f"of {_of(row, name, 'mailbox_id')} to {row['target']}",
    "credentials": lambda row, name: f"{row['name']} of {_of(row, name, 'mailbox_id')}",
    "invites": lambda row, name: f"for {_of(row, name, 'mailbox_id', 'person_id', 'confirms_id') or row['contact']}",
    "recovery_channels": lambda row, name: f"{row['value']} of {_of(row, name, 'mailbox_id')}",
    "verifications": lambda row, name: f"the reset of {_of(row, name, 'mailbox_id')}",
    "doubts": lambda row, name: f"entry {row['entry']}, not known to the owner of {_of(row, name, 'mailbox_id')}",
    "proofs": lambda row, name: f"{row['method']}: {'right' if row['good'] else 'wrong'}",
    "reset_codes": lambda row, name: "to read out",
    "letters": lambda row, name: f"to {row['contact']}",
    "grants": lambda row, name: f"{row['role']} for {_of(row, name, 'person_id')}",
    "record_sets": lambda row, name: f"{row['type']} {str(row['name']).rstrip('.')}",
    "dkim_keys": lambda row, name: f"{row['selector']} of {_of(row, name, 'domain_id')}",
    "acceptances": lambda row, name: str(row["title"]),
    "rounds": lambda row, name: f"{row['sort']} of {row['quarter']}",
    "round_lines": lambda row, name: str(row["name"]),
    "freezes": lambda row, name: f"of {_of(row, name, 'client_id') or 'the whole organization'}",
    "devices": lambda row, name: f"{row['browser']} of {_of(row, name, 'person_id')}",
    "redeliveries": lambda row, name: name(row["object_id"]) if UUID(row["object_id"]).int else "the node's own rows",
    "secrets": lambda row, name: f"{row['purpose']} {_of(row, name, 'owner_row')}".strip(),
    "api_sessions": lambda row, name: f"of {_of(row, name, 'person_id')}",
}


class Names:
    """id → words, for every id that an edit names or refers to."""

    def __init__(self, edits: Edits) -> None:
        self.rows: dict[str, tuple[str, Row]] = {}
        wanted: dict[str, set[str]] = {}
        for one in edits:
            self._take(one["table"], one["id"], one["before"], one["after"], wanted)
        for _ in range(WAVES):
            wanted = self._read(wanted)

    def _take(self, table: str, id: str, before: Row | None, after: Row | None, wanted: dict[str, set[str]]) -> None:
        """What an edit says of a row: all of it where the row is made or goes; else the row is to be read."""
        if before is None or after is None:
            self.rows.setdefault(id, (table, after or before or {}))
        else:
            wanted.setdefault(table, set()).add(id)
        for half in (before, after):
            _refers(table, half or {}, wanted)

    def _read(self, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
        further: dict[str, set[str]] = {}
        for table, ids in wanted.items():
            left = [id for id in ids if id not in self.rows]
            if left and table in state_models():
                for row in model_of(table).objects.filter(pk__in=left):
                    self.rows[str(row.pk)] = (table, row.row())
                    _refers(table, row.row(), further)
        return further

    def __call__(self, id: Any) -> str:
        """The words, or the id itself where nothing is known of it."""
        return self._words(str(id), DEEP)

    def _words(self, id: str, deep: int) -> str:
        if id not in self.rows or not deep:
            return id
        table, row = self.rows[id]
        words = LABELS.get(table)
        if words is None:
            return str(row.get("name") or id)
        try:
            return words(row, lambda other: self._words(str(other), deep - 1)) or id
        except KeyError:  # an old edit, of a row that lacks what the words are made of today
            return id

    def known(self) -> dict[str, str]:
        return {id: self(id) for id in self.rows}


def _refers(table: str, row: Row, wanted: dict[str, set[str]]) -> None:
    """The rows a row refers to, by table."""
    if table not in state_models():
        return
    fields = {field.attname: field for field in model_of(table)._meta.concrete_fields}
    for column, value in row.items():
        if not value:
            continue
        if column == "owner_row":
            for owner in OWNERS:
                wanted.setdefault(owner, set()).add(str(value))
        elif column in fields and (other := fields[column].related_model) and _is_id(value):
            wanted.setdefault(other._meta.db_table, set()).add(str(value))


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
