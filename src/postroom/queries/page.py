"""Keyset pages: a page starts after a key, never at an offset, and nobody counts the total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from postroom.changes.errors import Problem

T = TypeVar("T")
SIZE, MOST = 50, 500


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the key after which the next page starts; None on the last."""

    items: Sequence[T]
    next: str | None


def page(
    rows: "QuerySet[Any]", *, key: str, after: str | None, limit: int = SIZE, newest_first: bool = False,
    along: Sequence[str] = (),
) -> Page[Any]:  # fmt: skip
    """The rows after `after`, ordered by the unique column (or path) `key`; `along`: what is read with each.

    Which rows is found first, and only to these is joined what hangs on them: row security makes every join look as if
    it left few rows, so that the planner would join and sort all that come after, not walk the index for one page.
    """
    size = max(1, min(limit, MOST))
    if after and key == "id":
        _id(rows, after)
    if after:
        rows = rows.filter(**{f"{key}__{'lt' if newest_first else 'gt'}": after})
    order = f"-{key}" if newest_first else key
    some = rows.order_by(order)[: size + 1]
    if along:
        some = rows.model.objects.filter(pk__in=some.values("pk")).select_related(*along).order_by(order)
    found = list(some)
    return Page(found[:size], key_of(found[size - 1], key) if len(found) > size else None)


def _id(rows: "QuerySet[Any]", after: str) -> None:
    try:
        rows.model._meta.pk.to_python(after)
    except ValidationError:
        raise Problem("after", f"{after[:40]!r} is not where a page of this list ended") from None


def key_of(row: Any, key: str) -> str:
    for part in key.split("__"):
        row = getattr(row, part)
    return str(row)


def cut(rows: Sequence[T], *, key: Callable[[T], str], after: str | None, limit: int = SIZE) -> Page[T]:
    """The same of rows in memory, sorted by `key`."""
    size = max(1, min(limit, MOST))
    left = [row for row in rows if not after or key(row) > after]
    return Page(left[:size], key(left[size - 1]) if len(left) > size else None)
