"""Rows of state that are not as the record says: somebody wrote to the database past Postroom.

NIST SP 800-53 r5, SI-7 (integrity of information: unauthorized changes are detected) and AU-10 (what was done is held
against who did it). The fold of all edits is compared with every row, a made-up or missing one included, the
version of each client with its newest entry, and each change with its last move (who asked for what, why, how far it
came). The value of a secret is in no edit: of a `secrets` row that stands, a value that was swapped is not seen here,
but where a mail node serves it (`nodes.maps`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Address, Finding, Row
from postroom.models.base import state_models
from postroom.posture.findings import Found
from postroom.posture.fold import Differs, differing
from postroom.posture.moves import TABLE as CHANGES
from postroom.posture.run import Check, Seen

NAME = "record.behind_our_back"
MOST = 1_000  # told one by one; what is more is one finding that says so
NAMED_BY = ("slug", "name", "email", "address", "title", "contact", "selector", "role", "purpose")
WHAT = {
    (True, True): "is not as the record says",
    (True, False): "is gone, and no entry says so",
    (False, True): "is there, and no entry made it",
}
Addresses = dict[str, str]  # id → address


def evaluate(rows: Iterable[Differs], addresses: Addresses) -> Iterator[Found]:
    for n, one in enumerate(rows):
        if n == MOST:
            yield Found(
                "critical", "tables", None, "state", f"More than {MOST} rows are not as the record says", "many"
            )
            return
        yield _found(one, addresses)


def _found(one: Differs, addresses: Addresses) -> Found:
    row = {**(one.live or {}), **(one.recorded or {})}  # whose it was, and how it was called, before
    before, after = one.fields()
    noun, label = _noun(one.table), _label(row, addresses) or str(one.id)
    label = f"{row.get('kind', '')} {one.id}".strip() if one.table == CHANGES else label
    what = WHAT[one.recorded is not None, one.live is not None]
    cause = "version" if before and before.keys() == {"version"} else ""
    return Found(
        "critical", one.table, one.id, label, f"The {noun} {label} {what}", cause, client=_client(one, row),
        domain=_id(row.get("domain_id")), evidence={"before": before, "after": after},
    )  # fmt: skip


def _noun(table: str) -> str:
    return "change" if table == CHANGES else str(state_models()[table]._meta.verbose_name)


def _label(row: Row, addresses: Addresses) -> str:
    called = addresses.get(str(row.get("address_id"))) if "address_id" in row else None
    if "type" in row and "values" in row:
        return f"{row['type']} {row['name']}"
    return str(called or next((row[name] for name in NAMED_BY if row.get(name)), ""))


def _client(one: Differs, row: Row) -> UUID | None:
    return one.id if one.table == "clients" else _id(row.get("client_id"))


def _id(value: Any) -> UUID | None:
    return UUID(value) if value else None


def _addresses(rows: Iterable[Differs]) -> Addresses:
    ids = {str(row["address_id"]) for one in rows for row in (one.recorded, one.live) if row and "address_id" in row}
    with acting_as(SYSTEM):
        return {str(id): a for id, a in Address.objects.filter(pk__in=ids).values_list("pk", "address")}


def _look(now: datetime) -> Seen:
    known, erased = _differing()
    with acting_as(SYSTEM):
        told = set(Finding.objects.filter(check_name=NAME, closed_at=None).values_list("object", flat=True))
    unread = frozenset(one for one in erased if one in told)  # of what else is not known nothing could be said anyway
    found = tuple(evaluate(known, _addresses(known)))
    return Seen(found, unread=unread, why="an edit of it was erased" if unread else "")


def _differing() -> tuple[list[Differs], list[UUID]]:
    """(rows that differ, one more than are told at most; rows of which an edit was erased, which are not known)."""
    known: list[Differs] = []
    erased: list[UUID] = []
    for one in differing(at_most=MOST + 1):
        if one.erased:
            erased.append(one.id)
        else:
            known.append(one)
        if len(known) > MOST:
            break
    return known, erased


BEHIND_OUR_BACK = Check(NAME, "Is every row as the record says?", "NIST SP 800-53 r5, SI-7", 120, _look)
