"""Access reviews and rosters at the API: each round with how far it is, and its lines a page at a time.

A line is answered by `POST /changes`, with `access_reviews.sign` or `rosters.answer`.
"""

from typing import Any
from uuid import UUID

from ninja import Router

from postroom.models.rounds import ACCESS, ROSTER
from postroom.queries import rounds as queries

from .door import reads

router = Router(tags=["access reviews and rosters"])
PATHS = {"/access-reviews": ACCESS, "/rosters": ROSTER}


def _list(sort: str) -> Any:
    @reads("rounds.view")
    def view(request: Any, client: str = "", after: str = "", limit: int = 50) -> dict[str, Any]:
        found = queries.rounds(request.auth.actor, sort, client=client, after=after, limit=limit)
        return {"items": [queries.shown(one) for one in found.items], "next": found.next}

    view.__doc__ = f"{sort.capitalize()}s, newest first, each with how many of its lines wait for an answer."
    return view


def _one(sort: str) -> Any:
    @reads("rounds.view")
    def view(
        request: Any, round_id: UUID, state: str = "", search: str = "", after: str = "", limit: int = 50
    ) -> dict[str, Any]:
        queries.known("state", state)
        about = queries.one(request.auth.actor, sort, round_id)
        found = queries.lines(
            request.auth.actor, about.round, state=state, search=search, after=after, limit=limit
        )  # fmt: skip
        return {**queries.shown(about), "items": [queries.shown_line(one) for one in found.items], "next": found.next}

    view.__doc__ = f"One {sort} with a page of its lines: as each stood, what is so now, what was answered."
    return view


for path, sort in PATHS.items():
    name = sort.replace(" ", "_")
    router.get(path, operation_id=f"{name}s")(_list(sort))
    router.get(f"{path}/{{round_id}}", operation_id=name)(_one(sort))
