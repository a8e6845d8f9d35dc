"""Access reviews and rosters for the doors: the rounds, newest first, and how far each is; one with its lines.

A line is shown as it stood when the round opened, and beside it what is so now. What the line does not hold of the
organization's own people (it is in the client's record) is read from the right itself, by whoever sees that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from postroom.access.acting import Access, Actor, acted, may_act
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.changes.kinds.rounds import of_its_own
from postroom.models import ApiToken, Delegation, Grant, Mailbox, Person, Role, Round, RoundLine
from postroom.models.rounds import ACCESS, ROSTER, newer, to_answer

from .clients import named
from .page import Page, page

SIZE = 25
ANSWERS: Mapping[str, tuple[str, ...]] = {ACCESS: ("keep", "end", "change"), ROSTER: ("here", "left", "unknown")}
KINDS = {ACCESS: "access_reviews.sign", ROSTER: "rosters.answer"}
STATES = ("", "open", "keep", "end", "change", "here", "left", "unknown")
WAITING = 6


@dataclass(frozen=True)
class Listed:
    """A round: how many lines it has, how many of them wait for an answer, how many are *unknown*.

    closed: a later one is open.
    """

    round: Round
    lines: int = 0
    left: int = 0
    unknown: int = 0
    closed: bool = False

    @property
    def late(self) -> bool:
        return bool(self.left) and not self.closed and self.round.due_at < timezone.now()

    @property
    def done(self) -> bool:
        """Where no line is seen, what was answered is not known."""
        return bool(self.lines) and not self.left and not self.unknown


@dataclass(frozen=True)
class Now:
    """What is so of a line's object by now. stands: None where this actor cannot see whether it does."""

    stands: bool | None = None
    words: str = ""
    at: datetime | None = None
    given_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Shown:
    """A line with what is so now, and who answered by name. own: it is about whoever reads it."""

    line: RoundLine
    now: Now
    by: str = ""
    own: bool = False


def rounds(actor: Actor, sort: str, *, client: str = "", after: str = "", limit: int = SIZE) -> Page[Listed]:
    """Newest first. Five queries."""
    rows = visible(actor, Round).filter(sort=sort)
    if client:
        rows = rows.filter(client__in=named(actor, client).values("pk"))
    found = page(rows, key="id", after=after or None, limit=limit, newest_first=True, along=("client",))
    return Page(counted(actor, found.items), found.next)


def one(actor: Actor, sort: str, id: UUID) -> Listed:
    """Three queries; NotThere for none, or none of yours."""
    found = counted(actor, list(visible(actor, Round).filter(sort=sort, pk=id).select_related("client")))
    if not found:
        raise NotThere("round", f"no {sort} {id} that you can see")
    return found[0]


def newest_of(actor: Actor, client: UUID) -> dict[str, Listed]:
    """The open round of each sort of one client: two queries."""
    rows = visible(actor, Round).filter(client=client).exclude(newer()).select_related("client")
    return {row.round.sort: row for row in counted(actor, list(rows), open=True)}


def waiting(access: Access) -> list[Listed]:
    """Open rounds with lines left that this person is asked about, first due first. Two queries.

    A roster is asked of the client's own people; whoever runs the service sees it here once it is late.
    """
    rows = visible(access.actor, Round).exclude(newer()).order_by("due_at", "id").select_related("client")
    sorts = [sort for sort, kind in KINDS.items() if access.can_somewhere(kind)]
    mine = [one for one in rows.filter(sort__in=sorts, lines__answer="").distinct()[:50] if _asked(one, access)]
    return [one for one in counted(access.actor, mine[:WAITING], open=True) if one.left]


def _asked(one: Round, access: Access) -> bool:
    if not access.can(KINDS[one.sort], one.client_id):
        return False
    return one.sort == ACCESS or one.due_at < timezone.now() or of_its_own(access, one.client_id)


def counted(actor: Actor, rows: Sequence[Round], *, open: bool = False) -> list[Listed]:
    """With how far each is, and whether a later one is open, where that is not known: two queries, or one."""
    pks = [one.pk for one in rows]
    later = visible(actor, Round).filter(newer(), pk__in=pks)
    closed = set() if open else set(later.values_list("pk", flat=True))
    lines = visible(actor, RoundLine).filter(round__in=pks).order_by()
    told = lines.values_list("round").annotate(
        n=Count("pk"), left=Count("pk", filter=to_answer()), unknown=Count("pk", filter=Q(answer="unknown"))
    )
    found = {pk: (n, left, unknown) for pk, n, left, unknown in told}
    return [Listed(one, *found.get(one.pk, (0, 0, 0)), one.pk in closed) for one in rows]


