"""What was asked for, parameter by parameter: of a change that came to nothing it is all there is to see."""

from collections.abc import Iterator, Mapping
from typing import Any

from postroom.web.parts.shapes import Code, Fact

MOST, LONGEST = 40, 200  # parameters shown, and characters of one


def parameters(one: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Of a change without edits: of a refused one they are not kept."""
    if one["edits"]:
        return ()
    found = list(_each(one["params"]))
    more = [Fact("And", f"{len(found) - MOST} more parameters")] if len(found) > MOST else []
    return (*found[:MOST], *more)


def nothing(one: Mapping[str, Any]) -> str:
    """Instead of a number of objects."""
    return "" if one["edits"] else f"nothing: it is {one['stage']}; what was asked stands below"


def _each(params: Any) -> Iterator[Fact]:
    many = params if isinstance(params, list) else [params]
    for n, part in enumerate(many, start=1):
        for name, value in (part or {}).items():
            words = name.replace("_", " ")
            yield Fact(f"{n}. {words}" if len(many) > 1 else words.capitalize(), Code(_text(value)))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
