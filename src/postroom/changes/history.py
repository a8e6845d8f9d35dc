"""What stood when: the edits of one client, unwound from now or folded from the start. Never a copy.

Unwinding costs what happened since; the fold is the proof that record and tables agree. Where an edit was erased, the
fields it set are *erased* (erase.ERASED), until one that still stands says what they were.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Change, Client, Entry, Organization, RecordedEdit, RecordSet, Row

from .edit import model_of
from .erase import told
from .errors import Problem

Key = tuple[str, UUID]
Rows = dict[Key, Row]
Recorded = tuple[str, UUID, Row | None, Row | None]
NOT_STATE = ("changes", "events")
OURSELVES = ("system", "clock")
A_CLOCK_AHEAD = timedelta(minutes=1)  # whose clock is not ours may ask of now


def fold(edits: Iterable[Recorded]) -> Rows:
    """Rows as they stand after these edits, in their order."""
    rows: Rows = {}
    for table, id, _before, after in edits:
        if after is None:
            rows.pop((table, id), None)
        else:
            rows[table, id] = {**rows.get((table, id), {}), **after}
    return rows


def rows_at(client: UUID | None, version: int) -> Rows:
    """The client's rows at a version, folded from its first edit on."""
    edits = RecordedEdit.objects.filter(entry__client=client, entry__version__lte=version).exclude(table__in=NOT_STATE)
    return fold(_recorded(edits.order_by("entry__version", "n")))


def since(client: UUID | None, version: int) -> tuple[Rows, Rows]:
    """(then, now) of every row touched since a version."""
    edits = RecordedEdit.objects.filter(entry__client=client, entry__version__gt=version).exclude(table__in=NOT_STATE)
    newest_first = _recorded(edits.order_by("-entry__version", "-n"))
    now = standing({(table, id) for table, id, _, _ in newest_first})
    return unwind(now, newest_first), now


def clients_since(versions: Mapping[UUID, int]) -> tuple[Rows, Rows]:
    """(then, now) of the rows of these clients themselves, each since a version of its own; as many queries for any."""
    lines = RecordedEdit.objects.filter(table=Client._meta.db_table, row__in=versions, entry__client=F("row"))
    later = lines.filter(entry__version__gt=min(versions.values(), default=0)).select_related("entry")
    touched = [e for e in later.order_by("-entry__version", "-n") if (e.entry.version or 0) > versions[e.row]]
    newest_first = _recorded(touched)
    now = standing({(table, id) for table, id, _, _ in newest_first})
    return unwind(now, newest_first), now


def _recorded(edits: Iterable[RecordedEdit]) -> list[Recorded]:
    return [(e.table, e.row, e.before, e.after) for e in told(edits)]


def unwind(now: Rows, newest_first: Iterable[Recorded]) -> Rows:
    rows = dict(now)
    for table, id, before, _after in newest_first:
        if before is None:
            rows.pop((table, id), None)
        else:
            rows[table, id] = {**rows.get((table, id), {}), **before}
    return rows


def standing(keys: Iterable[Key]) -> Rows:
    """These rows as they stand in the tables."""
    by_table: dict[str, list[UUID]] = {}
    for table, id in keys:
        by_table.setdefault(table, []).append(id)
    return {(t, row.pk): row.row() for t, ids in by_table.items() for row in model_of(t).objects.filter(pk__in=ids)}


def version_at(client: UUID | None, when: datetime) -> int:
    """The version of a client (None: the organization) at a time; 0 before its first change."""
    newest = Entry.objects.filter(client=client, version__isnull=False, at__lte=when).order_by("-version").first()
    return (newest and newest.version) or 0


def version_now(client: UUID | None) -> int:
    row = Client.objects.filter(pk=client).first() if client else Organization.objects.first()
    return row.version if row else 0


