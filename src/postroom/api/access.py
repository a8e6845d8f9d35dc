"""Who may do what, at the API: the roles and tokens that count at a client, or all of them."""

from typing import Any

from ninja import Router

from postroom.queries import access as queries

from .door import reads

router = Router(tags=["access"])


@router.get("/access")
@reads("grants.view")
def access(request: Any, client: str = "", search: str = "", after: str = "", limit: int = 50) -> dict[str, Any]:
    """Roles, newest first, a page at a time; with the first page the tokens, and who of the organization may act at the
    client named, to whom its own people see no more than the name.
    """
    actor = request.auth.actor
    one = queries.chosen(actor, client)
    found = queries.grants(actor, one, search=search, after=after, limit=limit)
    tokens = [] if after else queries.tokens(actor, one)
    known = [right.id for right in (*found.items, *tokens)]
    others = [] if after else queries.others(actor, one, known)
    return {
        "client": one.slug if one else None, "closed": one.closed_at.isoformat() if one and one.closed_at else None,
        "items": [queries.shown(right) for right in found.items], "next": found.next,
        "tokens": [queries.shown(right) for right in tokens], "others": [queries.shown(right) for right in others],
    }  # fmt: skip
