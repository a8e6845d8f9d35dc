"""Why a plan does not fit any more, in people's words: which object, which field, what it was and what it is."""

from collections.abc import Iterator, Sequence
from typing import Any

from postroom.models import Row, StateModel

from .edit import Edit, model_of

LONGEST = 80
HIDDEN = frozenset({"proof_token"})


def moved(edits: Sequence[Edit], besides: Sequence[str]) -> str:
    """The first of these rows that is not as planned; `besides`: fields that are compared elsewhere.

    What its proposer may not see (any more) has no name here, and no values.
    """
    first = min(edits, key=lambda e: e.id)
    model = model_of(first.table)
    related = model.natural_key.rpartition("__")[0]
    row = model.objects.filter(pk=first.id).select_related(*[related] if related else []).first()
    if row is None:
        return f"a {model._meta.verbose_name} of this plan is not there any more"
    fields = "; ".join(_fields(model, first.before or {}, row.row(), besides))
    return f"{_called(row)} is not as it was planned from: {fields or 'it was changed since'}"


def _called(row: StateModel) -> str:
    return str(row._meta.verbose_name) if row.natural_key == "id" else row.label


def _fields(model: type[StateModel], before: Row, now: Row, besides: Sequence[str]) -> Iterator[str]:
    for name in sorted(before.keys() - set(besides)):
        was, is_now = before[name], now.get(name)
        if was != is_now and name in HIDDEN:
            yield f"{_word(name)} is another"
        elif was != is_now:
            yield f"{_word(name)} was {_value(model, name, was)} and is now {_value(model, name, is_now)}"


def _value(model: type[StateModel], column: str, value: Any) -> str:
    """As people read it: of a row that another refers to its name, where it may be seen."""
    other = model._meta.get_field(column.removesuffix("_id")).related_model if column.endswith("_id") else None
    if value is None or not (isinstance(other, type) and issubclass(other, StateModel)):
        return _text(value)
    row = other.objects.filter(pk=value).first()
    return _text(row.label) if row and row.natural_key != "id" else f"another {other._meta.verbose_name}"


def _word(name: str) -> str:
    return name.removesuffix("_id").removesuffix("_at").replace("_", " ")


def _text(value: Any) -> str:
    if value in (None, "", []):
        return "empty"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"“{text[:LONGEST]}…”" if len(text) > LONGEST else f"“{text}”"
