"""Who answers for a mailbox: its owner, operator and client admin are set by operators; a client's own roles set none.

A client admin names the owner of a mailbox they make; from then on whose it is stands on the operators' word, since the
secret and the recovery follow it (design: three layers of ownership).
"""

from postroom.access.roles import rank
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Mailbox

LAYERS = {"owner_id": "owner", "operator_id": "operator", "client_admin_id": "client admin"}


def layers(proposed: Proposed) -> Verdict | None:
    """Refuse another owner, operator or client admin of a mailbox to whoever is no operator there."""
    if not proposed.access.actor.somebody or _operates(proposed):
        return None
    for move in proposed.moves(Mailbox):
        now, then = move.now or {"owner_id": (move.then or {}).get("owner_id")}, move.then or {}
        for column, layer in LAYERS.items():
            if then and now.get(column) != then[column]:
                return refuse(layers, f"the {layer} of a mailbox is set by operators")
    return None


def _operates(proposed: Proposed) -> bool:
    """At the client, or at each domain that it is about."""
    access, client, least = proposed.access, proposed.plan.client, rank(["operator"])
    if access.rank_at(client) >= least:
        return True
    here = {h.domain for h in access.held if h.domain and h.rank >= least}
    return bool(here) and proposed.domains() <= here
