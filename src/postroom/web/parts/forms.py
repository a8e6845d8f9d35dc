"""The shapes of forms: fields, repeated rows, what is asked before an act. Not Django's forms.

A view turns a kind's parameters (or a Django form, through `fields_of`) into these; one template draws them all.
Every field keeps what was typed, but a password's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from django import forms

from postroom.web.parts.shapes import Act, Bulk, Link, Words

Control = Literal[
    "text",
    "email",
    "search",
    "number",
    "date",
    "datetime-local",
    "password",
    "textarea",
    "select",
    "checkbox",
    "hidden",
]


@dataclass(frozen=True)
class Option:
    value: str
    words: str


@dataclass(frozen=True)
class Field:
    """One labelled field. `suggest` makes a text field a picker with a datalist; `options` are a select's, `lines` and
    `code` (of letters of one width) a textarea's."""

    name: str
    label: str
    control: Control = "text"
    value: str = ""
    hint: str = ""
    error: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    suggest: tuple[Option, ...] = ()
    autocomplete: str = "off"
    inputmode: str = ""
    placeholder: str = ""
    minlength: int = 0
    maxlength: int = 0
    autofocus: bool = False
    html_id: str = ""
    lines: int = 2
    code: bool = False

    @property
    def may_be_empty(self) -> bool:
        """A list of choices always has one; it can be empty where one of these is."""
        return not self.required and (self.control != "select" or any(not one.value for one in self.options))

    @property
    def id(self) -> str:
        """The element's id; errors at the top link to it."""
        return self.html_id or f"f-{self.name}"

    @property
    def described(self) -> str:
        """Ids of what describes the field, the error first."""
        told = [f"{self.id}-e"] * bool(self.error) + [f"{self.id}-h"] * bool(self.hint)
        return " ".join(told)


@dataclass(frozen=True)
class Rows:
    """A list parameter: one set of fields a row; `blank` is the row that *Add* makes.

    Field names carry the row's number where `blank` has `__n__`: `mailboxes-0-address`, `mailboxes-__n__-address`.
    Without script *Add* sends `row_add=<name>` and the view draws the form again, with one row more.
    """

    name: str
    label: str
    rows: tuple[tuple[Field, ...], ...]
    blank: tuple[Field, ...]
    hint: str = ""
    error: str = ""
    noun: str = "row"

    @property
    def id(self) -> str:
        return f"f-{self.name}"


FormPart: TypeAlias = Field | Rows


@dataclass(frozen=True)
class Form:
    """A form that posts to `url` (empty: where it is)."""

    fields: tuple[FormPart, ...]
    submit: str
    url: str = ""
    weight: Literal["primary", "danger"] = "primary"
    icon: str = ""
    back: Act | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    """What belongs to no single field."""

    @property
    def problems(self) -> tuple[str | Link, ...]:
        """All that is wrong, each linked to its field."""
        return (*self.errors, *(Link(f"{part.label}: {part.error}", f"#{part.id}") for part in wrong(self.fields)))


@dataclass(frozen=True)
class Chip:
    """A filter that is set; `url` is the list without it."""

    words: str
    url: str


@dataclass(frozen=True)
class Filters:
    """What a list can be narrowed by. `search` is the first field and always there."""

    label: str
    search: Field
    fields: tuple[Field, ...] = ()
    chips: tuple[Chip, ...] = ()


@dataclass(frozen=True)
class Pager:
    """Keyset paging: what is shown, never a total."""

    shown: str
    next_url: str = ""
    next_words: str = "Next"
    first_url: str = ""


@dataclass(frozen=True)
class Answers(Bulk):
    """Answering the chosen rows right there. says: what that does; note: why, typed beside the buttons."""

    says: str = ""
    note: Field | None = None


@dataclass(frozen=True)
class Confirm:
    """What is asked before an act that ends something: in plain words, whose it is, what comes back."""

    question: str
    what: tuple[Words, ...]
    form: Form
    keep: Act


def wrong(parts: tuple[FormPart, ...]) -> Iterator[FormPart]:
    """The parts with an error, those in rows too."""
    for part in parts:
        if part.error:
            yield part
        if isinstance(part, Rows):
            yield from (field for row in part.rows for field in row if field.error)


def fields_of(form: forms.BaseForm) -> tuple[Field, ...]:
    """The fields of a Django form (allauth's), as ours."""
    return tuple(field_of(form[name]) for name in form.fields)


def field_of(bound: forms.BoundField) -> Field:
    """One field of a Django form. A password typed before is not shown again, nor a hint that is markup."""
    widget = bound.field.widget
    attrs = widget.attrs
    hides = isinstance(widget, forms.PasswordInput)
    return Field(
        name=bound.html_name,
        label=str(bound.label or bound.name),
        control=control_of(widget),
        value="" if hides or bound.value() is None else str(bound.value()),
        hint="" if "<" in (hint := str(bound.help_text or "")) else hint,
        error=" ".join(str(error) for error in bound.errors),
        required=bound.field.required,
        options=tuple(Option(str(value), str(words)) for value, words in getattr(bound.field, "choices", ())),
        autocomplete=str(attrs.get("autocomplete", "off")),
        inputmode=str(attrs.get("inputmode", "")),
        autofocus=bool(attrs.get("autofocus")),
        html_id=bound.auto_id,
    )


def control_of(widget: forms.Widget) -> Control:
    """Which of our controls draws a Django widget."""
    sorts: tuple[tuple[type[forms.Widget], Control], ...] = (
        (forms.HiddenInput, "hidden"),
        (forms.PasswordInput, "password"),
        (forms.EmailInput, "email"),
        (forms.NumberInput, "number"),
        (forms.Textarea, "textarea"),
        (forms.CheckboxInput, "checkbox"),
        (forms.Select, "select"),
    )
    return next((control for sort, control in sorts if isinstance(widget, sort)), "text")
