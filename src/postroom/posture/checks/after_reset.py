"""Where a VIP's mail goes changed within three days of a verified reset: whoever got in may be leading it out.

NIST SP 800-63B-4, 4.2.3 (recovery is told of and watched): a forward set right after a reset is how a mailbox that was
taken is kept. Critical, and open until the three days are over. Aliases, forwards, catch-alls, transports, and the
exceptions by which filters may send mail on; that a way out is shut is no finding.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.models import (
    Alias,
    CatchAll,
    Forward,
    Invite,
    Mailbox,
    RecordedEdit,
    RouteException,
    Row,
    StateModel,
    Transport,
    Verification,
)
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

WATCHED = timedelta(hours=72)
ROUTES: dict[str, type[StateModel]] = {
    model._meta.db_table: model for model in (Alias, Forward, CatchAll, RouteException, Transport)
}
STANDS = {"removed_at": None, "ended_at": None, "disabled_at": None}


@dataclass(frozen=True)
class Reset:
    """A VIP's mailbox whose owner set another secret from the link of a verified reset, then."""

    mailbox: Mailbox
    at: datetime


@dataclass(frozen=True)
class Routed:
    """What was done to a route: where it stands, its targets before and after (none: it was not, or is no more).

    address: none for a catch-all. shut: nothing is passed on by it from then on that was not before.
    """

    route: UUID
    address: UUID | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    at: datetime
    shut: bool = False


def evaluate(resets: Iterable[Reset], routed: Iterable[Routed], now: datetime) -> Iterator[Found]:
    """One for each route that passes a watched mailbox's mail on, or by which something reaches it or no more."""
    moves = list(routed)
    for one in resets:
        label = one.mailbox.label
        for move in moves:
            own = move.address == one.mailbox.address_id and not move.shut
            about = own or (label in move.before) != (label in move.after) or (label in move.before and
                                                                               move.before != move.after)  # fmt: skip
            if not about or not one.at <= move.at <= one.at + WATCHED or now > one.at + WATCHED:
                continue
            yield Found(
                "critical", "mailboxes", one.mailbox.pk, label, f"Where mail of {label} goes changed after its reset",
                str(move.route), client=one.mailbox.client_id, domain=one.mailbox.address.domain_id,
                evidence={"before": list(move.before), "after": list(move.after),
                          "reset": one.at.isoformat(timespec="seconds")},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    resets = list(_resets(now))
    if not resets:
        return
    clients = {one.mailbox.client_id for one in resets}
    yield from evaluate(resets, _routed(clients, min(one.at for one in resets)), now)


def _resets(now: datetime) -> Iterator[Reset]:
    used = Invite.objects.filter(mailbox__vip=True, mailbox__removed_at=None, used_at__gt=now - WATCHED)
    invites = list(used.select_related("mailbox__address").order_by("used_at"))
    boxes = {one.mailbox_id for one in invites}
    verified = Verification.objects.filter(mailbox__in=boxes, used_at__isnull=False)
    by_box: dict[UUID, list[datetime]] = {}
    for box, at in verified.values_list("mailbox_id", "used_at"):
        by_box.setdefault(box, []).append(at)
    for one in invites:
        if any(at <= one.made for at in by_box.get(one.mailbox_id, ())):
            yield Reset(one.mailbox, one.used_at)


def _routed(clients: set[UUID], since: datetime) -> Iterator[Routed]:
    """Every edit of a route at these clients since then, each with the address that it stands at."""
    rows = RecordedEdit.objects.filter(table__in=ROUTES, client__in=clients, entry__at__gte=since)
    edits = list(rows.select_related("entry").order_by("entry_id", "n"))
    standing = {
        (table, one.pk): one.row()
        for table, model in ROUTES.items()
        for one in model.objects.filter(pk__in={one.row for one in edits if one.table == table})
    }
    for one in edits:
        if row := standing.get((one.table, one.row)):
            yield _one(one, row)


def _one(one: RecordedEdit, row: Row) -> Routed:
    """row: as it stands now; its end since then, if it has one, is another edit's."""
    whole = {**row, **{name: None for name in STANDS if name in row}}
    before, after = (_targets(one.table, {**whole, **side}) if side else () for side in (one.before, one.after))
    longer = bool(one.before and one.after and one.after.get("until", "") > one.before.get("until", ""))
    passes_on = one.table in {model._meta.db_table for model in (Forward, RouteException, Transport)}
    shut = passes_on and not longer and not set(after) - set(before)
    address = row.get("address_id")
    return Routed(one.row, UUID(address) if address else None, before, after, one.entry.at, shut)


def _targets(table: str, row: Row) -> tuple[str, ...]:
    return tuple(sorted(ROUTES[table].opens(row)))


AFTER_RESET = Check(
    "resets.after_reset", "Was a VIP's mail led elsewhere after a reset?", "NIST SP 800-63B-4, 4.2.3", 15,
    reading(_read),
)  # fmt: skip
