"""Rosters whose time is up and that are not answered: nobody knows who of the client is still there.

NIST SP 800-53 r5, AC-2 (h: be told when users leave or no longer need access) and (j: review accounts). One finding a
roster, with how many lines are open and how many *unknown*, which is no answer to rest on. It closes when a read shows
every line answered with *still here* or *left*, or a newer roster open.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from postroom.models import Round, RoundLine
from postroom.models.rounds import ROSTER, newer, to_answer
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

NAMED = 20


@dataclass(frozen=True)
class Asked:
    """An open roster that is due: how many lines have no answer, how many *unknown*; some of their names."""

    id: UUID
    client: UUID
    quarter: str
    due: datetime
    left: int
    unknown: int
    names: Sequence[str] = ()


def evaluate(rosters: Iterable[Asked], now: datetime) -> Iterator[Found]:
    for one in rosters:
        if now > one.due and (one.left or one.unknown):
            said = [f"{one.left} not answered"] * bool(one.left) + [f"{one.unknown} unknown"] * bool(one.unknown)
            yield Found(
                "medium" if one.left else "low", "rounds", one.id, f"roster of {one.quarter}",
                f"A roster is due: {', '.join(said)}", client=one.client,
                evidence={"not_answered": one.left, "unknown": one.unknown, "some_of_them": list(one.names),
                          "due": one.due.isoformat(timespec="seconds")},
            )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    open = Round.objects.filter(sort=ROSTER, due_at__lt=now, client__removed_at=None).exclude(newer())
    rounds = {row.pk: row for row in open.order_by("id")}
    lines = RoundLine.objects.filter(to_answer() | Q(answer="unknown"), round__in=rounds)
    names = _some(lines)
    counts = lines.values_list("round").annotate(
        left=Count("pk", filter=Q(answer="")), unknown=Count("pk", filter=Q(answer="unknown")))  # fmt: skip
    for pk, left, unknown in counts.order_by("round"):
        row = rounds[pk]
        yield from evaluate([Asked(pk, row.client_id, row.quarter, row.due_at, left, unknown, names[pk])], now)


def _some(lines: "QuerySet[RoundLine]") -> dict[UUID, list[str]]:
    """The first names of each round."""
    place = Window(RowNumber(), partition_by="round", order_by="id")
    found: dict[UUID, list[str]] = {}
    for pk, name in lines.annotate(place=place).filter(place__lte=NAMED).order_by("id").values_list("round", "name"):
        found.setdefault(pk, []).append(name)
    return found


UNANSWERED = Check(
    "roster.unanswered", "Does every client say who is still there?", "NIST SP 800-53 r5, AC-2", 300, reading(_read)
)
