"""A timeline's lines: what, before and after, who, why; newest first as they come. Two queries and those for names."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from postroom.queries.before_after import few_edits, undone
from postroom.queries.naming import Names
from postroom.web.badges import stage
from postroom.web.parts.shapes import Badge, FieldDiff, Line, Link, Words
from postroom.web.plans import said
from postroom.web.times import iso, when
from postroom.web.titles import icon_of, title

FIELDS = 4  # of a line; the change's own page shows all
HIDDEN = "somebody at the organization"  # row security shows a client its own people alone
OURS = {
    "person": HIDDEN,
    "system": "Postroom itself",
    "clock": "the clock",
    "founder": "the founder",
    "link": "whoever had the link",
    "owner": "the mailbox's owner",
    "code": "whoever had the recovery code",
}
LONG = 160


def lines(items: Sequence[Mapping[str, Any]], about: Sequence[UUID] = ()) -> tuple[Line, ...]:
    """about: rows of the one object whose timeline this is."""
    few, back = few_edits(items, about), undone(items)
    names = Names(edit for edits in few.values() for edit in edits)
    return tuple(_line(one, few.get(one["id"], []), names, back.get(one["id"])) for one in items)


def _line(
    one: Mapping[str, Any], edits: Sequence[Mapping[str, Any]], names: Names, back: tuple[str, Any] | None
) -> Line:
    words = headed(one, edits, names, back)
    shown: list[Any] = [Link(words, f"/changes/{one['id']}/", strong=True)]
    if one["stage"] != "verified":
        shown.append(stage(one["stage"]))
    if one["undone_by"]:
        shown.append(Badge("fact", "undone", "arrow-back-up"))
    if one.get("erased"):
        shown.append(Badge("fact", "erased", "history-off"))
    return Line(
        tuple(shown), when(one["now"]), by=by(one), tone=_tone(one["stage"]), icon=icon_of(one["kind"]),
        iso=iso(one["now"]), diff=_diff(edits, names),
    )  # fmt: skip


def headed(
    one: Mapping[str, Any], edits: Sequence[Mapping[str, Any]], names: Names, back: tuple[str, Any] | None
) -> str:
    """What one change does; one that was asked by a link alone has no parameters, and says for whom the link was."""
    words = title(one["kind"], one["params"], names, back)
    link = next((edit["id"] for edit in edits if edit["table"] == "invites"), "") if one["actor"] == "link" else ""
    return f"{words} {names(link)}" if link and names(link) != link else words


def by(one: Mapping[str, Any]) -> Words:
    """Who · why · ticket; where these were erased, by what. No known actor is said so."""
    who: Any = one["proposer"]["name"] if one["proposer"] else OURS.get(one["actor"])
    more = [part for part in (one["why"], one["ticket"]) if part]
    if gone := one.get("erased"):
        return (
            who or "unknown actor",
            f"· erased on {when(gone['at'])} by",
            Link("a change", f"/changes/{gone['by']}/"),
        )
    if who is None:
        return (Badge("unknown", "unknown actor"), " · ".join(more))
    return " · ".join([who, *more])


def _tone(name: str) -> Any:
    return "ok" if name in ("verified", "applied", "proposed") else "warn"


def _diff(edits: Sequence[Mapping[str, Any]], names: Names) -> tuple[FieldDiff, ...]:
    known = names.known()
    fields: list[FieldDiff] = []
    for edit in edits:
        if edit["table"] == "secrets" and edit["after"] is None:
            continue  # an old link or password that went with a newer one says nothing by itself
        whole = said(edit, names, known)
        if edit.get("erased"):
            fields.append(FieldDiff(whole.noun, None, whole.what))
        elif edit["before"] is None or edit["after"] is None:
            label = _cut(whole.label)
            fields.append(FieldDiff(whole.noun, *((None, label) if edit["before"] is None else (label, None))))
        else:
            fields += [FieldDiff(one.field, _cut(one.before), _cut(one.after)) for one in whole.fields]
    return tuple(fields[:FIELDS])


def _cut(text: Any) -> Any:
    return text if text is None or len(text) <= LONG else text[:LONG] + "…"
