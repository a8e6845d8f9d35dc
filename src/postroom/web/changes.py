"""The timeline: every change this person may see, newest first, narrowed by client, object, person, stage, time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.queries.changes import timeline, touching
from postroom.queries.lists import SIZE
from postroom.web.door import page
from postroom.web.framed import freeze_notes
from postroom.web.lines import lines
from postroom.web.lists import Narrow, scopes
from postroom.web.parts.change_pages import ChangesPage
from postroom.web.parts.forms import Field, Option
from postroom.web.parts.shapes import Act, Empty, PageHead
from postroom.web.times import when

STAGES = tuple(
    Option(value, words)
    for value, words in (
        ("", "Every stage"), ("held,scheduled", "Waits"), ("applied", "Not verified yet"), ("verified", "Verified"),
        ("refused", "Refused"), ("withdrawn", "Withdrawn"), ("stale", "Stale"),
    )
)  # fmt: skip

BY = (Option("", "By anybody"), Option("people", "By people"), Option("postroom", "By Postroom itself"))
ACTORS = {"people": ("person", "owner", "code", "link", "founder"), "postroom": ("system", "clock")}


@page("changes.view")
def changes(request: Any) -> HttpResponse:
    narrow = Narrow(request, by_id=True)
    found = timeline(
        request.actor, client=narrow["client"] or None, object=narrow["object"] or None, person=_person(narrow) or None,
        stage=narrow["stage"] or None, actors=ACTORS.get(narrow["by"], ()),
        since=day_of(narrow["since"]), until=day_of(narrow["until"], end=True),
        after=narrow.after or None, limit=SIZE,
    )  # fmt: skip
    fields = [
        narrow.select("by", "By", BY),
        narrow.select("client", "Client", scopes(request)), narrow.select("stage", "Stage", STAGES),
        Field("object", "About", "text", narrow["object"], placeholder="address, domain, client, id"),
        Field("since", "From", "date", narrow["since"]), Field("until", "To", "date", narrow["until"]),
    ]  # fmt: skip
    filters = narrow.filters("Changes", fields)
    search = Field(
        "q", "By whom: a mail address", "search", narrow["q"] or narrow["person"], placeholder="By whom: address"
    )
    shown = ChangesPage(
        head=PageHead("Changes", "who, why, before and after"), notes=freeze_notes(request),
        filters=type(filters)("Changes", search, filters.fields, filters.chips), lines=lines(found.items),
        pager=narrow.pager([when(one["now"]) for one in found.items], found.next, next_words="Older"),
        empty=None if found.items else _nothing(request, narrow),
    )  # fmt: skip
    return render(request, "changes.html", {"page": shown})


def _nothing(request: Any, narrow: Narrow) -> Empty:
    """Why there is no line; of what is not there the same words as of what is not theirs to see."""
    typed = narrow["object"]
    if not typed or touching(request.actor, typed):
        return narrow.nothing("change", "Whatever is done appears in this list.", "history")
    words = "No client, domain, address, person or node that you may see goes by this name or id, or no change of it is"
    away = Act("Show changes of everything", narrow.url(object=""), icon="filter-off")
    return Empty(f"Nothing about {typed}", f"{words} yours to see.", "search-off", (away,))


def _person(narrow: Narrow) -> str:
    return (narrow["q"] or narrow["person"]).lower()


def day_of(text: str, *, end: bool = False) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    at = datetime.combine(day, time(), UTC)
    return at + timedelta(days=1, seconds=-1) if end and day < date.max else at
