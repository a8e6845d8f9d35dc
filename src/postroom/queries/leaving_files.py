"""Ways by which mail leaves as a file to take away, CSV: it stands in the record first, then it is made.

Under row security, as whoever asks; narrowed as the list is. Rows are read and written a good many at a time.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO

from django.utils import timezone

from postroom.access.acting import Actor, acting_as
from postroom.access.roles import SHEET
from postroom.protocols import csv_cells

from .coverage import Coverage, coverage
from .exporting import exporting, exporting_all
from .leaving import Asked, Way, checked, every
from .sheet_files import File

SAID = "forwards exported"
HEAD = (
    "Risk", "Client", "Address", "Mechanism", "By way of", "Condition", "Keeps a copy", "Leaves at", "Target",
    "Private provider", "Until", "Disabled", "Exception until", "Its owner", "Its reason", "Review on", "Asked by",
    "Approved by", "Allowed by", "Forbidden by", "Made by", "Made", "Script", "Last hit", "Measured since", "Blocked",
    "Stopped", "Ways to the same exit",
)  # fmt: skip
NOT_MEASURED = "not measured"


def take_out(actor: Actor, asked: Asked, *, why: str, fresh: bool) -> File:
    """All of them; of one client, or of all for who may at the organization. NotThere, NotAllowed, StepUp, Problem."""
    checked(asked)
    told = {"said": SAID, "format": "csv"}
    if asked.client:
        with exporting(actor, asked.client, SHEET, why=why, fresh=fresh, **told) as client:
            name = f"forwards-{client.slug}.csv"
    else:
        with exporting_all(actor, SHEET, why=why, fresh=fresh, **told):
            name = "forwards.csv"
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever is answered with it closes it
    with acting_as(actor):
        written(file, coverage(actor, asked.client), every(actor, asked))
    file.seek(0)
    return File(file, name, "text/csv; charset=utf-8")


def written(file: IO[bytes], known: Coverage, ways: Iterable[Way]) -> None:
    """How much is known first, and why not the rest: an empty list says nothing without."""
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    text.write(csv_cells.START)
    text.writelines(csv_cells.row(line) for line in _about(known))
    text.write("\r\n" + csv_cells.row(HEAD))
    text.writelines(csv_cells.row(_cells(one)) for one in ways)
    text.detach()


def _about(known: Coverage) -> Iterator[tuple[str, ...]]:
    yield "As of", _time(timezone.now())
    yield "Mailboxes whose scripts were checked", f"{known.checked} of {known.all}"
    for one in known.unchecked:
        yield "Not checked", str(one.mailboxes), one.words, f"{one.example} is one" if one.example else ""


def _cells(one: Way) -> tuple[str, ...]:
    made = (one.maker.by, _time(one.maker.at)) if one.maker else ("", _time(one.made))
    return (
        one.risk, one.client, one.address, one.mechanism, one.via, "some mail" if one.conditional else "all mail",
        "" if one.keeps_copy is None else _yes(one.keeps_copy), one.leaves_at, one.target or "unknown target",
        _yes(one.private), _time(one.until), _time(one.disabled_at), _time(one.exception_until),
        one.exception_owner or "", one.exception_reason or "", str(one.exception_review_on or ""),
        one.agreed.by if one.agreed else "", ", ".join(one.agreed.approved_by) if one.agreed else "",
        one.allowed or "", one.forbidden or "", *made, one.script, *_last(one),
        _yes(one.blocked), _yes(one.stopped), str(one.ways),
    )  # fmt: skip


def _last(one: Way) -> tuple[str, str]:
    since = _time(one.measured_since)
    return _time(one.last_hit) or ("never" if since else NOT_MEASURED), since or NOT_MEASURED


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
