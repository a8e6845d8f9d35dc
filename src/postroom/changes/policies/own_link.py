"""A link by which a person makes their sign-in is that person's: nobody takes it who is, or may, less than they.

Whoever holds such a link becomes the person: by an invite to an approver that nobody has opened yet, an operator would
approve what they proposed themselves. A token never has one made for anybody: that would be to mint a session.
"""

from uuid import UUID

from postroom.access.acting import Access, stand_above
from postroom.changes.cover import every_role, more_than
from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Invite

ISSUES = "invites.issue"


def own_link(proposed: Proposed) -> Verdict | None:
    """Refuse another contact for, or a copy of, the link of a person who may something that its proposer may not."""
    people = {
        move.then["person_id"]
        for move in proposed.moves(Invite)
        if move.then and move.then["person_id"] and (move.edit.before is None or proposed.kind.permission == ISSUES)
    }
    access = proposed.access
    if not people or not access.actor.somebody:
        return None
    if access.actor.sort == "token":
        return refuse(own_link, "a token has no link made by which somebody signs in here")
    if stand_above(sorted(people), _more(access)):
        return refuse(
            own_link, "this person may something that you may not: whoever gave them the role asks for the link"
        )
    return None


def _more(access: Access) -> dict[str, list[str]]:
    """Which roles may something that they may not, by place: a client where they hold something, '' wherever else."""
    roles = every_role()

    def here(client: UUID | None) -> list[str]:
        return [held.role for held in roles if any(more_than(held, access, client))]

    clients = {held.client for held in access.held if held.client and not held.domain}
    return {"": here(None)} | {str(client): here(client) for client in clients}
