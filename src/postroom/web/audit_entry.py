"""One entry of the record: what it holds, where it stands in the log, and what proves that it does."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.posture.signed import Signed, signed
from postroom.queries.entries import entry as read
from postroom.queries.naming import Names
from postroom.web import recorded
from postroom.web.audit import alarms
from postroom.web.door import page
from postroom.web.parts.audit_pages import Copied, EntryPage
from postroom.web.parts.plain import field_words, shown
from postroom.web.parts.shapes import Badge, Code, Crumb, Fact, Link, PageHead, Words
from postroom.web.plans import SHOWN, objects
from postroom.web.times import when

SAID = ("what", "why", "ticket", "at", "person", "name", "client_id", "noun", "object")  # said above already
HOW: tuple[Words, ...] = (
    ("Take the client’s record out, and run", Code("python3 verify.py FOLDER KEY"), "on any machine: it hashes"
     " every entry again and leads it to the root that was signed."),
    ("On the machine itself", Code("postroom audit verify"), "does the same with the whole log."),
    "By hand: fold the hashes of the proof into the leaf as RFC 9162, 2.1.3.2 says; what comes out is the root that"
    " stands in the checkpoint, in base64.",
)  # fmt: skip


@page("entries.view")
def entry(request: Any, number: int) -> HttpResponse:
    now = signed()
    one = read(request.actor, number, now)
    names = Names(one["lines"])
    lines = one["lines"]
    crumbs = (Crumb("Audit log", "/audit/"),)
    page = EntryPage(
        head=PageHead(recorded.words(one, names), recorded.who(one), crumbs=crumbs, badges=(recorded.proof(one),)),
        notes=alarms(now), objects=objects(lines, names), objects_sub=_counted(lines, one["more_lines"]),
        facts=_facts(one), told=_told(one), place=_place(one, now), copies=tuple(_copies(one)), how=HOW,
    )  # fmt: skip
    return render(request, "entry.html", {"page": page})


def _counted(lines: list[Any], more: bool) -> str:
    words = f"{len(lines)}{' or more' if more else ''} object{'' if len(lines) == 1 else 's'}"
    return f"{words}, {SHOWN} shown" if len(lines) > SHOWN else words


def _facts(one: Mapping[str, Any]) -> tuple[Fact, ...]:
    client: Any = "the organization itself"
    if one["client"]:
        client = Link(one["client_name"], f"/clients/{one['client']}/")
    facts = [
        Fact("Who", recorded.who(one), Code(one["who"]["email"]) if one["who"] else ""), Fact("At", client),
        Fact("When", f"{when(one['at'], seconds=True)} UTC"), Fact("Why", recorded.why(one) or "no reason given"),
    ]  # fmt: skip
    if one["table"] == "changes":
        was = f"{one['was']} before" if one["was"] else "the first of this change"
        facts.append(Fact("Moved to", recorded.moved(one) or Badge("unknown", "erased"), was))
        facts.append(Fact("Change", Link("this change", f"/changes/{one['about']}/")))
    if one["version"]:
        facts.append(Fact("Version", str(one["version"]), "that this entry made"))
    return tuple(facts)


def _told(one: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What else an event says, each fact by its name."""
    if one["table"] == "changes" or not one["facts"]:
        return ()
    left = {name: value for name, value in one["facts"].items() if name not in SAID and value not in (None, "")}
    return tuple(Fact(field_words(name), shown(value) or "nothing") for name, value in left.items())


def _place(one: Mapping[str, Any], now: Signed) -> tuple[Fact, ...]:
    if one["index"] is None:
        return (Fact("Place", recorded.proof(one), "the sequencer gives it one within a second"),)
    where = f"of {one['client_name']}" if one["client"] else "of the organization"
    return (
        Fact("In the log", f"{one['index']:,}", "counted from 0"),
        Fact("Number", f"{one['number']:,}", f"{where}, counted from 0"),
        Fact("Proof", recorded.proof(one), recorded.reach(now)),
    )


def _copies(one: Mapping[str, Any]) -> Any:
    yield Copied("leaf", "Leaf hash, hex", one["leaf"])
    if one["inclusion"] is not None:
        yield Copied("proof", "Inclusion proof, hex, from the leaf up", "\n".join(one["inclusion"]) or "none: one leaf")
    if one["checkpoint"]:
        yield Copied("note", "Checkpoint", one["checkpoint"])
