"""Access reviews that nobody finished, and what was signed in one and is not so yet.

NIST SP 800-53 r5, AC-2 (j: review accounts for compliance with account management requirements) and AC-6 (7: review of
user privileges). One finding a review, however many of its lines are open; one a right that was signed to end, or to be
changed, and stands unchanged. Both close when a read shows the line signed, or the right ended.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from postroom.models import ApiToken, Client, Delegation, Grant, Round, RoundLine
from postroom.models.base import made_at
from postroom.models.rounds import ACCESS, RIGHTS, answered_since, to_answer
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading
from postroom.protocols.quarters import before, began, quarter_of

OPENS_WITHIN = timedelta(days=1)  # of the quarter: then the clock does not run, or something is in its way
ENDS_WITHIN = timedelta(days=1)  # of the signature: time for a second person, where one is needed
ENDS = {
    "grants": ("grants.end", "grant"), "api_tokens": ("tokens.end", "token"),
    "delegations": ("delegations.end", "delegation"),
}  # fmt: skip


@dataclass(frozen=True)
class Reviewed:
    """One review as it stands: how many of its lines nobody signed."""

    id: UUID
    quarter: str
    due: datetime
    left: int


@dataclass(frozen=True)
class Asked:
    """A client in use, with its reviews of this quarter and the one before, newest first."""

    id: UUID
    slug: str
    made: datetime
    reviews: Sequence[Reviewed] = ()


def evaluate(clients: Iterable[Asked], now: datetime) -> Iterator[Found]:
    this = quarter_of(now)
    for one in clients:
        newest = one.reviews[0] if one.reviews else None
        if newest is None or newest.quarter != this:
            if one.made < began(this) and now > began(this) + OPENS_WITHIN:
                yield _client(one, f"{one.slug} has no access review in {this}", "none")
        elif newest.left and now > newest.due:
            yield _late(one, newest)
        elif newest.left and any(older.left for older in one.reviews[1:]):
            yield _client(one, f"The access of {one.slug} was not reviewed in {before(this)}", "last quarter")


def _client(one: Asked, title: str, cause: str) -> Found:
    return Found("medium", "clients", one.id, one.slug, title, cause, client=one.id)


def _late(one: Asked, review: Reviewed) -> Found:
    lines = "one line" if review.left == 1 else f"{review.left} lines"
    return Found(
        "medium", "rounds", review.id, f"access review of {review.quarter}", f"{lines} of an access review not signed",
        "late", client=one.id, evidence={"not_signed": review.left, "due": review.due.isoformat(timespec="seconds")},
    )  # fmt: skip


def signed(lines: Iterable[RoundLine], now: datetime) -> Iterator[Found]:
    """Lines whose right stands: to end, which should have happened by now; to be changed, which somebody shall do."""
    for one in lines:
        if one.answered_at is None or (one.answer == "end" and now < one.answered_at + ENDS_WITHIN):
            continue
        kind, param = ENDS[one.noun]
        said = (
            "was signed to end, and stands" if one.answer == "end" else "was signed to be changed, and stands unchanged"
        )
        yield Found(
            "high" if one.answer == "end" else "medium", one.noun, one.object, one.name, f"{one.name} {said}",
            f"signed {one.answer}", client=one.client_id, kind=kind, params={param: str(one.object)},
            evidence={"signed": one.answered_at.isoformat(timespec="seconds"), "note": one.note},
        )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    quarters = (quarter_of(now), before(quarter_of(now)))
    left = dict(
        RoundLine.objects.filter(to_answer(), round__sort=ACCESS, round__quarter__in=quarters)
        .values_list("round").annotate(n=Count("pk")).order_by()
    )  # fmt: skip
    reviews: dict[UUID, list[Reviewed]] = {}
    for row in Round.objects.filter(sort=ACCESS, quarter__in=quarters).order_by("-quarter"):
        one = Reviewed(row.pk, row.quarter, row.due_at, left.get(row.pk, 0))
        reviews.setdefault(row.client_id, []).append(one)
    clients = Client.objects.filter(removed_at=None, closed_at=None).order_by("slug")
    yield from evaluate((Asked(c.pk, c.slug, made_at(c.pk), reviews.get(c.pk, ())) for c in clients), now)
    yield from signed(_standing(now), now)


def _standing(now: datetime) -> Iterator[RoundLine]:
    lasting = Q(until=None) | Q(until__gt=now)
    models = (Grant, ApiToken, Delegation)
    stands = [Exists(m.objects.filter(lasting, pk=OuterRef("object"), ended_at=None)) for m in models]
    rows = RoundLine.objects.filter(answer__in=("end", "change"), noun__in=RIGHTS, client__removed_at=None)
    return iter(rows.filter(Q(*stands, _connector=Q.OR)).exclude(answered_since()).order_by("id"))


REVIEW = Check(
    "access.review", "Was every right looked at within the quarter, and done what was signed?",
    "NIST SP 800-53 r5, AC-2", 300, reading(_read),
)  # fmt: skip
