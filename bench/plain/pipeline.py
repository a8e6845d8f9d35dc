"""The other side of bench/record.py: our pipeline with the record's inserts taken out, and nothing else.

No entry, no lines, no salts, no hashes. What reads the lines of the entry just recorded (the statements that write
state, and what nodes have to do) is handed them as parameters of the same statement instead.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import connection

from postroom.changes import record
from postroom.changes.edit import Edit

HANDED = (
    "(SELECT %(entry)s AS entry_id, * FROM unnest(%(lines_t)s::text[], %(lines_r)s::uuid[], %(lines_b)s::jsonb[],"
    ' %(lines_a)s::jsonb[]) handed("table", "row", before, after))'
)


@contextmanager
def without_record() -> Iterator[None]:
    lines: dict[str, list[Any]] = {}

    def kept(client: Any, version: int | None, edits: Sequence[Edit]) -> int:
        columns = ("lines_t", "table"), ("lines_r", "id"), ("lines_b", "before_json"), ("lines_a", "after_json")
        lines.update({name: [getattr(one, of) for one in edits[1:]] for name, of in columns})
        return 0

    def handed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if isinstance(params, dict) and (rewritten := _rewritten(sql)) != sql:
            return execute(rewritten, {**params, **lines}, many, context)
        return execute(sql, params, many, context)

    before, record._entry = record._entry, kept
    try:
        with connection.execute_wrapper(handed):
            yield
    finally:
        record._entry = before


@cache
def _rewritten(sql: str) -> str:
    for old, new in ((" edits e", f" {HANDED} e"), ("FROM edits WHERE", f"FROM {HANDED} e WHERE")):
        sql = sql.replace(old, new)
    return sql
