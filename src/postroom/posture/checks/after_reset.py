"""Where a VIP's mail goes changed within three days of a verified reset: whoever got in may be leading it out.

NIST SP 800-63B-4, 4.2.3 (recovery is told of and watched): a forward set right after a reset is how a mailbox that was
taken is kept. Critical, and open until the three days are over; aliases are all there is of routes yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.models import Alias, Invite, Mailbox, RecordedEdit, Row, Verification
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

WATCHED = timedelta(hours=72)


@dataclass(frozen=True)
class Reset:
    """A VIP's mailbox whose owner set another secret from the link of a verified reset, then."""

    mailbox: Mailbox
    at: datetime


@dataclass(frozen=True)
class Routed:
    """What was done to an alias: where it stands, its targets before and after (none: it was not, or is no more)."""

    alias: UUID
    address: UUID
    before: tuple[str, ...]
    after: tuple[str, ...]
    at: datetime


def evaluate(resets: Iterable[Reset], routed: Iterable[Routed], now: datetime) -> Iterator[Found]:
    """One for each alias that passes a watched mailbox's mail on, or by which something reaches it or no more."""
    moves = list(routed)
    for one in resets:
        label = one.mailbox.label
        for move in moves:
            own = move.address == one.mailbox.address_id
            about = own or (label in move.before) != (label in move.after) or (label in move.before and
                                                                               move.before != move.after)  # fmt: skip
            if not about or not one.at <= move.at <= one.at + WATCHED or now > one.at + WATCHED:
                continue
            yield Found(
                "critical", "mailboxes", one.mailbox.pk, label, f"Where mail of {label} goes changed after its reset",
                str(move.alias), client=one.mailbox.client_id, domain=one.mailbox.address.domain_id,
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
    """Every edit of an alias at these clients since then, each with the address that it stands at."""
    rows = RecordedEdit.objects.filter(table="aliases", client__in=clients, entry__at__gte=since)
    edits = list(rows.select_related("entry").order_by("entry_id", "n"))
    addresses = dict(Alias.objects.filter(pk__in={one.row for one in edits}).values_list("pk", "address_id"))
    for one in edits:
        if one.row in addresses:
            yield Routed(one.row, addresses[one.row], _targets(one.before), _targets(one.after), one.entry.at)


def _targets(row: Row | None) -> tuple[str, ...]:
    return tuple((row or {}).get("targets") or ())


AFTER_RESET = Check(
    "resets.after_reset", "Was a VIP's mail led elsewhere after a reset?", "NIST SP 800-63B-4, 4.2.3", 15,
    reading(_read),
)  # fmt: skip
