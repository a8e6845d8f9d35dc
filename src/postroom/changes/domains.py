"""Which domains the rows of a plan belong to: what a role at one domain is asked about, and what its holder may see."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from .edit import Edit

Ref = tuple[str, str]  # table, id


def domains_of(edits: Iterable[Edit]) -> set[UUID | None]:
    """None stands for a row that is no domain's. At most one query, and none where the edits say it themselves."""
    edits = list(edits)
    made = {e.id: e for e in edits if e.before is None}
    found = {_within(e, made) for e in edits}
    if None in found:
        return {None}
    asked = [one for one in found if isinstance(one, tuple)]
    known: set[UUID | None] = {one for one in found if isinstance(one, UUID)}
    return known | _asked(asked) if asked else known


def _within(e: Edit, made: dict[str, Edit]) -> UUID | Ref | None:
    """Its domain, as far as the edits know; or the row to ask about."""
    if e.table == "domains":
        return UUID(e.id)
    whole = e.after if e.before is None else e.before if e.after is None else None
    if whole is None:
        return e.table, e.id
    if whole.get("domain_id"):
        return UUID(whole["domain_id"])
    for column, table in (
        ("address_id", "addresses"),
        ("mailbox_id", "mailboxes"),
        ("confirms_id", "recovery_channels"),
        ("verification_id", "verifications"),
        ("owner_row", "owners"),
    ):
        if other := whole.get(column):
            return _within(made[other], made) if other in made else (table, other)
    return None


def _asked(refs: list[Ref]) -> set[UUID | None]:
    with connection.cursor() as cursor:
        tables, ids = zip(*refs, strict=True)
        cursor.execute("SELECT DISTINCT postroom_domain_of(t, i) FROM unnest(%s::text[], %s::uuid[]) r(t, i)",
                       [list(tables), list(ids)])  # fmt: skip
        return {domain for (domain,) in cursor.fetchall()}
