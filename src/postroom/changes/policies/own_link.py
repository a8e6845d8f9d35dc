"""A link by which a person makes their sign-in is that person's: nobody takes it who is, or may, less than they.

Whoever holds such a link becomes the person: by an invite to an approver that nobody has opened yet, an operator would
approve what they proposed themselves; by a client admin's they would open a client that has closed itself. So rank,
which every act on a person asks (rank.py), is not enough here. Another address for somebody is the same way in: a lost
password is mailed there. A token never has a link made for anybody: that would be to mint a session.
"""

from uuid import UUID

from postroom.access.acting import Access, stand_above
from postroom.changes.cover import every_role, more_than
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite, Person

ISSUES = "invites.issue"


def own_link(proposed: Proposed) -> Verdict | None:
    """Refuse another contact or address for a person, or a copy of their link, who may what its proposer may not."""
    people = {
        move.then["person_id"]
        for move in proposed.moves(Invite)
        if move.then and move.then["person_id"] and (move.edit.before is None or proposed.kind.permission == ISSUES)
    }
    access = proposed.access
    moved = {m.edit.id for m in proposed.moves(Person) if m.now and m.then and m.now["email"] != m.then["email"]}
    if not people | moved or not access.actor.somebody:
        return None
    if people and access.actor.sort == "token":
        return refuse(own_link, "a token has no link made by which somebody signs in here")
    if stand_above(sorted(people | moved - {str(access.actor.person)}), _more(access)):
        return refuse(own_link, "this person may something that you may not: whoever gave them the role does it")
    return None


def _more(access: Access) -> dict[str, list[str]]:
    """Which roles may something that they may not, by place: a client where they hold something, '' wherever else."""
    roles = every_role()

    def here(client: UUID | None) -> list[str]:
        return [held.role for held in roles if any(more_than(held, access, client))]

    clients = {held.client for held in access.held if held.client and not held.domain}
    return {"": here(None)} | {str(client): here(client) for client in clients}
