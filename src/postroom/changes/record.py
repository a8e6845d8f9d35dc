"""The record: append an entry, with every edit salted and hashed. Insert only.

An entry's first edit is the move of its change (stage, who, why), so who and why stand under the same
leaf hash as what, and can be erased the same way.
"""

import os
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from postroom.access.acting import widened
from postroom.models import Change
from postroom.models.base import plain
from postroom.protocols import entry

from .edit import Edit
from .state import seconds

SALT = 16
COPY_FROM = 200  # edits; below this a call with arrays is faster than a temporary table
COLUMNS = 'entry_id, n, client_id, "table", "row", before, after, salt'
APPEND = "SELECT * FROM record_append(%s, %s, %s, %s::text[], %s::uuid[], %s::jsonb[], %s::jsonb[], %s::bytea[])"
HEAD = (
    "kind", "params", "actor", "proposer_id", "why", "ticket", "plan_hash", "version", "stage", "verdicts",
    "token_id", "batch_id", "caused_by_id", "undoes_id", "replans_id",
)  # fmt: skip


class NotRecorded(RuntimeError):
    """The database took less than was to be recorded. Nothing else of the transaction may stand either."""


def append(change: Change, *, was: str | None, edits: Sequence[Edit] = ()) -> int:
    """Write one entry: the move of `change` from stage `was`, and `edits`. Returns the entry's id."""
    return _entry(change.client_id, change.version if edits else None, [_move(change, was), *edits])


def note(what: str, *, client: UUID | None, of: UUID | None = None, **facts: Any) -> int:
    """Write an entry that is no change: a sign-in, a refusal, a look at something sensitive. Facts hold no secret.

    of: the change it is about, by which it is found again.
    """
    return _entry(client, None, [event(what, client=client, of=of, **facts)])


def event(what: str, *, client: UUID | None, of: UUID | None = None, **facts: Any) -> Edit:
    """The line of such an entry."""
    row = {"what": what, **{name: plain(value) for name, value in facts.items()}, "client_id": plain(client)}
    row["at"] = plain(seconds(timezone.now()))
    return Edit("events", str(of or uuid4()), None, row, client)


def _entry(client: UUID | None, version: int | None, lines: Sequence[Edit]) -> int:
    with widened():
        return _written(client, version, lines)


def _written(client: UUID | None, version: int | None, lines: Sequence[Edit]) -> int:
    salts = os.urandom(SALT * len(lines))
    salted = [salts[at : at + SALT] for at in range(0, len(salts), SALT)]
    leaf = entry.leaf(map(entry.salted, salted, (line.canonical for line in lines)))
    small = len(lines) < COPY_FROM
    id, taken = _at_once(client, version, leaf, lines if small else (), salted if small else ())
    if not small:
        taken = _by_copy(id, client, lines, salted)
    if taken != len(lines):
        raise NotRecorded(f"{taken} of {len(lines)} lines of an entry")
    return id


def _move(change: Change, was: str | None) -> Edit:
    head = {name: plain(getattr(change, name)) for name in HEAD}
    before = None if was is None else {"stage": was}
    head |= {"client_id": plain(change.client_id), "at": plain(seconds(timezone.now()))}
    if change.mailbox_id:
        head["mailbox_id"] = plain(change.mailbox_id)
    return Edit("changes", str(change.pk), before, head, change.client_id)


def _at_once(
    client: UUID | None, version: int | None, leaf: bytes, lines: Sequence[Edit], salts: Sequence[bytes]
) -> tuple[int, int]:
    """The entry and these lines of it: its id, and how many lines were inserted."""
    fields = attrgetter("table", "id", "before_json", "after_json")
    columns = zip(*map(fields, lines), strict=True) if lines else ((),) * 4
    arrays: list[list[Any]] = [list(column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [client, version, leaf, *arrays, list(salts)])
        id, taken = cursor.fetchone() or (None, 0)
    if id is None:
        raise NotRecorded("an entry")
    return id, taken


def _by_copy(entry: int, client: UUID | None, lines: Sequence[Edit], salts: Sequence[bytes]) -> int:
    """COPY cannot write to a table under row security, so into a temporary one and on from there. How many lines."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE incoming (LIKE edits) ON COMMIT DROP")
        with cursor.cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN") as copy:
            copy.write("".join(_lines(entry, client, lines, salts)))
        cursor.execute(f"INSERT INTO edits ({COLUMNS}) SELECT {COLUMNS} FROM incoming")
        taken = int(cursor.rowcount)
        cursor.execute("DROP TABLE incoming")
    return taken


def _lines(entry: int, client: UUID | None, lines: Sequence[Edit], salts: Sequence[bytes]) -> Iterator[str]:
    whose = client or r"\N"
    for n, (e, salt) in enumerate(zip(lines, salts, strict=True)):
        before, after = _text(e.before_json), _text(e.after_json)
        yield f"{entry}\t{n}\t{whose}\t{e.table}\t{e.id}\t{before}\t{after}\t\\\\x{salt.hex()}\n"


def _text(value: str | None) -> str:
    # JSON has escaped every tab and newline already; what is left to COPY is the backslash.
    return r"\N" if value is None else value.replace("\\", "\\\\")