def lines(
    actor: Actor, about: Round, *, state: str = "", search: str = "", after: str = "", limit: int = SIZE
) -> Page[Shown]:
    """One page, in the order of the round. A fixed number of queries for each sort."""
    rows = visible(actor, RoundLine).filter(round=about.pk)
    if state:
        rows = rows.filter(to_answer() if state == "open" else Q(answer=state))
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(note__icontains=search))
    found = page(rows, key="id", after=after or None, limit=limit)
    now = _rights(actor, about, found.items) if about.sort == ACCESS else _there(actor, found.items)
    names = _names(actor, {one.answered_by_id for one in found.items if one.answered_by_id})
    return Page([
        Shown(one, now.get(one.object, Now()), names.get(one.answered_by_id, "somebody at the organization")
              if one.answered_at else "", bool(one.person_id) and one.person_id == actor.person)
        for one in found.items
    ], found.next)  # fmt: skip


def _names(actor: Actor, people: set[UUID]) -> dict[UUID, str]:
    """Two queries: those this actor sees, and of the others those who acted where it sees the record."""
    seen = dict(visible(actor, Person).filter(pk__in=people).values_list("pk", "name"))
    return {**acted(people - seen.keys()), **seen}


def _rights(actor: Actor, about: Round, rows: Sequence[RoundLine]) -> dict[UUID, Now]:
    ids = [one.object for one in rows]
    found: dict[UUID, Now] = {}
    roles = {one.name: one for one in visible(actor, Role)}
    stood = {one.object: one.stood for one in rows}
    along: dict[type[Any], tuple[str, ...]] = {
        Grant: ("person", "given_by"), ApiToken: ("person",), Delegation: ("requester",),
    }  # fmt: skip
    for model, with_it in along.items():
        for row in visible(actor, model).filter(pk__in=ids).select_related(*with_it):
            found[row.pk] = _right(row, stood[row.pk], roles)
    standing = {one.id for one in may_act(about.client_id)}
    unseen = [one.object for one in rows if one.object not in found and one.noun != "delegations"]
    return found | {id: Now(id in standing, "" if id in standing else "counts for nothing any more") for id in unseen}


def _right(row: Any, stood: Mapping[str, Any], roles: Mapping[str, Role]) -> Now:
    giver = getattr(row, "given_by", None) or getattr(row, "requester", None)
    given = giver.name if giver else None
    told: dict[str, Any] = {"given_by": given, "reason": getattr(row, "reason", None)}
    own = roles.get(getattr(row, "role", ""))
    if row.ended_at or (row.until and row.until <= timezone.now()):
        return Now(False, "ended", row.ended_at or row.until, **told)
    if isinstance(row, Delegation):
        return Now(True, **told)
    if row.person and (row.person.suspended_at or row.person.removed_at):
        words = "its person is removed" if row.person.removed_at else "its person is suspended"
        return Now(True, words, row.person.removed_at or row.person.suspended_at, **told)
    if own and isinstance(row, Grant) and sorted(own.permissions) != stood.get("permissions"):
        return Now(True, "the role may something else since", None, **told)
    return Now(True, **told)


def _there(actor: Actor, rows: Sequence[RoundLine]) -> dict[UUID, Now]:
    """Mailboxes and people as they are now: two queries."""
    found: dict[UUID, Now] = {}
    for model in (Mailbox, Person):
        columns = ("pk", "removed_at", "suspended_at")
        for pk, removed, suspended in visible(actor, model).filter(
            pk__in=[one.object for one in rows]
        ).values_list(*columns):  # fmt: skip
            words = "removed" if removed else "suspended" if suspended else ""
            found[pk] = Now(not removed, words, removed or suspended)
    return found


def known(where: str, state: str) -> None:
    """Refuse a word that narrows by nothing."""
    if state not in STATES:
        raise Problem(where, f"{state[:40]!r} is none of {', '.join(STATES[1:])}")


def shown(about: Listed) -> dict[str, Any]:
    round = about.round
    return {
        "id": str(round.pk), "client": round.client.slug, "quarter": round.quarter,
        "opened": round.opened_at.isoformat(), "due": round.due_at.isoformat(), "closed": about.closed,
        "late": about.late, "lines": about.lines, "left": about.left, "unknown": about.unknown,
    }  # fmt: skip


def shown_line(one: Shown) -> dict[str, Any]:
    line, now = one.line, one.now
    return {
        "id": str(line.pk), "noun": line.noun, "object": str(line.object), "name": line.name, "stood": line.stood,
        "now": {"stands": now.stands, "what": now.words, "at": now.at.isoformat() if now.at else None,
                "given_by": now.given_by, "reason": now.reason},
        "answer": line.answer or None, "note": line.note, "by": one.by or None, "on_behalf": line.on_behalf,
        "at": line.answered_at.isoformat() if line.answered_at else None, "saw": line.saw, "own": one.own,
    }  # fmt: skip
