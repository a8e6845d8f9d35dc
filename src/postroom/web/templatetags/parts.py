"""The tags that pages are written with: `{% load parts %}`. Each draws one shape of `web.parts`.

    {% icon "lock" %}  {% words said %}  {% act a %}  {% acts several %}
    {% card "Domains" sub="read 09:23" more="All" url=all_url %} … {% endcard %}
    {% page_head page.head %}  {% notes page.notes %}  {% stages steps %}  {% facts facts %}  {% table t %}
    {% timeline lines %}  {% objects objects %}  {% items items %}  {% verdicts verdicts %}
    {% deliveries deliveries %}  {% filters f %}  {% pager p %}  {% fields form %}  {% form_fields django_form %}
    {% empty e %}  {% progress p %}  {% loading l %}  {% question q title= id= %}  {% checks checks %}  {% bar count %}

Markup longer than a line is in `templates/parts/`; nothing here decides what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from django import forms, template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from postroom.web.parts import words as inline
from postroom.web.parts.diff import Span, both
from postroom.web.parts.forms import Field, Form, FormPart, Rows, fields_of
from postroom.web.parts.shapes import Act, Badge, Cell, FieldDiff, Words

register = template.Library()

WEIGHTS = {
    "plain": "",
    "primary": " btn-primary",
    "asks": " btn-outline-danger",
    "danger": " btn-danger",
    "ghost": " btn-ghost-secondary",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    return inline.icon(name)


@register.simple_tag
def words(said: Words | None) -> SafeString:
    return inline.words(said)


@register.filter
def as_cell(cell: Cell | Words) -> Cell:
    """A table's cell, also where only words were given."""
    return cell if isinstance(cell, Cell) else Cell(cell)


@register.filter
def at(things: tuple[object, ...], place: int) -> object:
    return things[place]


@register.filter
def is_rows(part: FormPart) -> bool:
    return isinstance(part, Rows)


@register.filter
def with_article(noun: str) -> str:
    """`a forward`, `an exception`."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


@register.filter
def btn(weight: str) -> str:
    """The class of a button's weight."""
    return WEIGHTS[weight]


@register.filter
def sides(field: FieldDiff) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The spans before and after."""
    return both(field)


@register.simple_tag(takes_context=True)
def act(context: Context, shown: Act, large: bool = False) -> SafeString:
    """A button: a link, or a form of its own where it posts."""
    size = "" if large else " btn-sm"
    of = format_html('<span class="visually-hidden">: {}</span>', shown.of) if shown.of else ""
    drawn = inline.icon(shown.icon) if shown.icon else ""
    css = f"btn{size}{WEIGHTS[shown.weight]}"
    if shown.method == "get":
        return format_html('<a class="{}" href="{}">{}{}{}</a>', css, shown.url, drawn, shown.words, of)
    hidden = [("csrfmiddlewaretoken", str(context.get("csrf_token", ""))), *shown.hidden]
    return format_html(
        '<form method="post" action="{}" class="act">{}<button type="submit" class="{}">{}{}{}</button></form>',
        shown.url,
        hidden_fields(hidden),
        css,
        drawn,
        shown.words,
        of,
    )


@register.simple_tag
def hidden_fields(pairs: Iterable[tuple[str, str]]) -> SafeString:
    drawn = (format_html('<input type="hidden" name="{}" value="{}">', name, value) for name, value in pairs)
    return mark_safe("".join(drawn))


@register.simple_block_tag(takes_context=True)
def card(
    context: Context,
    content: str,
    title: str,
    sub: Words = "",
    url: str = "",
    more: str = "",
    badge: Badge | None = None,
    css: str = "",
    anchor: str = "",
) -> SafeString:
    """A card named by its heading; `more` with `url` is the link at the right."""
    right = [inline.badge(badge)] if badge else []
    if url:
        of = format_html('<span class="visually-hidden">: {}</span>', title)
        right.append(format_html('<a href="{}">{}{}</a>', url, more, of))
    return format_html(
        '<section class="card{}" aria-labelledby="{id}"><div class="ch"><h2 id="{id}" tabindex="-1">{}</h2>{}{}</div>{}'
        "</section>",
        f" {css}" if css else "",
        title,
        format_html('<span class="sub">{}</span>', inline.words(sub)) if sub else "",
        format_html('<div class="chr">{}</div>', mark_safe("".join(right))) if right else "",
        content,
        id=anchor or f"h-{slugify(title)}",
    )


def part(name: str, key: str) -> None:
    """A tag that draws one shape with a template of its own, which finds it as `key`."""

    def draw(context: Context, shown: object, **more: object) -> SafeString:
        found = {"csrf_token": context.get("csrf_token", ""), "request": context.get("request"), key: shown, **more}
        engine = context.template.engine  # type: ignore[union-attr]
        return engine.get_template(f"parts/{name}.html").render(Context(found))

    draw.__doc__ = f"`parts/{name}.html`"
    register.simple_tag(draw, takes_context=True, name=name)


for name, key in (
    ("page_head", "head"),
    ("notes", "notes"),
    ("stages", "steps"),
    ("facts", "facts"),
    ("table", "table"),
    ("timeline", "lines"),
    ("objects", "objects"),
    ("items", "items"),
    ("verdicts", "verdicts"),
    ("deliveries", "deliveries"),
    ("filters", "filters"),
    ("pager", "pager"),
    ("field", "field"),
    ("fields", "form"),
    ("empty", "empty"),
    ("progress", "progress"),
    ("loading", "loading"),
    ("question", "question"),
    ("checks", "checks"),
):
    part(name, key)


class Bar(TypedDict):
    count: object
    parts: list[tuple[str, float, float]]
    total: int


@register.inclusion_tag("parts/bar.html")
def bar(count: object) -> Bar:
    """How a check stands over all domains, as one bar. Widths in hundredths of the whole."""
    named = [(name, int(getattr(count, name))) for name in ("good", "warn", "bad", "unmeasured")]
    total = sum(number for _, number in named)
    at, parts = 0.0, []
    for name, number in named:
        width = 100 * number / total if total else 0.0
        parts.append((name, round(at, 2), round(width, 2)))
        at += width
    return {"count": count, "parts": parts, "total": total}


@register.simple_tag
def form_fields(form: forms.BaseForm) -> tuple[Field, ...]:
    """A Django form's fields as ours: `{% form_fields form as drawn %}`."""
    return fields_of(form)


@register.simple_tag
def form_of(form: forms.BaseForm, submit: str = "", url: str = "") -> Form:
    """A Django form as ours, errors of the whole form too."""
    return Form(fields_of(form), submit, url=url, errors=tuple(str(error) for error in form.non_field_errors()))
