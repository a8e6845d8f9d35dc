"""A domain that is let go leaves no route behind that leads to it: whoever has the name next would get that mail.

While the domain is its client's, an alias, forward or catch-all that leads there stays inside, and rests on no
exception; a forward that does may stay. The day it is removed the same mail would leave. Filters need no word here:
their node sends to nobody outside without an exception, so what they pass on stays.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Alias, CatchAll, Domain, Forward, RouteException
from postroom.models.routes import patterns_at
from postroom.protocols.patterns import matches

from .landing import NAMED, NOT_SEEN, seen

Way = tuple[str, str]  # an address, or *@ a domain; where its mail goes on to


def left_behind(proposed: Proposed) -> Verdict | None:
    """Refuse to let go a domain that routes of other domains of its client lead to."""
    if not proposed.access.actor.limited:
        return None
    gone = {str(m.now["name"]) for m in proposed.moves(Domain) if m.now and _goes(m.now, m.then)}
    if not gone:
        return None
    allowed = patterns_at(proposed.plan.client)[0]
    left = sorted({one for one in _ways(proposed, gone) if not matches(allowed, one[1])})
    if not left:
        return None
    names = seen(proposed, {at for at, _ in left if not at.startswith("*@")})
    said = [f"{at if at in names or at.startswith('*@') else NOT_SEEN} leads to {to}" for at, to in left]
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    words = (
        f"{', '.join(dict.fromkeys(said[:NAMED]))}{more}: that mail would leave with the domain; end these routes first"
    )
    return refuse(left_behind, words)


def _goes(now: dict[str, object], then: dict[str, object] | None) -> bool:
    return not now["removed_at"] and (then is None or bool(then["removed_at"]))


def _ways(proposed: Proposed, gone: set[str]) -> Iterator[Way]:
    """Routes that stand after this plan, of addresses at other domains, to addresses at these."""
    ends = {m.edit.id for m in proposed.moves(Alias, Forward, CatchAll) if m.only_closes and not m.opens}
    client, now = proposed.plan.client, proposed.state.now
    aliases = _stand(Alias.objects.filter(client=client, removed_at=None), ends)
    for at, targets in aliases.values_list("address__address", "targets"):
        yield from ((at, to) for to in targets if _to(at, to, gone))
    forwards = Forward.objects.filter(client=client, removed_at=None, disabled_at=None, until__gt=now)
    let = RouteException.objects.filter(
        address=OuterRef("address"), target=OuterRef("to"), ended_at=None, until__gt=now
    )
    for at, to in _stand(forwards.exclude(Exists(let)), ends).values_list("address__address", "to"):
        if _to(at, to, gone):
            yield at, to
    caught = CatchAll.objects.filter(client=client, removed_at=None, until__gt=now)
    for name, to in _stand(caught, ends).values_list("domain__name", "target"):
        if _to(f"*@{name}", to, gone):
            yield f"*@{name}", to


def _stand(rows: "QuerySet[Any]", ends: set[str]) -> "QuerySet[Any]":
    return rows.exclude(pk__in=ends) if ends else rows


def _to(at: str, to: str, gone: set[str]) -> bool:
    return to.rpartition("@")[2] in gone and at.rpartition("@")[2] not in gone
