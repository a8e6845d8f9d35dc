"""What happened to a mailbox, in its owner's words: who changed it, who looked at it, who signed in."""

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.acting import SYSTEM, acting_as
from postroom.queries.owning import Happened, lately, story
from postroom.web.entries import of_mailbox
from postroom.web.lines import HIDDEN, OURS
from postroom.web.mailbox_door import Asked, mailbox_act, mailbox_page, told
from postroom.web.parts.plain_pages import OwnerStory
from postroom.web.parts.shapes import Act, Item, Words
from postroom.web.recorded import words
from postroom.web.times import when
from postroom.web.titles import WORDS

KNOWN = "It is in the record that you know these changes."
NOT_KNOWN = (
    "It is in the record that you do not know all of these changes, where {client} and whoever runs its mail read it."
    " Tell them now: they see who made each, and can take it back."
)


def item(one: Happened) -> Item:
    """One entry as a line. Of a change its kind alone: it may have been about others too."""
    who = "you" if one.mine else _who(one)
    sub = " · ".join(part for part in (f"{when(one.at)} UTC", who, one.why or "") if part)
    return Item(_what(one), sub, icon="eye" if one.said == "looked at" else "point")


def _what(one: Happened) -> Words:
    if one.facts is not None:
        return words({"table": "events", "facts": one.facts, "said": one.said})
    return WORDS[one.said][0] if one.said in WORDS else one.said or "Something that has no words here"


def _who(one: Happened) -> str:
    facts = one.facts or {}
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
        items=tuple(map(item, found.items)), further=further, none="Nothing yet.",
    )  # fmt: skip
    return render(request, "owner/story.html", {"page": page})


@mailbox_page
def recent(request: Asked) -> HttpResponse:
    """What could send mail, or the way in, to somebody else: to be known again, or not."""
    page = OwnerStory(
        organization="", client=request.own.client_name, title="Do you know these changes?",
        lead="Each could send your mail, or the way into your mailbox, to somebody else. They are of the last 14 days.",
        items=tuple(map(item, lately(request.actor))), none="There was none.", asks=True,
    )  # fmt: skip
    return render(request, "owner/story.html", {"page": page})


@mailbox_act(recorded="whether they are known")
def answer(request: Asked) -> HttpResponse:
    """Whether the owner knows them: an entry, where the client and its operators read it."""
    known, own = request.POST.get("known") == "yes", request.own
    with acting_as(SYSTEM):
        what = "recent changes known" if known else "recent changes not known"
        of_mailbox(what, own.mailbox, own.client, own.address, name="its owner")
    if known:
        return told(request, "Thank you", KNOWN)
    return told(request, "Tell them now", NOT_KNOWN.format(client=own.client_name))
