"""No change takes away a domain's MX, the SPF or a DKIM key in use, weakens DMARC or touches NS by accident."""

from collections.abc import Iterator
from typing import Any

from postroom.changes.policy import Proposed, Verdict, hold, refuse
from postroom.changes.readings import planned_from
from postroom.models import RecordSet
from postroom.protocols.roles import losses
from postroom.protocols.rrset import RRset


def dns_roles(proposed: Proposed) -> Verdict | None:
    """Refuse a loss unless the parameters accept it; hold one that is accepted. Nobody loses what we made unused."""
    lost = [words for before, after in _changes(proposed) for words in losses(before, after)]
    if not lost:
        return None
    said = "; ".join(lost)
    accepted = all(getattr(kind, "accept_loss", False) for kind in proposed.kinds)  # one of a list speaks for itself
    if accepted or proposed.kind.permission == "history.roll_back":
        return hold(dns_roles, said)
    return refuse(dns_roles, f"{said}; say accept_loss if that is meant")


def _changes(proposed: Proposed) -> Iterator[tuple[RRset | None, RRset | None]]:
    """Per record set, what stood in the zone when it was planned and what would stand there."""
    for move in proposed.moves(RecordSet):
        e, row = move.edit, move.now or move.then or {}
        before = planned_from(e.before, e.after)
        if before == "untouched":
            continue
        after = e.after if e.after is not None else row.get("found")
        yield _rrset(row, before), _rrset(row, {**before, **after} if before and after else after)


def _rrset(row: dict[str, Any], one: dict[str, Any] | None) -> RRset | None:
    if not one or not one.get("values"):
        return None
    return RRset(row["name"], row["type"], one.get("ttl", row.get("ttl", 0)), tuple(sorted(one["values"])))
