"""Ways out that were chosen in the list, and an act on all of them: the form of that act, filled in as far as is known.

Nothing is done here: the form leads to its plan, and more than a few objects wait for a second person there.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse

from postroom.access.acting import acting_as
from postroom.access.scope import visible
from postroom.changes.kind import Kind
from postroom.models import Address, Mailbox
from postroom.web.doing import doable, shown
from postroom.web.door import act
from postroom.web.kind_form import KindForm
from postroom.web.parts.shapes import Note

MOST = 500
FOR = timedelta(days=90)  # what an exception is offered for; whoever asks may say another day
NO_GOOD = {
    "exceptions.create": "None of these can have an exception: their target is worked out when mail comes.",
    "forwards.disable": "None of these is a forward that stands: of the others, end the alias or the catch-all. A "
    "script's redirect is stopped at its node.",
    "forwards.replace": "None of these can be replaced: where they go is worked out when mail comes.",
    "redirects.stop": "None of these is a redirect of a script to an address that is known, and goes on.",
    "transports.end": "None of these is handed to another server by a transport of its own.",
    "forwards.tell_owner": "No mailbox passes these on, so there is no owner to tell.",
}

WORKED_OUT = "where it goes is worked out when mail comes"
NO_FORWARD = "no forward that stands, but an alias, a catch-all or a filter, or it is disabled already"
HANDED = "handed to another server by a transport, which is ended instead"
SAME = "another way of one that is below, which does for both"


@dataclass(frozen=True)
class Chosen:
    """Of a row: the address it leaves at, the target, the forward it begins with, the mailbox; empty where none.
    redirect: said where a script passes it on there. transport: by which it is handed to another server."""

    leaves_at: str
    target: str
    forward: str
    mailbox: str
    redirect: str
    transport: str


@act("forwards.view", recorded="")
def chosen(request: Any) -> HttpResponse:
    name = str(request.POST.get("act", ""))
    kind = doable(request, name) if name in NO_GOOD else None
    if kind is None:
        raise Http404("no such act")
    values = request.POST.getlist("way")
    read = list(_read(values[:MOST]))
    fit = [one for one in read if not why_not(name, one)]
    rows = list(dict.fromkeys(_filled(request, name, fit)))
    form = KindForm(request.actor, kind, _typed(kind, rows))
    if not rows:
        form.add("", NO_GOOD[name])
    return shown(request, form, tuple(_left_out(name, len(values), read, len(rows))) if rows else ())


def _left_out(name: str, chosen: int, read: Sequence[Chosen], rows: int) -> Iterator[Note]:
    """How many of the chosen are not in the form, and why: nothing where all are."""
    if rows == chosen:
        return
    why = Counter(filter(None, (why_not(name, one) for one in read)))
    same = len(read) - why.total() - rows
    said = [f"{count}: {words}." for words, count in why.most_common()]
    said += [f"{same}: {SAME}."] if same else []
    said += [f"{chosen - len(read)}: more than {MOST} at once, or not readable."] if chosen > len(read) else []
    noun = "row" if rows == 1 else "rows"
    yield Note(f"{chosen} were chosen, {rows} {noun} below; {chosen - rows} left out", " ".join(said), "warn")


def why_not(name: str, one: Chosen) -> str:
    """Why an act cannot be done to a way; empty where it can."""
    if one.transport and name != "transports.end":
        return HANDED
    match name:
        case "exceptions.create" | "forwards.replace":
            return "" if one.leaves_at and one.target else WORKED_OUT
        case "forwards.disable":
            return "" if one.forward else NO_FORWARD
        case "transports.end":
            return "" if one.transport else "not handed to another server"
        case "redirects.stop":
            return "" if one.redirect and one.target else "no redirect of a filter to an address that is known"
    return "" if one.mailbox else "no mailbox passes it on, so there is no owner to tell"


def _read(values: Sequence[str]) -> Iterator[Chosen]:
    for value in values:
        parts = ["" if part == "-" else part for part in value.split(" ")]
        if len(parts) == 6:
            yield Chosen(*parts)


def _filled(request: Any, name: str, rows: Sequence[Chosen]) -> Iterator[tuple[tuple[str, str], ...]]:
    """The parameters of each, as far as they are known."""
    match name:
        case "exceptions.create":
            yield from _exceptions(request, rows)
        case "forwards.replace":
            yield from _replaced(request, rows)
        case "forwards.disable":
            yield from ((("forward", one.forward),) for one in rows)
        case "transports.end":
            yield from ((("transport", one.transport),) for one in rows)
        case _:
            yield from ((("mailbox", one.leaves_at), ("target", one.target)) for one in rows)


def _exceptions(request: Any, rows: Sequence[Chosen]) -> Iterator[tuple[tuple[str, str], ...]]:
    """With whoever is known to own the mailbox, for a quarter."""
    with acting_as(request.actor):
        boxes = visible(request.actor, Mailbox).filter(address__address__in={one.leaves_at for one in rows})
        owners = dict(boxes.values_list("address__address", "name"))
    until = f"{datetime.now() + FOR:%Y-%m-%dT00:00}"
    for one in rows:
        yield (("address", one.leaves_at), ("target", one.target), ("owner", owners.get(one.leaves_at, "")),
               ("until", until))  # fmt: skip


def _replaced(request: Any, rows: Sequence[Chosen]) -> Iterator[tuple[tuple[str, str], ...]]:
    """For a quarter; for the mailbox whose owner reads at that target, where there is one at the same client."""
    with acting_as(request.actor):
        theirs = visible(request.actor, Mailbox).filter(contact__in={one.target for one in rows}, removed_at=None)
        own = {contact: (label, client) for contact, label, client in
               theirs.values_list("contact", "address__address", "client_id")}  # fmt: skip
        at = dict(visible(request.actor, Address).filter(address__in={one.leaves_at for one in rows})
                  .values_list("address", "client_id"))  # fmt: skip
    until = f"{datetime.now() + FOR:%Y-%m-%dT00:00}"
    for one in rows:
        label, client = own.get(one.target, ("", None))
        fits = label != one.leaves_at and client == at.get(one.leaves_at)
        yield (("address", one.leaves_at), ("target", one.target), ("to", label if fits else ""), ("until", until))


def _typed(kind: type[Kind], rows: Sequence[tuple[tuple[str, str], ...]]) -> dict[str, str]:
    return {f"row-{n}-{name}": value for n, one in enumerate(rows) for name, value in one}
