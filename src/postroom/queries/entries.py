"""The record as people read it: entries of every sort, newest first, searched by an index and paged by their number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.access.acting import Access, Actor, access_of
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.models import Address, Alias, Client, Domain, Entry, Erasure, Mailbox, Person, RecordedEdit
from postroom.posture.signed import Signed

from .changes import edit_line
from .leaves import VIEW, Erased, Lines
from .page import MOST, Page, page
from .proofs import inclusion, leads

SHOWN_LINES = 200
HASHED_IN_LIST = 20  # lines of an entry


@dataclass(frozen=True)
class Wanted:
    """What is searched for. said: kinds and events, any of them. object: an id, an address, a domain, a slug."""

    client: str = ""
    person: str = ""
    object: str = ""
    said: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    limit: int = 50


def entries(actor: Actor, wanted: Wanted, signed: Signed) -> Page[dict[str, Any]]:
    """One page: which entries, their first lines, and the people in them; what is searched by is looked up before."""
    if wanted.after and not wanted.after.isdecimal():
        raise Problem("after", f"{wanted.after[:40]!r} is not where a page of this list ended")
    found = _page(_rows(actor, wanted), wanted)
    if wanted.person or wanted.said:
        found = merged(found, _page(_erased(actor, wanted), wanted), wanted.limit)
    read = _read([one.pk for one in found.items])
    erased = Erased(actor, (number for number, (_, lines) in read.items() if lines.erased))
    told = [_told(one, *read.get(one.pk, (None, Lines())), erased, signed) for one in found.items]
    people = _people(actor, told)
    return Page([{**one, "who": people.get(one["person"] or "")} for one in told], found.next)


def _page(rows: "QuerySet[Entry]", wanted: Wanted) -> Page[Entry]:
    return page(rows, key="id", after=wanted.after or None, limit=wanted.limit, newest_first=True,
                along=("client", "place"))  # fmt: skip


def merged(some: Page[Entry], others: Page[Entry], limit: int) -> Page[Entry]:
    """Two pages of the same place in one list, the newest first, as one of its pages."""
    size = max(1, min(limit, MOST))
    rows = sorted((*some.items, *others.items), key=lambda row: -row.pk)
    more = bool(some.next or others.next or len(rows) > size)
    return Page(rows[:size], str(rows[size - 1].pk) if more else None)


def _rows(actor: Actor, wanted: Wanted) -> "QuerySet[Entry]":
    rows, head = _anywhere(actor, wanted), dict[str, Any]()
    if wanted.person:
        head["recordededit__person"] = _person(actor, wanted)
    if wanted.said:
        head["recordededit__said__in"] = wanted.said
    return rows.filter(recordededit__n=0, **head) if head else rows


def _erased(actor: Actor, wanted: Wanted) -> "QuerySet[Entry]":
    """Those whose first line was erased, by what the erasure keeps of it: whose it was by an id, and what."""
    of_whom = [{key: _person(actor, wanted)} for key in ("proposer_id", "person")] if wanted.person else [{}]
    what = [{key: said} for said in wanted.said for key in ("kind", "what")] if wanted.said else [{}]
    kept = [Q(lines__contains=[{"n": 0, "kept": {**who, **said}}]) for who in of_whom for said in what]
    gone = visible(actor, Erasure, VIEW).filter(reduce(or_, kept))
    return _anywhere(actor, wanted).filter(pk__in=gone.values("entry_id"))


def _person(actor: Actor, wanted: Wanted) -> str:
    who = visible(actor, Person).filter(email=wanted.person.lower()).first()
    return str(who.pk if who else UUID(int=0))


def _anywhere(actor: Actor, wanted: Wanted) -> "QuerySet[Entry]":
    """By all but who and what."""
    rows = _scope(access_of(actor))
    if wanted.client:
        owner = visible(actor, Client).filter(slug=wanted.client).first()
        rows = rows.filter(client=owner) if owner else rows.none()
    if wanted.object:
        about = RecordedEdit.objects.filter(row__in=_meant(actor, wanted.object))
        rows = rows.filter(pk__in=about.values("entry_id"))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    return rows.filter(at__lte=wanted.until) if wanted.until else rows


def _scope(access: Access) -> "QuerySet[Entry]":
    """Where they hold what lets them read the record; row security narrows it further, and stands behind it."""
    rows = Entry.objects.all()
    if access.everything:
        return rows
    clients = {held.client for held in access.held if held.allows(VIEW)}
    if None in clients:
        return rows
    return rows.filter(client__in=sorted(one for one in clients if one))


def _meant(actor: Actor, ref: str) -> list[UUID]:
    """The rows that somebody means by an id, an address, a domain's name or a client's; those they see alone."""
    try:
        return [UUID(ref)]
    except ValueError:
        name = ref.strip().lower()
    if "@" not in name:
        found = visible(actor, Domain).filter(name=name).values_list("pk", flat=True)
        return [*found, *visible(actor, Client).filter(slug=name).values_list("pk", flat=True)]
    rows = [
        visible(actor, Address).filter(address=name), visible(actor, Mailbox).filter(address__address=name),
        visible(actor, Alias).filter(address__address=name), visible(actor, Person).filter(email=name),
    ]  # fmt: skip
    return [pk for one in rows for pk in one.values_list("pk", flat=True)]


def _read(ids: Sequence[int]) -> dict[int, tuple[RecordedEdit | None, Lines]]:
    """Of each entry its first line, and the first few; an entry with more of them is hashed on its own page alone."""
    found: dict[int, tuple[RecordedEdit | None, Lines]] = {}
    for line in RecordedEdit.objects.filter(entry_id__in=ids, n__lte=HASHED_IN_LIST).order_by("entry_id", "n"):
        _, lines = found.setdefault(line.entry_id, (line if line.n == 0 else None, Lines()))
        lines.take(line)
    return found


def _people(actor: Actor, told: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    ids = {one["person"] for one in told if one["person"] and _is_id(one["person"])}
    rows = visible(actor, Person).filter(pk__in=ids)
    return {str(one.pk): {"name": one.name, "email": one.email} for one in rows}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _told(
    one: Entry, head: RecordedEdit | None, lines: Lines, erased: Erased, signed: Signed, *, all_read: bool = False
) -> dict[str, Any]:
    """An entry as the API shows it, but for `who`. facts: its first line as recorded; None where that was erased.

    proof: `altered` where its lines do not make its leaf, whatever else is so of it.
    """
    place = getattr(one, "place", None)
    index = place.log_index if place else None
    kept = erased.of(one).get(0, {}) if 0 in lines.erased else {}
    fits = erased.fits(one, lines) if all_read or len(lines.hashes) <= HASHED_IN_LIST else "fits"
    proof = signed.state(index)
    return {
        "id": one.pk,
        "at": one.at.isoformat(),
        "client": one.client.slug if one.client_id and one.client else None,
        "client_name": one.client.name if one.client_id and one.client else None,
        "version": one.version,
        "table": head.table if head else "",
        "about": str(head.row) if head else None,
        "said": (head.said or kept.get("kind") or kept.get("what")) if head else None,
        "was": (head.before or {}).get("stage") if head else None,
        "facts": head.after if head else None,
        "person": (head.person or kept.get("proposer_id") or kept.get("person")) if head else None,
        "index": index,
        "number": place.client_index if place else None,
        "proof": "altered" if fits == "altered" else "unknown" if fits == "unknown" and proof == "signed" else proof,
    }


def entry(actor: Actor, number: int, signed: Signed) -> dict[str, Any]:
    """One entry with its lines and its leaf; NotThere for none, or none of yours."""
    rows = _scope(access_of(actor)).select_related("client", "place")
    row = rows.filter(pk=number).first()
    if row is None:
        raise NotThere("entry", f"no entry {number} that you can see")
    some, lines = _lines(row)
    head = some[0] if some and some[0].n == 0 else None
    told = _told(row, head, lines, Erased(actor, [row.pk] if lines.erased else ()), signed, all_read=True)
    leaf = bytes(row.leaf)
    way = inclusion(told["index"], signed.size) if told["proof"] == "signed" else None
    if told["proof"] == "signed" and (way is None or not leads(leaf, told["index"], way, signed)):
        told["proof"] = "wrong"
    return {
        **told,
        "who": _people(actor, [told]).get(told["person"] or ""),
        "leaf": leaf.hex(),
        "inclusion": list(way) if way is not None else None,
        "checkpoint": signed.note if signed.known else None,
        "lines": [edit_line(one.table, str(one.row), one.before, one.after) for one in some[1:SHOWN_LINES]],
        "more_lines": len(some) > SHOWN_LINES,
    }


def _lines(row: Entry) -> tuple[list[RecordedEdit], Lines]:
    """Those that are shown, and of all of them what is hashed: there may be tens of thousands."""
    shown, lines = list[RecordedEdit](), Lines()
    for line in RecordedEdit.objects.filter(entry=row).order_by("n").iterator():
        lines.take(line)
        if len(shown) <= SHOWN_LINES:
            shown.append(line)
    return shown, lines
