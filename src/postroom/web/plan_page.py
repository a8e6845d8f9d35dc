"""The plan of what is asked, before it is sent: what would be different, what it means, who has to agree."""

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.acting import acting_as
from postroom.access.scope import visible
from postroom.changes.pipeline import somebody_else
from postroom.changes.policy import Proposed
from postroom.models import Client
from postroom.queries.before_after import undone
from postroom.queries.changes import previewed
from postroom.queries.naming import Names
from postroom.web import landing
from postroom.web.consequences import CLOSES, consequence, untouched
from postroom.web.framed import freeze_notes
from postroom.web.kind_form import KindForm
from postroom.web.parts.change_pages import PlanPage
from postroom.web.parts.forms import Field, Form
from postroom.web.parts.shapes import Act, Code, Crumb, Fact, Note, PageHead, Strong, Words
from postroom.web.plans import PAGES, counted, deliveries, left_out, likeness, objects, verdicts
from postroom.web.titles import title

MOVED = Note("What stands here changed since you looked", "This is the plan as it is now; look again, then send it.",
             tone="warn", alert=True)  # fmt: skip
HELD = "It is held for a second person, who sees exactly this plan."
ALONE = (
    "Nobody else could approve it. So it waits for a day at least, and you, the owners and the postmaster get a letter "
    "with a link that stops it; then it is made by itself."
)


def plan_page(
    request: Any, asked: KindForm, proposed: Proposed, *, key: str, moved: bool = False, typed: str | None = None
) -> HttpResponse:
    """`moved`: the plan is another than the one that was sent. `typed`: what stood where a word was to be typed."""
    with acting_as(request.actor):
        found = previewed(proposed)
        names = Names(found["edits"])
        client = visible(request.actor, Client).filter(pk__in=[proposed.plan.client]).first()
        back = undone([{"id": "plan", "undoes": str(proposed.change.undoes_id or "")}]).get("plan")
        said = title(proposed.change.kind, proposed.change.params, names, back)
        refuses = any(one["says"] == "refuse" for one in found["verdicts"])
        held = any(one["says"] == "hold" for one in found["verdicts"])
        who = (HELD if somebody_else(proposed) else ALONE) if held else ""
        shown = PlanPage(
            head=PageHead(f"The plan: {_lower(said)}", "Nothing is changed yet", crumbs=_crumbs(asked)),
            notes=(*((MOVED,) if moved else ()), *freeze_notes(request, proposed.plan.client)),
            objects=objects(found["edits"], names), objects_sub=counted(found["edits"], found["more_edits"]),
            left_out=left_out(found["left_out"], names), landing=landing.table(found),
            not_touched=untouched(proposed.plan.by_table.keys()),
            verdicts=verdicts(found["verdicts"]), deliveries=() if refuses else deliveries(proposed),
            facts=_facts(request, asked), what=_what(request, asked, found, names, client, who),
            form=None if refuses else _form(asked, proposed, found, said, key, typed), back=_back(asked),
        )  # fmt: skip
    answer = render(request, "plan.html", {"page": shown}, status=422 if typed is not None else 200)
    # It answers a POST: a browser that may not keep it comes back to a question whether to send the form once more.
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _crumbs(asked: KindForm) -> tuple[Crumb, ...]:
    return Crumb("What can be done", "/do/"), Crumb("The form", f"/do/{asked.name}/")


def _what(
    request: Any, asked: KindForm, found: dict[str, Any], names: Names, client: Client | None, held: str
) -> tuple[Words, ...]:
    """Whose it is, the full name, what it means, whether somebody else has to agree."""
    whose = client.name if client else request.around.organization if not _made(found) else _made(found)
    said: list[Words] = [
        ("For", Strong(whose), ":", f"{len(found['edits'])} objects." if len(found["edits"]) > 1 else "one object.")
    ]
    said += [("This is", Strong(full), Code(address)) for address, full in _people(found, names)]
    if words := consequence(asked.name):
        said.append(words)
    if held:
        said.append(held)
    elif any(verdict["says"] == "refuse" for verdict in found["verdicts"]):
        pass  # the page says that it is refused, and by what
    elif asked.at:
        said.append(f"It is applied by the clock at {asked.at:%d %b %Y %H:%M} UTC, unless somebody withdraws it.")
    else:
        said.append("It is applied at once, in one step: all of it or nothing.")
    return tuple(said)


def _made(found: dict[str, Any]) -> str:
    return next(
        (str(one["after"]["name"]) for one in found["edits"] if one["table"] == "clients" and not one["before"]), ""
    )


def _people(found: dict[str, Any], names: Names) -> list[tuple[str, str]]:
    """(address, full name) of the mailboxes and people an act is about; a few, where there are many."""
    about = [
        one["id"] for one in found["edits"] if one["table"] in ("mailboxes", "people") and one["before"] is not None
    ]
    rows = [(id, names.rows[id][1]) for id in about if id in names.rows]
    known = [(str(row.get("email") or names(id)), str(row["name"])) for id, row in rows if row.get("name")]
    return known[:5]


def _facts(request: Any, asked: KindForm) -> tuple[Fact, ...]:
    return (Fact("Asked by", request.actor.name), Fact("Why", asked.why), Fact("Ticket", asked.ticket or "none"),
            Fact("Kind", Code(asked.name)))  # fmt: skip


def _form(asked: KindForm, proposed: Proposed, found: dict[str, Any], said: str, key: str, typed: str | None) -> Form:
    held = any(one["says"] == "hold" for one in found["verdicts"])
    hidden = (*asked.hidden(), ("step", "send"), ("seen", likeness(proposed)), ("key", key))
    word = asked.confirm_word(proposed)
    error = f"This is not {word}" if typed is not None else ""
    fields = (Field("typed", f"Type {word} to go on", value=typed or "", error=error, required=True),) if word else ()
    closes = asked.name in CLOSES
    return Form(
        fields, f"Propose it: {_lower(said)}" if held else said, f"/do/{asked.name}/",
        weight="danger" if closes and not held else "primary", icon="send" if held else "check", hidden=hidden,
    )  # fmt: skip


def _back(asked: KindForm) -> Act:
    """What closes something leads back to the page of what stays as it is; anything else back to the form."""
    if asked.name in CLOSES:
        return Act("Keep as it is", _page_of(asked))
    return Act("Change it", f"/do/{asked.name}/", "pencil", method="post", hidden=(*asked.hidden(), ("step", "edit")))


def _page_of(asked: KindForm) -> str:
    first = asked.params[0]
    prefixes = asked.prefixes()
    if first.ref in PAGES and len(prefixes) == 1 and (ref := asked.typed.get(prefixes[0] + first.name)):
        return f"{PAGES[first.ref]}{quote(ref)}/"
    return PAGES.get(first.ref, "/")
