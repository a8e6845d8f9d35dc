"""Mail that goes round lands nowhere: Postfix puts it off, and no sender is told for days. So no route closes a ring.

Judged is where mail goes by the plan as it would leave the rows, whatever kind planned it: a new route, one that is
enabled, an undo, a plan that waited. Over all clients, though nobody is told more of another's than that it is one: the
rows are read for the verdict alone. Two routes of two clients that close a ring together, let through at the same
moment, wait for one another: whoever comes second is judged with the first one there.

What only ends something is never refused, though what a catch-all takes over then may go round; nor what follows from a
change, which is judged with it (along.py). The check routes.loop finds those.
"""

from postroom.access.known import ask
from postroom.access.overlooking import overlooking
from postroom.changes.along import along
from postroom.changes.laid import moves_mail
from postroom.changes.policy import Proposed, Verdict, hold, refuse
from postroom.changes.rings import Ring, Rings, may_open, rings

from .landing import NAMED, NOT_SEEN, seen

MOST = 1000  # addresses that are followed
ANOTHERS = "an address of another client"
ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('routes over clients', 0))"


def loops(proposed: Proposed) -> Verdict | None:
    """Refuse what makes mail go round."""
    planned = proposed.plan.edits if proposed.access.actor.limited else ()
    edits = moves_mail([*planned, *along(planned)])
    if not may_open(edits):
        return None
    with overlooking():
        found = rings(edits, proposed.state.now, most=MOST)
        if found.foreign and proposed.locked:
            ask(ONE_BY_ONE)
            found = rings(edits, proposed.state.now, most=MOST)
    if found.rings:
        return refuse(loops, "; ".join(_said(proposed, found)))
    more = f"whether mail to {found.more} more addresses would come round is not followed"
    return hold(loops, more) if found.more else None


def _said(proposed: Proposed, found: Rings) -> list[str]:
    shown = found.rings[:NAMED]
    named = {*seen(proposed, {one for ring in shown for one in ring.way}), *found.opened}
    more = len(found.rings) - len(shown)
    words = [_words(one, named, found.foreign) for one in shown]
    return [*dict.fromkeys(words), *([f"and that of {more} more addresses"] if more else [])]


def _words(ring: Ring, named: set[str], foreign: frozenset[str]) -> str:
    def name(one: str) -> str:
        return one if one in named else ANOTHERS if one.rpartition("@")[2] in foreign else NOT_SEEN

    if not ring.way:
        return f"mail to {ring.address} would never land: {ring.why}"
    at = ring.way.index(ring.address) if ring.address in ring.way else -1
    along = ring.way if at < 0 else (*ring.way[at + 1 :], *ring.way[:at])
    by = ", ".join(dict.fromkeys(map(name, along))) or "itself"
    back = "would come back to it by way of" if at >= 0 else "would go round and never land, by way of"
    return f"mail to {ring.address} {back} {by}"
