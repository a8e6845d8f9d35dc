"""Ways out that were chosen in the list, and an act on all of them: the form of that act, filled in as far as is known.

Nothing is done here: the form leads to its plan, and more than a few objects wait for a second person there.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse

from postroom.access.acting import acting_as
from postroom.access.scope import visible
from postroom.changes.kind import Kind
from postroom.models import Address, Mailbox
from postroom.queries import leaving as ways
from postroom.queries.way_acts import ACTS, Exit, why_not
from postroom.web.doing import doable, shown
from postroom.web.door import act
from postroom.web.kind_form import KindForm
from postroom.web.parts.shapes import Note

MOST = 500
FOR = timedelta(days=90)  # what an exception is offered for; whoever asks may say another day
NONE_OF_THESE = "This cannot be done to any of these: why is said of each."
SAME = "another way to one that is below, which does for both"
MECHANISMS = {one.replace(" ", "-"): one for one in ways.MECHANISMS}


@act("forwards.view", recorded="")
def chosen(request: Any) -> HttpResponse:
    name = str(request.POST.get("act", ""))
    kind = doable(request, name) if name in ACTS else None
    if kind is None:
        raise Http404("no such act")
    values = request.POST.getlist("way")
    read = list(_read(values[:MOST]))
    fit = [one for one in read if not why_not(name, one)]
    rows = list(dict.fromkeys(_filled(request, name, fit)))
    form = KindForm(request.actor, kind, _typed(kind, rows))
    if not rows:
        form.add("", NONE_OF_THESE if read else "Choose some first.")
    return shown(request, form, tuple(_left_out(name, len(values), read, len(rows))))


def _left_out(name: str, chosen: int, read: Sequence[Exit], rows: int) -> Iterator[Note]:
    """Each of the chosen that is not in the form, and why: nothing where all are."""
    if rows == chosen:
        return
    out = list(dict.fromkeys((one, why) for one in read if (why := why_not(name, one))))
    again = len(read) - sum(1 for one in read if why_not(name, one)) - rows
    said = [f"{one.at} to {one.target or 'an unknown target'}: {why}." for one, why in out]
    said += [f"{again} more: {SAME}."] if again else []
    said += [f"{chosen - len(read)} more: over {MOST} at once, or not readable."] if chosen > len(read) else []
    noun = "row" if rows == 1 else "rows"
    title = f"{chosen} were chosen, {rows} {noun} below; {chosen - rows} left out"
    yield Note(title, tone="warn", lines=tuple(said))


def _read(values: Sequence[str]) -> Iterator[Exit]:
    for value in values:
        parts = ["" if part == "-" else part for part in value.split(" ")]
        if len(parts) == 5 and parts[0] and parts[2] in MECHANISMS:
            at, target, by, mailbox, off = parts
            yield Exit(at, target, MECHANISMS[by], mailbox, bool(off))


def _filled(request: Any, name: str, rows: Sequence[Exit]) -> Iterator[tuple[tuple[str, str], ...]]:
    """The parameters of each, as far as they are known."""
    match name:
        case "exceptions.create":
            yield from _exceptions(request, rows)
        case "forwards.replace":
            yield from _replaced(request, rows)
        case "forwards.stop":
            yield from ((("address", one.at), ("target", one.target)) for one in rows)
        case _:
            yield from ((("mailbox", one.at), ("target", one.target)) for one in rows)


def _exceptions(request: Any, rows: Sequence[Exit]) -> Iterator[tuple[tuple[str, str], ...]]:
    """With whoever is known to own the mailbox, for a quarter."""
    with acting_as(request.actor):
        boxes = visible(request.actor, Mailbox).filter(address__address__in={one.at for one in rows})
        owners = dict(boxes.values_list("address__address", "name"))
    until = f"{datetime.now() + FOR:%Y-%m-%dT00:00}"
    for one in rows:
        yield (("address", one.at), ("target", one.target), ("owner", owners.get(one.at, "")),
               ("until", until))  # fmt: skip


def _replaced(request: Any, rows: Sequence[Exit]) -> Iterator[tuple[tuple[str, str], ...]]:
    """For a quarter; for the mailbox whose owner reads at that target, where there is one at the same client."""
    with acting_as(request.actor):
        theirs = visible(request.actor, Mailbox).filter(contact__in={one.target for one in rows}, removed_at=None)
        own = {contact: (label, client) for contact, label, client in
               theirs.values_list("contact", "address__address", "client_id")}  # fmt: skip
        at = dict(visible(request.actor, Address).filter(address__in={one.at for one in rows})
                  .values_list("address", "client_id"))  # fmt: skip
    until = f"{datetime.now() + FOR:%Y-%m-%dT00:00}"
    for one in rows:
        label, client = own.get(one.target, ("", None))
        fits = label != one.at and client == at.get(one.at)
        yield (("address", one.at), ("target", one.target), ("to", label if fits else ""), ("until", until))


def _typed(kind: type[Kind], rows: Sequence[tuple[tuple[str, str], ...]]) -> dict[str, str]:
    return {f"row-{n}-{name}": value for n, one in enumerate(rows) for name, value in one}