def read_at(at: str, client: UUID | None, *, come: bool = True) -> int:
    """`?at=`: a version (12) or a time (2026-05-03T12:00:00+00:00) as a version; a Problem says what is wrong.

    come: what is yet to come is a Problem too, since it is no answer of now; where several clients are meant, a version
    of one may be ahead of another's.
    """
    asked = _asked_at(at)
    if isinstance(asked, int):
        if come and asked > (newest := version_now(client)):
            raise Problem("at", f"version {at} is yet to come; the newest is {newest}")
        return asked
    if come and asked > timezone.now() + A_CLOCK_AHEAD:
        raise Problem("at", f"{at} is yet to come")
    return version_at(client, asked)


def read_at_each(at: str, clients: Collection[UUID]) -> dict[UUID, int]:
    """The same for many clients, in one query."""
    asked = _asked_at(at)
    if isinstance(asked, int):
        return dict.fromkeys(clients, asked)
    until = Entry.objects.filter(client=OuterRef("pk"), version__isnull=False, at__lte=asked)
    newest = Subquery(until.order_by("-version").values("version")[:1])
    rows = Client.objects.filter(pk__in=clients).annotate(then=newest).values_list("pk", "then")
    return {client: then or 0 for client, then in rows}


def _asked_at(at: str) -> int | datetime:
    if at.isdecimal() and len(at) < 19:
        return int(at)
    try:
        when = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError:
        raise Problem("at", f"{at!r} is neither a version (12) nor a time (2026-05-03T12:00:00Z)") from None
    if when.tzinfo is None:
        raise Problem("at", f"{at!r} names no time zone; end it in Z or +01:00")
    return when


def family(change: Change) -> list[Change]:
    """A change and everything that followed from it at this client and took effect, oldest first.

    What the system has done since to nothing but its rows (a proof that was read) followed from it too.
    """
    members, generation = [change], [change]
    while generation:
        followed = Change.objects.filter(caused_by__in=generation, client=change.client_id, version__isnull=False)
        generation = list(followed)
        members += generation
    members += _by_ourselves(members)
    return sorted(members, key=lambda one: one.version or 0)


def _by_ourselves(members: list[Change]) -> list[Change]:
    """Later changes of the system's own that touched rows of these and no others: three queries, however many."""
    rows = {e.row for e in edits_of(members)}
    client, first = members[0].client_id, members[0].version
    touching = RecordedEdit.objects.filter(entry__client=client, entry__version__gt=first, row__in=rows)
    versions = touching.exclude(table__in=NOT_STATE).values("entry__version")
    later = Change.objects.filter(client=client, version__in=versions, actor__in=OURSELVES)
    candidates = list(later.exclude(pk__in=[one.pk for one in members]))
    touched: dict[int | None, set[UUID]] = {}
    for e in edits_of(candidates) if candidates else ():
        touched.setdefault(e.entry.version, set()).add(e.row)
    return [one for one in candidates if touched[one.version] <= rows]


def edits_of(changes: Iterable[Change]) -> list[RecordedEdit]:
    """What these changes of one client did, in their order."""
    versions = {one.version: one.client_id for one in changes if one.version}
    client = next(iter(versions.values()))
    edits = RecordedEdit.objects.filter(entry__client=client, entry__version__in=list(versions))
    return list(edits.exclude(table__in=NOT_STATE).select_related("entry").order_by("entry__version", "n"))


def touched_since(changes: list[Change]) -> list[Change]:
    """Other changes of the same client since the first of these that touched a row of theirs, newest first."""
    own = {one.version for one in changes}
    rows = {e.row for e in edits_of(changes)}
    since = min(version or 0 for version in own)
    later = RecordedEdit.objects.filter(entry__client=changes[0].client_id, entry__version__gt=since, row__in=rows)
    versions = set(later.exclude(table__in=NOT_STATE).values_list("entry__version", flat=True)) - own
    return list(Change.objects.filter(client=changes[0].client_id, version__in=versions).order_by("-version"))


def zones_of(change: UUID) -> set[str]:
    """The zones with records that a change and its follow-ups set; read by ourselves, before anybody's plan."""
    with acting_as(SYSTEM):
        undone = Change.objects.filter(pk=change, version__isnull=False).first()
        rows = {e.row for e in edits_of(family(undone)) if e.table == "record_sets"} if undone else set()
        return set(RecordSet.objects.filter(pk__in=rows).values_list("domain__name", flat=True))
