"""What went through at once is looked at afterwards, by an approver other than who did it: closing that task.

Closing changes no state. It is an entry: what was to be looked at, who looked, and what they found.
"""

from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Access, Actor, acting_as
from postroom.models import Change, Review

from .approvals import seen
from .errors import NotAllowed, NotSeen, NotThere, OwnChange
from .record import note
from .refused import refusals

CLOSED = "review closed"
CLOSES = "close a review"  # as a refusal of it stands in the record


def close(review_id: int, *, actor: Actor, why: str) -> Change:
    """Close one review with what was found; the change that was looked at.

    Raises NotThere, OwnChange, NotAllowed, and NotSeen if somebody closed it already.
    """
    with acting_as(actor):
        about = seen(_there(review_id).change_id).pk
    with refusals(actor, CLOSES, about), acting_as(actor) as access:
        change = seen(about)
        _closed(change, [review_id], access, why)
        return change


def close_all(change_id: UUID, *, actor: Actor, why: str) -> Change:
    """Close every open review of one change: who has looked at it has looked at all that was marked on it."""
    with refusals(actor, CLOSES, change_id), acting_as(actor) as access:
        change = seen(change_id)
        _closed(change, left(change, access), access, why)
        return change


def left(change: Change, access: Access) -> list[int]:
    """The ids of its open reviews, if this person may close them and there are any; else why not, raised."""
    if change.proposer_id is not None and change.proposer_id == access.actor.person:
        raise OwnChange("nobody reviews what they did themselves")
    if access.actor.sort != "person" or not access.can("changes.approve", change.client_id):
        raise NotAllowed("only who may approve changes here reviews them")
    found = list(change.review_set.filter(closed_at=None).order_by("id").values_list("pk", flat=True))
    if not found:
        raise NotSeen("nothing of this change is left to be reviewed")
    return found


def _closed(change: Change, reviews: list[int], access: Access, why: str) -> None:
    """Each under its lock, so that of two who close it at once the second is told."""
    left(change, access)
    for review in Review.objects.select_for_update().filter(pk__in=reviews).order_by("pk"):
        if review.closed_at is not None:
            raise NotSeen("this review was closed already")
        review.closed_by_id, review.closed_at = access.actor.person, timezone.now()
        review.save(update_fields=["closed_by", "closed_at"])
        note(
            CLOSED, client=change.client_id, of=change.pk, change=change.pk, review=review.pk, reason=review.reason,
            person=access.actor.person, why=why,
        )  # fmt: skip


def _there(review_id: int) -> Review:
    review = Review.objects.filter(pk=review_id).first()
    if review is None:
        raise NotThere("review", f"no review {review_id} that you can see")
    return review
