"""The record as people read it: entries of every sort, newest first, searched by an index and paged by their number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from postroom.access.acting import Access, Actor, access_of
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.models import Address, Alias, Client, Domain, Entry, Mailbox, Person, RecordedEdit

from .changes import edit_line
from .page import Page, page
from .proofs import Signed, inclusion, leads

SHOWN_LINES = 200
VIEW = "entries.view"


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
    found = page(_rows(actor, wanted), key="id", after=wanted.after or None, limit=wanted.limit, newest_first=True,
                 along=("client", "place"))  # fmt: skip
    heads = _heads([one.pk for one in found.items])
    people = _people(actor, heads.values())
    return Page([_line(one, heads.get(one.pk), people, signed) for one in found.items], found.next)


def _rows(actor: Actor, wanted: Wanted) -> "QuerySet[Entry]":
    rows = _scope(access_of(actor))
    if wanted.client:
        owner = visible(actor, Client).filter(slug=wanted.client).first()
        rows = rows.filter(client=owner) if owner else rows.none()
    head: dict[str, Any] = {}
    if wanted.person:
        who = visible(actor, Person).filter(email=wanted.person.lower()).first()
        head["recordededit__person"] = str(who.pk if who else UUID(int=0))
    if wanted.said:
        head["recordededit__said__in"] = wanted.said
    if head:
        rows = rows.filter(recordededit__n=0, **head)
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


def _heads(ids: Sequence[int]) -> dict[int, RecordedEdit]:
    return {one.entry_id: one for one in RecordedEdit.objects.filter(entry_id__in=ids, n=0)}


def _people(actor: Actor, heads: Iterable[RecordedEdit]) -> dict[str, Person]:
    ids = {one.person for one in heads if one.person and _is_id(one.person)}
    return {str(one.pk): one for one in visible(actor, Person).filter(pk__in=ids)}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _line(one: Entry, head: RecordedEdit | None, people: dict[str, Person], signed: Signed) -> dict[str, Any]:
    """An entry as the API shows it. facts: its first line as recorded; None where that was erased."""
    place = getattr(one, "place", None)
    index = place.log_index if place else None
    who = people.get(head.person or "") if head else None
    return {
        "id": one.pk,
        "at": one.at.isoformat(),
        "client": one.client.slug if one.client_id and one.client else None,
        "client_name": one.client.name if one.client_id and one.client else None,
        "version": one.version,
        "table": head.table if head else "",
        "about": str(head.row) if head else None,
        "said": head.said if head else None,
        "was": (head.before or {}).get("stage") if head else None,
        "facts": head.after if head else None,
        "who": {"name": who.name, "email": who.email} if who else None,
        "person": head.person if head else None,
        "index": index,
        "number": place.client_index if place else None,
        "proof": signed.state(index),
    }


def entry(actor: Actor, number: int, signed: Signed) -> dict[str, Any]:
    """One entry with its lines and its leaf; NotThere for none, or none of yours."""
    rows = _scope(access_of(actor)).select_related("client", "place")
    row = rows.filter(pk=number).first()
    if row is None:
        raise NotThere("entry", f"no entry {number} that you can see")
    lines = list(RecordedEdit.objects.filter(entry=row).order_by("n")[: SHOWN_LINES + 1])
    shown = [edit_line(one.table, str(one.row), one.before, one.after) for one in lines[1:SHOWN_LINES]]
    head = lines[0] if lines and lines[0].n == 0 else None
    told = _line(row, head, _people(actor, [head] if head else []), signed)
    leaf = bytes(row.leaf)
    way = inclusion(told["index"], signed.size) if told["proof"] == "signed" else None
    if told["proof"] == "signed" and (way is None or not leads(leaf, told["index"], way, signed)):
        told["proof"] = "wrong"
    return {
        **told,
        "leaf": leaf.hex(),
        "inclusion": list(way) if way is not None else None,
        "checkpoint": signed.note if signed.known else None,
        "lines": shown,
        "more_lines": len(lines) > SHOWN_LINES,
    }
