"""What comes back with a client or a domain leads somewhere: as what is looked at when a route is planned.

What was agreed to when it was made was agreed to then, so whatever brings it back (a restore, an undo, a rollback), its
routes are judged as if they were made now. Where they let mail leave, forwarding, handed_over and led_out say so.
"""

from postroom.changes.brought import brought
from postroom.changes.leads import wrong_ways
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Address, Alias, CatchAll, Forward

from .forwarding import sources
from .landing import NAMED


def brought_back(proposed: Proposed) -> Verdict | None:
    """Refuse to bring back what leads to an address that is not there, or to itself."""
    client, routes = proposed.plan.client, brought(proposed, Alias, Forward, CatchAll)
    if not routes or client is None:
        return None
    names = sources(proposed, routes)
    leads = [(names[m.edit.id], sorted(m.opens)) for m in routes]
    proposed.state.load((Address, to) for _, targets in leads for to in targets)
    wrong = [
        f"{source.lstrip('@')} leads to what cannot be: {words}"
        for source, targets in leads
        for words in wrong_ways(targets, client, proposed.state, itself=source)
    ]
    more = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    return refuse(brought_back, "; ".join(wrong[:NAMED]) + more) if wrong else None
