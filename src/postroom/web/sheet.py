"""The inventory sheet of a client: what is known of who holds and owns what, a part at a time; and as a file."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import render

from postroom.access.declared import ALWAYS, EXPORT
from postroom.access.roles import SHEET
from postroom.changes.errors import NotAllowed
from postroom.models import Client
from postroom.queries import sheet as sheets
from postroom.queries.objects import row_of
from postroom.queries.sheet import PARTS, Complete, Line, Part
from postroom.queries.sheet_files import take_out
from postroom.web.door import act, page
from postroom.web.framed import freeze_notes
from postroom.web.lists import Narrow, reason
from postroom.web.parts.forms import Field, Form, Option
from postroom.web.parts.pages import SheetPage
from postroom.web.parts.shapes import Badge, Cell, Column, Crumb, Empty, Fact, Link, PageHead, Row, Table, Words
from postroom.web.step_up import fresh

UNKNOWN = Badge("unknown", "not known")
LINKS = {"domains": "/domains/", "mailboxes": "/mailboxes/"}
BELOW = {"registrar_account": "registrar", "registrar_account_holder": "registrar_holder"}
NOTHING = {
    "domains": Empty("No domain yet", "Mail starts with a domain.", "world"),
    "mailboxes": Empty("No mailbox yet", "Mailboxes hang on the client\u2019s domains.", "mailbox"),
    "routes": Empty("No route yet", "Aliases pass mail on to other addresses of the client.", "route"),
    "forwards": Empty("No forward", "Forwards pass mail of an address on to another, until a day.", "route"),
    "catch_alls": Empty("No catch-all", "Mail to an address that is none is refused.", "route"),
    "roles": Empty("Nobody", "Nobody whom you see may act here.", "users"),
}  # fmt: skip


@page("sheets.view", recorded="clients")
def sheet(request: Any, ref: str) -> HttpResponse:
    one: Client = row_of(request.actor, "clients", ref)
    if one.pk in request.access.closed:
        raise NotAllowed(f"{one.name} closed itself to the organization")
    request.opened = one
    narrow = Narrow(request)
    part = PARTS.get(narrow["part"], PARTS["domains"])
    found = part.read(request.actor, one, narrow.after or None, sheets.SIZE)
    known = sheets.complete(request.actor, one)
    names = [line.cells[0] or "" for line in found.items]
    shown = SheetPage(
        head=_head(one, sheets.total(known)), notes=freeze_notes(request, one.pk), label=part.title,
        parts=tuple(Link(each.title, narrow.url(part=each.name), strong=each is part) for each in PARTS.values()),
        table=_table(part, found.items), pager=narrow.pager(names, found.next),
        empty=None if found.items else NOTHING[part.name], facts=_facts(one, known),
        export=_form(one) if request.access.can(SHEET, one.pk) else None,
    )  # fmt: skip
    return render(request, "sheet.html", {"page": shown})


def _head(one: Client, whole: Complete) -> PageHead:
    return PageHead(
        f"Inventory sheet of {one.name}", "who holds, owns and may do what",
        crumbs=(Crumb("Clients", "/clients/"), Crumb(one.name, f"/clients/{one.slug}/")),
        badges=(far(whole),),
    )  # fmt: skip


def far(one: Complete) -> Badge:
    """Never good while something is not known; of nothing, nothing is said."""
    if not one.of:
        return Badge("fact", "nothing to know yet")
    words = f"{one.known} of {one.of} known"
    return Badge("good", words) if one.whole else Badge("unknown", words)


def _table(part: Part, lines: Any) -> Table:
    """The account's address stands below the registrar, who holds it below who holds the login: eight columns fit."""
    titles = [words for name, words in part.columns if name not in BELOW]
    return Table(
        part.title, tuple(map(Column, titles)), tuple(_row(part, line) for line in lines), dense=True, high=True
    )


def _row(part: Part, line: Line) -> Row:
    said = dict(zip((name for name, _ in part.columns), line.cells, strict=True))
    below = {BELOW[column]: said.pop(column) for column in BELOW if column in said}
    cells: list[Cell | Words] = [
        Cell(_or_unknown(one), _or_unknown(below[column])) if column in below else _or_unknown(one)
        for column, one in said.items()
    ]
    name = line.cells[0] or ""
    if part.name in LINKS:
        cells[0] = Link(name, f"{LINKS[part.name]}{name}/", strong=True)
    return Row(tuple(cells), name=name)


def _or_unknown(said: str | None) -> Words:
    return UNKNOWN if said is None else said


def _facts(one: Client, known: Any) -> tuple[Fact, ...]:
    return (
        Fact("Mail leaves", one.sending if one.sending != sheets.UNKNOWN else UNKNOWN),
        Fact("Security contact", one.security_contact or UNKNOWN),
        Fact("May ask for changes", ", ".join(one.may_ask) or UNKNOWN),
        Fact("Of domains", far(known["domains"])),
        Fact("Of mailboxes", far(known["mailboxes"])),
    )


def _form(one: Client) -> Form:
    fields = (
        Field("format", "As", "select", options=(Option("pdf", "PDF"), Option("csv", "CSV")), required=True),
        Field("why", "Why", "text", hint="Stands in the record.", required=True, maxlength=1000),
    )
    return Form(fields, "Export", f"/clients/{one.slug}/sheet/export/", icon="download")


@act(SHEET, step_up=ALWAYS, recorded=EXPORT)
def export(request: Any, ref: str) -> Any:
    """The whole sheet as a file; that it is taken out is an entry before it is made."""
    wanted = str(request.POST.get("format", ""))
    found = take_out(request.actor, ref, as_file=wanted, why=reason(request), fresh=fresh(request))
    answer = FileResponse(found.file, as_attachment=True, filename=found.name, content_type=found.type)
    answer["Cache-Control"] = "no-store"
    return answer
