"""Reviews at the API: what went through at once and is looked at afterwards; closing one with what was found."""

from typing import Any

from ninja import Router

from postroom.changes.reviews import close
from postroom.queries.approvals import to_review

from .asked import as_why
from .changes import DONE_OR_WAITING, Why, answered
from .door import reads, submits

router = Router(tags=["reviews"])


@router.get("/reviews")
@reads("approvals.view")
def reviews(request: Any, client: str | None = None, after: str | None = None, limit: int = 50) -> dict[str, Any]:
    """Reviews that nobody has closed yet, first due first."""
    found = to_review(request.auth.actor, client=client, after=after, limit=limit)
    return {"items": found.items, "next": found.next}


@router.post("/reviews/{review_id}/close", response=DONE_OR_WAITING)
@submits("changes.approve")
def close_review(request: Any, review_id: int, body: Why) -> Any:
    """Say what you found; for an approver other than who did it. Answers with the change that was looked at."""
    return answered(request, close(review_id, actor=request.auth.actor, why=as_why(body.why)))
