"""Audit log: every entry of the record with how far it is proven; a kept checkpoint compared; one client's export."""

from collections.abc import Mapping
from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render

from postroom.access.declared import ALWAYS, EXPORT
from postroom.posture.signed import Signed, signed
from postroom.queries.entries import Wanted, entries
from postroom.queries.lists import SIZE
from postroom.queries.proofs import Compared, compared
from postroom.queries.take_out import take_out
from postroom.web import recorded
from postroom.web.changes import day_of
from postroom.web.door import act, page
from postroom.web.framed import freeze_notes
from postroom.web.lists import Narrow, reason, scopes
from postroom.web.parts.audit_pages import EntriesPage
from postroom.web.parts.forms import Field, Form, Option
from postroom.web.parts.shapes import Badge, Cell, Code, Column, Fact, Link, Note, PageHead, Row, Table
from postroom.web.step_up import fresh
from postroom.web.times import when

COLUMNS = (
    Column("Entry"), Column("Who", phone="under"), Column("Client", phone="gone"), Column("When"),
    Column("Proof", phone="right"),
)  # fmt: skip
LONGEST = 4_000  # characters of a pasted checkpoint


@page("entries.view")
def audit(request: Any) -> HttpResponse:
    return _shown(request)


@page("entries.view")
def compare(request: Any) -> HttpResponse:
    """Hold a pasted checkpoint against the log; nothing is kept of it."""
    pasted = str(request.POST.get("checkpoint", ""))[:LONGEST].replace("\0", "\ufffd")
    return _shown(request, pasted, compared(pasted))


@act("entries.export", step_up=ALWAYS, recorded=EXPORT)
def export(request: Any) -> Any:
    """One client's record as an archive; that it is taken out is an entry before it is made."""
    client, why = str(request.POST.get("client", "")), reason(request)
    archive = take_out(request.actor, client, why=why, fresh=fresh(request))
    answer = FileResponse(archive.file, as_attachment=True, filename=archive.name, content_type="application/zip")
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(request: Any, pasted: str = "", found: Compared | None = None) -> HttpResponse:
    narrow, now = Narrow(request), signed()
    listed = entries(request.actor, _wanted(narrow), now)
    filters = narrow.filters("Entries", _fields(request, narrow))
    search = Field("q", "About: an address, a domain, an id", "search", narrow["q"] or narrow["object"],
                   placeholder="About: address, domain or id")  # fmt: skip
    shown = EntriesPage(
        head=PageHead("Audit log", "everything that happened, and what proves it"),
        notes=(*_compared(found), *alarms(now), *freeze_notes(request)), label="Entries",
        filters=type(filters)("Entries", search, filters.fields, filters.chips),
        table=Table("Entries", COLUMNS, tuple(_row(one) for one in listed.items), dense=True),
        pager=narrow.pager([when(one["at"]) for one in listed.items], listed.next, next_words="Older"),
        empty=None if listed.items else narrow.nothing("entry", "Whatever happens appears in this list.", "history"),
        signed=_signed(now), compare=_compare_form(pasted), export=_export_form(request),
    )  # fmt: skip
    return render(request, "audit.html", {"page": shown})


def _wanted(narrow: Narrow) -> Wanted:
    after = narrow.after if narrow.after.isdecimal() else ""
    return Wanted(
        client=narrow["client"], person=narrow["person"], object=narrow["q"] or narrow["object"],
        said=recorded.said_by(narrow["what"]), since=day_of(narrow["since"]), until=day_of(narrow["until"], end=True),
        after=after, limit=SIZE,
    )  # fmt: skip


def _fields(request: Any, narrow: Narrow) -> list[Field]:
    return [
        narrow.select("what", "What", recorded.sorts()), narrow.select("client", "Client", scopes(request)),
        Field("person", "By", "text", narrow["person"], placeholder="By: mail address"),
        Field("since", "From", "date", narrow["since"]), Field("until", "To", "date", narrow["until"]),
    ]  # fmt: skip


def _row(one: Mapping[str, Any]) -> Row:
    words = recorded.words(one)
    client = Link(one["client_name"], f"/clients/{one['client']}/") if one["client"] else "the organization"
    return Row((
        Cell((Link(words, f"/audit/{one['id']}/", strong=True), recorded.moved(one)), recorded.why(one)),
        recorded.who(one), client, when(one["at"]), recorded.proof(one),
    ), name=words)  # fmt: skip


def alarms(now: Signed) -> tuple[Note, ...]:
    notes = []
    if now.alarm:
        words = f"{now.alarm}. Since {when(now.alarmed)} UTC. Nothing below counts as proven until this is cleared up."
        notes.append(Note("The signer signs nothing any more", words, "bad", "alert-octagon", alert=True))
    if now.wrong:
        notes.append(Note("The newest checkpoint is no good", now.wrong, "bad", "alert-octagon", alert=True))
    if now.size and not now.key:
        words = "The signer’s key cannot be read here, so no signature can be checked."
        notes.append(Note("What is signed is not known", words, "warn", "key-off"))
    return tuple(notes)


def _signed(now: Signed) -> tuple[Fact, ...]:
    state = Badge("good", "signed") if now.known and now.size else recorded.PROOFS["unknown"]
    if not now.size:
        state = Badge("waits", "nothing is signed yet")
    if now.alarm or now.wrong:
        state = Badge("bad", "not to be trusted")
    key: Any = Code(now.key) if now.key else Badge("unknown", "cannot be read here")
    return (Fact("The log", state, recorded.reach(now)), Fact("Signer’s key", key, "write it down elsewhere"))


def _compare_form(pasted: str) -> Form:
    field = Field("checkpoint", "A checkpoint that you kept", "textarea", pasted, maxlength=LONGEST, required=True,
                  hint="The whole text, from the log’s name to the line of the signature.")  # fmt: skip
    return Form((field,), "Compare", "/audit/compare/", icon="git-compare")


def _compared(found: Compared | None) -> tuple[Note, ...]:
    if found is None:
        return ()
    if found.same is None:
        return (Note("The checkpoint could not be compared", found.words, "warn", "question-mark", alert=True),)
    if found.same:
        return (Note("The checkpoint fits", found.words, icon="check", alert=True),)
    return (Note("The checkpoint does not fit", found.words, "bad", "alert-octagon", alert=True),)


def _export_form(request: Any) -> Form | None:
    """For who may take the record of at least one client away; which one is judged again when it is asked for."""
    if not request.access.can_somewhere("entries.export"):
        return None
    clients = tuple(Option(slug, name) for name, slug in request.around.clients)
    fields = (
        Field("client", "Client", "select", options=clients, required=True),
        Field("why", "Why", "text", hint="Stands in the record.", required=True, maxlength=1000),
    )
    return Form(fields, "Export", "/audit/export/", icon="download")
