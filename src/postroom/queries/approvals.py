"""What waits for whom: held changes of others, batches as wholes, what the clock will do, what is to be reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Access, Actor, acted, current
from postroom.access.roles import APPROVE
from postroom.access.scope import changes_seen, visible
from postroom.changes.kind import KINDS
from postroom.models import Change, Grant, Review

from .changes import line, shown
from .clients import named
from .page import Page, page

MOST = 50


@dataclass(frozen=True)
class Queue:
    """held: of others, oldest first, each a line with its verdicts. batches: their parts, which go together.
    elsewhere: held as well, and for somebody else to decide.
    """

    held: list[dict[str, Any]]
    batches: dict[str, list[dict[str, Any]]]
    own: list[dict[str, Any]]
    clock: list[dict[str, Any]]
    elsewhere: list[dict[str, Any]]
    more: bool


def queue(access: Access) -> Queue:
    """Two queries for what waits."""
    rows = Change.objects.filter(changes_seen(), stage__in=("held", "scheduled")).defer("plan").order_by("id")
    waiting = list(rows.select_related("client", "proposer", "undone_by")[: MOST + 1])
    found = Queue([], {}, [], [], [], len(waiting) > MOST)
    wholes = whole_batches([change.batch_id for change in waiting])
    for change in waiting[:MOST]:
        waits = {**line(change), "verdicts": change.verdicts, "at": change.at, "client_name": _client(change)}
        waits["proposed_by"] = change.proposer_id
        if change.stage == "scheduled":
            found.clock.append(waits)
        if change.proposer_id == access.actor.person:
            found.own.append(waits)
        elif change.stage == "held" and access.can(KINDS[change.kind].approved_by, change.client_id):
            if change.batch_id in wholes:
                found.batches.setdefault(str(change.batch_id), []).append(waits)
            else:
                found.held.append(waits)
        elif change.stage == "held":
            found.elsewhere.append(waits)
    return _named(found)


def _named(found: Queue) -> Queue:
    """With the names of those who proposed it and are not seen: one query where there are any."""
    lines = [one for one in (*found.elsewhere, *found.clock) if one["proposer"] is None and one["proposed_by"]]
    names = acted({one["proposed_by"] for one in lines}) if lines else {}
    for one in lines:
        if name := names.get(one["proposed_by"]):
            one["proposer"] = {"name": name, "email": ""}
    return found


def whole_batches(batches: Sequence[UUID | None]) -> set[UUID]:
    """Of these batches, those that wait as a whole; a part held anew, when others are through, is decided by itself."""
    wanted: set[UUID] = {one for one in batches if one}
    apart = Change.objects.filter(batch__in=wanted).exclude(stage="held").values_list("batch_id", flat=True)
    return wanted - {one for one in apart if one} if wanted else set()


def reviews(access: Access) -> Sequence[Review]:
    """Open tasks: something went through that somebody who did not do it looks at afterwards."""
    rows = Review.objects.filter(changes_seen("change__"), closed_at=None).select_related(
        "change__client", "change__proposer"
    )
    mine = rows.exclude(change__proposer=access.actor.person) if access.actor.person else rows
    return list(mine.order_by("until", "id")[:MOST])


def to_review(
    actor: Actor, *, client: str | None = None, after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    """The same as pages, oldest and so first due first; what one did oneself too, for somebody else to close."""
    rows = Review.objects.filter(changes_seen("change__"), closed_at=None)
    if client is not None:
        rows = rows.filter(client__in=named(actor, client).values("pk"))
    along = rows.select_related("change__client", "change__proposer", "change__undone_by")
    found = page(along.defer("change__plan"), key="id", after=after, limit=limit)
    return Page([_review(one) for one in found.items], found.next)


def _review(one: Review) -> dict[str, Any]:
    return {"id": one.pk, "reason": one.reason, "until": one.until.isoformat(), "change": line(one.change)}


def decided(access: Access, limit: int = 8) -> list[dict[str, Any]]:
    """Changes that were decided about lately: approved ones, newest first."""
    rows = Change.objects.filter(changes_seen(), approval__void=False).defer("plan")
    found = rows.select_related("client", "proposer", "undone_by").order_by("-approval__at")[:limit]
    return shown(list(found))


def approvers(change: Change, roles: Sequence[str]) -> list[Grant]:
    """The grants by which somebody may decide about this change, as far as whoever asks sees them: one query."""
    now = timezone.now()
    here = Q(client=None) | Q(client=change.client_id) if change.client_id else Q(client=None)
    rows = visible(current().actor, Grant).filter(
        Q(until=None) | Q(until__gt=now), here, role__in=roles, domain=None, ended_at=None
    )
    standing = rows.filter(person__suspended_at=None, person__removed_at=None)
    return list(standing.select_related("person").order_by("person__name", "id")[:20])


def may_decide(access: Access, change: Change) -> bool:
    """Whether somebody may let it through, or say no to it, by what they hold; whose it is, is asked apart."""
    return any(access.can(one, change.client_id) for one in (APPROVE, KINDS[change.kind].approved_by))


def _client(change: Change) -> str:
    return change.client.name if change.client_id and change.client else ""
