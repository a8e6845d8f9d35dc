"""The text that somebody looks for, anywhere in what rows are known by."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from postroom.changes.errors import Problem
from postroom.models import Address, Mailbox, StateModel

LOWER_CASE = ("address", "email", "slug")  # columns that hold no capitals
SHORTEST = 3  # fewer characters match half of everything


def searched(rows: "QuerySet[Any]", columns: Sequence[str], text: str, *, within: bool) -> "QuerySet[Any]":
    """Those of `rows` that hold the text in one of these columns; `within` a client or domain, or anywhere.

    The ids are found first, in a MATERIALIZED CTE: else the planner walks the order of the page through every row
    there is, asking each whether it matches.
    """
    if len(text) < SHORTEST:
        raise Problem("search", f"at least {SHORTEST} characters")
    parts = [] if within else [(sql, [_pattern(text, column)]) for sql, column in ANYWHERE.get(rows.model, ())]
    parts = parts or [_where(rows, column, text) for column in columns]
    found = f"WITH found AS MATERIALIZED ({' UNION '.join(sql for sql, _ in parts)}) SELECT * FROM found"
    return rows.filter(pk__in=RawSQL(found, tuple(value for _, values in parts for value in values)))


# Where there may be a million rows: by functions that may use the trigram indexes (sql/install.sql says why).
ANYWHERE: dict[type[StateModel], tuple[tuple[str, str], ...]] = {
    Address: (("SELECT postroom_find_addresses(%s)", "address"),),
    Mailbox: (
        ("SELECT m.id FROM mailboxes m WHERE m.address_id IN (SELECT postroom_find_addresses(%s))", "address"),
        ("SELECT postroom_find_mailbox_names(%s)", "name"),
    ),
}


def _where(rows: "QuerySet[Any]", column: str, text: str) -> tuple[str, list[Any]]:
    exact = column.endswith(LOWER_CASE)
    wanted = {f"{column}__{'contains' if exact else 'icontains'}": text.lower() if exact else text}
    try:
        sql, params = rows.filter(**wanted).order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # rows of which this person sees none at all, whatever is searched for
        return "(SELECT NULL::uuid WHERE false)", []
    return f"({sql})", list(params)


def _pattern(text: str, column: str) -> str:
    """For LIKE: the text anywhere, its own % and _ as they are."""
    plain = text.lower() if column.endswith(LOWER_CASE) else text.upper()
    return "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
