"""A kind's parameters as fields of a form, and what was typed back as parameters. Nothing here knows any one kind.

The kind's JSON schema says it all: type, description, choices, and `ref`, the list a picker is filled from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from postroom.changes.kind import Kind
from postroom.queries.suggest import BY_ID
from postroom.web.parts.forms import Control, Field, Option, Rows
from postroom.web.parts.plain import field_words

WORDS: dict[str, str] = {
    "accept_loss": "Accept what is lost", "address": "Address", "contact": "Contact",
    "email": "Mail address", "hosting": "DNS", "may_ask": "Who may ask for changes", "name": "Name",
    "new_password": "Only with another password",
    "owner": "Owner", "operator": "Operator", "ttl": "TTL, seconds", "until": "Until (UTC)", "vip": "VIP",
}  # fmt: skip
SHORT = {"mailboxes": "mailbox", "aliases": "alias", "catch_alls": "catch-all"}
LONG_TEXT = frozenset({"notes", "script", "reply"})
KEPT = "was-"  # a hidden field: how a value stood when the form was made
EMPTY_ROWS = 2

Typed = Mapping[str, str]
Pickers = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Param:
    """One parameter: what it is, whether it must be given, whether leaving it out means "as it is"."""

    name: str
    schema: Mapping[str, Any]
    required: bool
    nullable: bool

    @property
    def many(self) -> bool:
        return self.schema.get("type") == "array"

    @property
    def ref(self) -> str:
        return str(self.schema.get("ref", ""))

    @property
    def each(self) -> str:
        """Of a list, what `ref` is of one value."""
        return str(self.schema.get("items", {}).get("ref", ""))

    @property
    def hint(self) -> str:
        """Of a picker, what is said of this parameter; what any such list says of itself is no hint."""
        said = str(self.schema.get("description", ""))
        return "" if self.ref and said.startswith(("A ", "An ", "What ")) else said


def params_of(kind: type[Kind]) -> tuple[Param, ...]:
    schema = kind.model_json_schema()
    required = set(schema.get("required", ()))
    return tuple(_param(name, one, name in required) for name, one in schema.get("properties", {}).items())


def _param(name: str, schema: Mapping[str, Any], required: bool) -> Param:
    choices = schema.get("anyOf", ())
    inner: Mapping[str, Any] = next((one for one in choices if one.get("type") != "null"), {})
    return Param(name, {**inner, **schema}, required, nullable=any(one.get("type") == "null" for one in choices))


def refs(params: Sequence[Param]) -> set[str]:
    """The lists whose rows pickers offer."""
    return {ref for one in params for ref in (one.ref, one.each) if ref}


def field(one: Param, prefix: str, typed: Typed, pickers: Pickers, errors: Typed) -> Field | Rows:
    if one.many:
        return _rows(one, prefix, typed, pickers, errors)
    name, control = prefix + one.name, _control(one)
    value = typed.get(name, _default(one))
    made = Field(
        name, _label(one), control, value, hint=one.hint, error=errors.get(name, ""), required=one.required,
        inputmode="email" if one.name in ("email", "contact", "address") else "",
        maxlength=int(one.schema.get("maxLength", 0)),
    )  # fmt: skip
    if one.ref in BY_ID:
        return replace(made, control="select", options=_options(one, pickers.get(one.ref, ()), value))
    if one.ref:
        return replace(made, suggest=tuple(Option(v, words) for v, words in pickers.get(one.ref, ())))
    return replace(made, options=_choices(one)) if control == "select" else made


def _rows(one: Param, prefix: str, typed: Typed, pickers: Pickers, errors: Typed) -> Rows:
    """A parameter that is a list: one field a value, and a blank one for what *Add* makes."""
    name = prefix + one.name
    numbered = sorted((key for key in typed if key.startswith(f"{name}-")), key=lambda key: _number(key, name))
    shown = numbered or [f"{name}-0"]
    offered = tuple(Option(v, words) for v, words in pickers.get(one.each, ()))
    blank = Field(f"{name}-__n__", _label(one), suggest=offered)
    rows = tuple(
        (replace(blank, name=key, label=f"{_label(one)}, {n}", value=typed.get(key, "")),)
        for n, key in enumerate(shown, start=1)
    )
    return Rows(name, _label(one), rows, (blank,), hint=one.hint or "One a row", error=errors.get(name, ""), noun="row")


def _number(key: str, name: str) -> int:
    tail = key.removeprefix(f"{name}-")
    return int(tail) if tail.isdecimal() and len(tail) < 19 else 0


def _label(one: Param) -> str:
    return one.schema.get("label") or WORDS.get(one.name) or field_words(one.name)


def _control(one: Param) -> Control:
    kind, form = one.schema.get("type"), one.schema.get("format")
    if "enum" in one.schema or (kind == "boolean" and one.nullable):
        return "select"
    if one.name in LONG_TEXT:
        return "textarea"
    known: dict[Any, Control] = {
        "boolean": "checkbox",
        "integer": "number",
        "date": "date",
        "date-time": "datetime-local",
    }
    return known.get(form) or known.get(kind) or "text"


def _default(one: Param) -> str:
    value = one.schema.get("default")
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)


def _choices(one: Param) -> tuple[Option, ...]:
    if one.schema.get("type") == "boolean":
        return Option("", "as it is"), Option("yes", "yes"), Option("no", "no")
    given = tuple(Option(str(value), str(value)) for value in one.schema.get("enum", ()))
    return given if one.required or ("default" in one.schema and not one.nullable) else (Option("", "as it is"), *given)


def _options(one: Param, pairs: Sequence[tuple[str, str]], value: str) -> tuple[Option, ...]:
    known = tuple(Option(v, words) for v, words in pairs)
    extra = () if not value or any(option.value == value for option in known) else (Option(value, value),)
    return (Option("", "choose one"), *known, *extra)


def value_of(one: Param, prefix: str, typed: Typed) -> Any:
    """What was typed as the parameter's value; None: left out."""
    name = prefix + one.name
    if one.many:
        values = [text for key, text in _in_order(typed, name) if text.strip()]
        was = typed.get(KEPT + name)
        return None if was is not None and was == "\n".join(values) else values or (None if was is None else [])
    text, was = typed.get(name, "").strip(), typed.get(KEPT + name)
    if was is not None and text == was:
        return None
    if one.schema.get("type") == "boolean":
        return {"yes": True, "no": False}.get(text) if one.nullable else bool(text)
    if not text:
        return "" if was and one.schema.get("type") == "string" and not one.schema.get("format") else None
    if one.schema.get("format") == "date-time":
        return moment(text)
    return text


def _in_order(typed: Typed, name: str) -> list[tuple[str, str]]:
    found = [(key, text) for key, text in typed.items() if key.startswith(f"{name}-")]
    return sorted(found, key=lambda pair: _number(pair[0], name))


def moment(text: str) -> str:
    """What a browser sends for a local time, as UTC, which is what the label asks for."""
    return text if text.endswith("Z") or "+" in text[10:] else f"{text}Z"
