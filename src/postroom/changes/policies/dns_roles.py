"""No change takes away a domain's MX, the SPF or a DKIM key in use, weakens DMARC or touches NS by accident."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Q

from postroom.changes.policy import Proposed, Verdict, hold, refuse
from postroom.changes.readings import planned_from
from postroom.models import DkimKey, RecordSet
from postroom.protocols.dkim import algorithm_of, key_name, key_record
from postroom.protocols.roles import losses
from postroom.protocols.rrset import RRset
from postroom.protocols.txt import txt_text


def dns_roles(proposed: Proposed) -> Verdict | None:
    """Refuse a loss unless the parameters accept it; hold one that is accepted. A key that is revoked is in no use: it
    was retired, and what it signed has arrived (kinds/dkim_life.py)."""
    lost = [words for before, after in _changes(proposed) for words in losses(_in_use(proposed, before), after)]
    if not lost:
        return None
    said = "; ".join(lost)
    accepted = all(getattr(kind, "accept_loss", False) for kind in proposed.kinds)  # one of a list speaks for itself
    if accepted or proposed.kind.permission == "history.roll_back":
        return hold(dns_roles, said)
    return refuse(dns_roles, f"{said}; say accept_loss if that is meant")


def _in_use(proposed: Proposed, stood: RRset | None) -> RRset | None:
    """What stood there, but for the records of keys that are revoked by now, or by this change."""
    if stood is None or stood.type != "TXT" or "._domainkey." not in stood.name:
        return stood
    revoked = proposed.state.once("revoked keys", lambda: _revoked(proposed))
    left = tuple(value for value in stood.values if (stood.name, txt_text(value)) not in revoked)
    return replace(stood, values=left) if left else None


def _revoked(proposed: Proposed) -> set[tuple[str, str]]:
    """(name, text) of the record of each key that counts as revoked, of the domains this change is about."""
    rows = [move.then or move.now or {} for move in proposed.moves(RecordSet)]
    by_plan = {m.edit.id for m in proposed.moves(DkimKey) if m.then and m.then["revoked_at"]}
    keys = DkimKey.objects.filter(domain__in={row["domain_id"] for row in rows}).exclude(public="")
    keys = keys.filter(Q(revoked_at__isnull=False) | Q(pk__in=by_plan)).select_related("domain")
    return {(key_name(one.selector, one.domain.name), key_record(one.public, algorithm_of(one.public))) for one in keys}


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
