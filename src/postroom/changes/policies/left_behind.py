"""A domain that is let go leaves no route behind that leads to it: whoever has the name next would get that mail.

While the domain is its client's, an alias, forward or catch-all that leads there stays inside, and rests on no
exception; a forward that does may stay. The day it is removed the same mail would leave: to what a pattern allows it
may, to what one forbids never. A domain that comes back is looked at the other way round, as what its routes led to
may be gone since. Filters need no word here: their node sends to nobody outside without an exception, so what they pass
on stays.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from postroom.access.known import ask
from postroom.access.overlooking import overlooking
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Alias, CatchAll, Domain, Forward, RouteException
from postroom.models.routes import Inside, patterns_at, postmaster
from postroom.protocols.patterns import matches

from .landing import NAMED, NOT_SEEN, seen

Way = tuple[str, str]  # an address, or *@ a domain; where its mail goes on to
# Of other clients, what leads to a domain without being let out: role accounts that were set by hand to an address
# that was the organization's postmaster. What leads to the one there is now postmaster_kept says.
OTHERS = """
SELECT a.address, t, l.client_id FROM aliases l JOIN addresses a ON a.id = l.address_id
  JOIN domains d ON d.id = a.domain_id JOIN clients c ON c.id = l.client_id, unnest(l.targets) t
WHERE split_part(t, '@', 2) = ANY (%s) AND l.client_id IS DISTINCT FROM %s::uuid AND l.removed_at IS NULL
  AND d.removed_at IS NULL AND c.removed_at IS NULL AND t NOT IN (SELECT postmaster FROM organizations)
ORDER BY a.address, t
"""


def left_behind(proposed: Proposed) -> Verdict | None:
    """Refuse to let go a domain that routes of others lead to, and to bring one back whose routes lead to none."""
    if not proposed.access.actor.limited:
        return None
    moves = [(str(m.now["name"]), m.now, m.then) for m in proposed.moves(Domain) if m.now]
    gone = {name for name, now, then in moves if not now["removed_at"] and (then is None or then["removed_at"])}
    back = {name for name, now, then in moves if now["removed_at"] and then and not then["removed_at"]}
    if not gone and not back:
        return None
    left = sorted({*_ways(proposed, gone, back), *_others(gone, proposed.plan.client)})
    if not left:
        return None
    names = seen(proposed, {at for at, _ in left if not at.startswith("*@")})
    said = [f"{at if at in names or at.startswith('*@') else NOT_SEEN} leads to {to}" for at, to in left]
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    when = "with the domain" if gone else "once the domain is back"
    words = f"{', '.join(dict.fromkeys(said[:NAMED]))}{more}: that mail would leave {when}; end these routes first"
    return refuse(left_behind, words)


def _ways(proposed: Proposed, gone: set[str], back: set[str]) -> Iterator[Way]:
    """Routes of its client that would leave after this plan, and did not before."""
    client = proposed.plan.client
    there = Domain.objects.filter(client=client, removed_at=None).values_list("name", flat=True)
    after = Inside(frozenset({*there, *back} - gone), postmaster())
    allowed, forbidden = patterns_at(client)

    def leaves(at: str, to: str, *, excepted: bool = False) -> bool:
        if _domain(at) not in back and _domain(to) not in gone:
            return False
        away = _domain(at) not in gone and not after.keeps(to, of=at)
        return away and (bool(matches(forbidden, to)) or not (excepted or matches(allowed, to)))

    yield from _standing(proposed, back, leaves)


def _standing(proposed: Proposed, back: Collection[str], leaves: Callable[..., bool]) -> Iterator[Way]:
    """Of the routes that stand after this plan at domains that do. Those of a domain that is gone have no mail."""
    ends = {m.edit.id for m in proposed.moves(Alias, Forward, CatchAll) if m.only_closes and not m.opens}
    own, now = {"client": proposed.plan.client, "removed_at": None}, proposed.state.now
    aliases = _stand(Alias.objects.filter(_at("address__domain", back), **own), ends)
    for at, targets in aliases.values_list("address__address", "targets"):
        yield from ((at, to) for to in targets if leaves(at, to))
    let = Exists(
        RouteException.objects.filter(address=OuterRef("address"), target=OuterRef("to"), ended_at=None, until__gt=now)
    )
    forwards = Forward.objects.filter(_at("address__domain", back), **own, disabled_at=None, until__gt=now)
    for at, to, excepted in _stand(forwards, ends).annotate(let=let).values_list("address__address", "to", "let"):
        if leaves(at, to, excepted=excepted):
            yield at, to
    caught = CatchAll.objects.filter(_at("domain", back), **own, until__gt=now)
    for name, to in _stand(caught, ends).values_list("domain__name", "target"):
        if leaves(f"*@{name}", to):
            yield f"*@{name}", to


def _at(path: str, back: Collection[str]) -> Q:
    return Q(**{f"{path}__removed_at": None}) | Q(**{f"{path}__name__in": back})


def _stand(rows: "QuerySet[Any]", ends: set[str]) -> "QuerySet[Any]":
    return rows.exclude(pk__in=ends) if ends else rows


def _others(gone: set[str], client: UUID | None) -> Iterator[Way]:
    """What of other clients leads there and may not leave; whose it is, only who may see them is told."""
    if not gone:
        return
    with overlooking():
        found = [(at, to, patterns_at(other)) for at, to, other in ask(OTHERS, sorted(gone), client)]
    yield from (
        (at, to) for at, to, (allowed, forbidden) in found if matches(forbidden, to) or not matches(allowed, to)
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
