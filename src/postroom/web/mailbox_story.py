"""What happened to a mailbox, in its owner's words: who changed it, who looked at it, who signed in."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Doubt
from postroom.queries.owning import KNOWN as SAID_KNOWN
from postroom.queries.owning import Happened, doubted, lately, story
from postroom.web.entries import of_mailbox
from postroom.web.lines import HIDDEN, OURS
from postroom.web.mailbox_door import Asked, mailbox_act, mailbox_page, told
from postroom.web.owner_words import said_of
from postroom.web.parts.plain_pages import OwnerStory
from postroom.web.parts.shapes import Act, Badge, Item, Words
from postroom.web.recorded import words
from postroom.web.times import when

KNOWN = "It is in the record that you know these changes."
OWNER = "its owner"  # as entries call whoever signed in with the mailbox's own password (web/entries.py)
OUR_OWN = ("doubts.", "recent changes")  # what its owner said of others is nothing to know or not


def items(request: Asked, told: Sequence[Happened], *, ask: bool = True) -> tuple[Item, ...]:
    """Each, with the way to say that it is not known; of what was said to be, what came of it. One query."""
    known = doubted(request.actor, request.own.mailbox, told)
    return tuple(item(one, known.get(one.entry), ask=ask) for one in told)


def item(one: Happened, doubt: Doubt | None = None, *, ask: bool = False) -> Item:
    """One entry as a line. Of a change its kind alone: it may have been about others too."""
    who = "you" if one.mine else _who(one)
    found = f"found out: {doubt.outcome}" if doubt and doubt.settled_at else ""
    sub = " · ".join(part for part in (f"{when(one.at)} UTC", who, one.why or "", found) if part)
    open_doubt = doubt is not None and doubt.settled_at is None
    not_known = Act("Not known?", f"/mailbox/doubt/?entry={one.entry}", of=str(_what(one)))
    acts = (not_known,) if ask and not open_doubt and not one.said.startswith(OUR_OWN) else ()
    badge = Badge("warn", "you do not know it") if open_doubt else None
    icon = "eye" if one.said == "looked at" else "point"
    return Item(_what(one), sub, "warn" if open_doubt else "plain", icon=icon, badge=badge, acts=acts)


def _what(one: Happened) -> Words:
    if one.facts is not None:
        return words({"table": "events", "facts": one.facts, "said": one.said})
    return said_of(one.said)


def _who(one: Happened) -> str:
    facts = one.facts or {}
    if facts.get("name") == OWNER and facts.get("source"):
        return f"from {facts['source']}"
    if one.name or facts.get("name"):
        return str(one.name or facts["name"])
    if one.facts is not None:
        return f"from {facts['source']}" if facts.get("source") else ""
    return OURS.get(one.actor, HIDDEN)


@mailbox_page
def record(request: Asked) -> HttpResponse:
    """All of it, page by page."""
    found = story(request.actor, after=request.GET.get("after", ""))
    further = Act("Earlier", f"/mailbox/record/?after={found.next}") if found.next else None
    page = OwnerStory(
        organization="", client=request.own.client_name, title="What happened to your mailbox",
        lead="Who changed it, who opened its page here, and who signed in. Nobody can take an entry away.",
        items=items(request, found.items), further=further, none="Nothing yet.",
    )  # fmt: skip
    return render(request, "owner/story.html", {"page": page})


@mailbox_page
def recent(request: Asked) -> HttpResponse:
    """What could send mail, or the way in, to somebody else: to be known again, or not."""
    shown = items(request, lately(request.actor))
    page = OwnerStory(
        organization="", client=request.own.client_name, title="Do you know these changes?",
        lead="Each could send your mail, or the way into your mailbox, to somebody else. They are of the last 14 days.",
        items=shown, none="There was none.", asks=all(one.badge is None for one in shown),
    )  # fmt: skip
    return render(request, "owner/story.html", {"page": page})


@mailbox_act(recorded="that they are known")
def answer(request: Asked) -> HttpResponse:
    """The owner knows them: an entry, where the client and its operators read it."""
    own = request.own
    with acting_as(SYSTEM):
        of_mailbox(SAID_KNOWN, own.mailbox, own.client, own.address, name=OWNER)
    return told(request, "Thank you", KNOWN)
