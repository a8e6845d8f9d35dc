"""The inventory sheet as a file to take away, CSV or PDF: it stands in the record first, then it is made.

Under row security, as whoever asks. Rows are read and written a page at a time.
"""

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.utils import timezone

from postroom.access.acting import Actor, acting_as
from postroom.access.roles import SHEET
from postroom.changes.errors import Problem
from postroom.models import Client
from postroom.protocols import csv_cells

from . import sheet
from .exporting import exporting
from .objects import row_of
from .pdf_pages import Pages

MISSING = "not known"
SHARES = {"domains": (3, 2, 3, 2.5, 2.5, 2.5, 1.5, 2.5, 1.7, 1.7), "mailboxes": (4, 1, 2.5, 2.5, 2.5, 2.5),
          "routes": (1, 2), "forwards": (3, 3, 1.2, 1, 2), "catch_alls": (2, 2, 1),
          "roles": (2.5, 3, 2, 2, 1.2, 1.2)}  # fmt: skip


@dataclass(frozen=True)
class File:
    """An open file that is nowhere any more once it is closed; what to call it, and what it is."""

    file: IO[bytes]
    name: str
    type: str


@dataclass(frozen=True)
class Sheet:
    """What a file is made of."""

    client: Client
    complete: Mapping[str, sheet.Complete]
    at: datetime
    rows: Callable[[sheet.Part], Iterator[sheet.Line]]

    @property
    def head(self) -> tuple[tuple[str, str], ...]:
        whole = sheet.total(self.complete)
        contact = self.client.security_contact or MISSING
        return (
            ("Client", self.client.name), ("As of", f"{self.at:%Y-%m-%d %H:%M} UTC"),
            ("Known", f"{whole.known} of {whole.of} cells"), ("Mail leaves", _known(self.client.sending)),
            ("Security contact", contact), ("May ask for changes", ", ".join(self.client.may_ask) or MISSING),
        )  # fmt: skip


def _known(said: str) -> str:
    return MISSING if said == sheet.UNKNOWN else said


def take_out(actor: Actor, ref: str, *, as_file: str, why: str, fresh: bool) -> File:
    """as_file: csv or pdf. NotThere, NotAllowed, StepUp, Problem."""
    if as_file not in WRITERS:
        raise Problem("format", "say csv or pdf")
    with exporting(actor, ref, SHEET, said="sheet exported", why=why, fresh=fresh, format=as_file) as client:
        about = client.pk
    write, sort = WRITERS[as_file]
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever is answered with it closes it
    with acting_as(actor):
        whose: Client = row_of(actor, "clients", str(about))
        write(file, Sheet(whose, sheet.complete(actor, whose), timezone.now(),
                          lambda part: sheet.every(actor, whose, part)))  # fmt: skip
    file.seek(0)
    return File(file, f"sheet-{client.slug}.{as_file}", sort)


def as_csv(file: IO[bytes], of: Sheet) -> None:
    """Facts first, then a block a part: its name in the first cell of every row, its headings in its first."""
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    text.write(csv_cells.START)
    text.writelines(csv_cells.row(("sheet", *fact)) for fact in of.head)
    for part in sheet.PARTS.values():
        text.write("\r\n" + csv_cells.row((part.name, *(words for _, words in part.columns))))
        for line in of.rows(part):
            text.write(csv_cells.row((part.name, *(MISSING if one is None else one for one in line.cells))))
    text.detach()


def as_pdf(file: IO[bytes], of: Sheet) -> None:
    pages = Pages(file, f"Inventory sheet of {of.client.name}", f"{of.client.name}, {of.at:%Y-%m-%d %H:%M} UTC")
    pages.line(f"Inventory sheet of {of.client.name}", size=14, bold=True)
    for name, said in of.head[1:]:
        pages.line(f"{name}: {said}")
    for part in sheet.PARTS.values():
        pages.gap()
        known = of.complete.get(part.name)
        pages.line(
            f"{part.title}: {known.known} of {known.of} cells known" if known else part.title, size=10, bold=True
        )
        lines = ([MISSING if one is None else one for one in line.cells] for line in of.rows(part))
        if not pages.table([words for _, words in part.columns], lines, SHARES[part.name]):
            pages.line("none")
    pages.save()


WRITERS: Mapping[str, tuple[Callable[[IO[bytes], Sheet], None], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"), "pdf": (as_pdf, "application/pdf"),
}  # fmt: skip
