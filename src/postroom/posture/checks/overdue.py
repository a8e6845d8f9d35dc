"""Is what lets mail through for a while tidied when its time is over, and looked at before?

NIST SP 800-53 r5, AC-2 (2) (what is temporary ends by itself) and AC-4. A catch-all or an exception whose `until` has
passed is answered by no map already; that its row still stands an hour later says that the clock does not run. An
exception is looked at again on its own day; who does says so by ending it, or by asking for another.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from postroom.models import CatchAll, Forward, RouteException, Transport
from postroom.models.routes import ASK
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

TIDIED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Timed:
    """What ends by time, and still stands. source: whose mail. until: its end. review: to be looked at, not tidied."""

    noun: str
    id: UUID
    source: str
    target: str
    client: UUID
    domain: UUID
    until: datetime
    review: bool = False


ENDS = {
    "forwards": ("forwards.end", "forward"), "catch_alls": ("catch_alls.end", "catch_all"),
    "exceptions": ("exceptions.end", "exception"), "transports": ("transports.end", "transport"),
}  # fmt: skip
CALLED = {
    "forwards": "A forward", "catch_alls": "A catch-all", "exceptions": "An exception", "transports": "A transport",
}  # fmt: skip


def evaluate(rows: Iterable[Timed]) -> Iterator[Found]:
    for one in rows:
        kind, param = ENDS[one.noun]
        what = f"{CALLED[one.noun]} of {one.source} to {one.target}"
        title = f"{what} is to be looked at again" if one.review else f"{what} has expired, and its row still stands"
        yield Found(
            "low" if one.review else "medium", one.noun, one.id, f"{one.source} to {one.target}", title,
            "review" if one.review else "expired", client=one.client, domain=one.domain, kind=kind,
            evidence={"until": one.until.isoformat(timespec="seconds")}, params={param: str(one.id)},
        )  # fmt: skip


def asked(rows: Iterable[Timed]) -> Iterator[Found]:
    """Forwards that were disabled when the exception they rested on ended, and wait for somebody to say."""
    for one in rows:
        said = f"A forward of {one.source} to {one.target} was disabled when its exception ended: renew it, or end this"
        yield Found(
            "medium", one.noun, one.id, f"{one.source} to {one.target}", said, "asks", client=one.client,
            domain=one.domain, kind="forwards.end", params={"forward": str(one.id)},
            evidence={"until": one.until.isoformat(timespec="seconds"),
                      "renew": f"exceptions.create address={one.source} target={one.target}"},
        )  # fmt: skip


def _asking(now: datetime) -> "QuerySet[Forward]":
    """An end disabled them, as the times of both are of one change; no other exception stands since."""
    same = RouteException.objects.filter(address=OuterRef("address"), target=OuterRef("to"))
    ended = same.filter(on_end=ASK, ended_at=OuterRef("disabled_at"))
    rows = Forward.objects.filter(Exists(ended), removed_at=None, disabled_at__isnull=False, client__removed_at=None)
    found: QuerySet[Forward] = rows.exclude(Exists(same.filter(ended_at=None, until__gt=now)))
    return found


def _read(now: datetime) -> Iterator[Found]:
    late = Q(until__lt=now - TIDIED_WITHIN)
    here = {"client__removed_at": None}
    of = ("pk", "address__address", "to", "client", "address__domain", "until")
    asking = [Timed("forwards", *row) for row in _asking(now).order_by("id").values_list(*of)]
    yield from asked(asking)
    expired = Forward.objects.filter(late, removed_at=None, **here).exclude(pk__in=[one.id for one in asking])
    for row in expired.order_by("id").values_list(*of):
        yield from evaluate([Timed("forwards", *row)])
    caught = CatchAll.objects.filter(late, removed_at=None, **here).order_by("id")
    for row in caught.values_list("pk", "domain__name", "target", "client", "domain", "until"):
        yield from evaluate([Timed("catch_alls", *row)])
    due = {**here, "ended_at": None}
    excepted = RouteException.objects.filter(late | Q(review_on__lte=now.date()), **due).order_by("id")
    for row in excepted.values_list("pk", "address__address", "target", "client", "address__domain", "until"):
        yield from evaluate([replace(Timed("exceptions", *row), review=row[-1] >= now - TIDIED_WITHIN)])
    handed = Transport.objects.filter(late | Q(review_on__lte=now.date()), **due).order_by("id")
    for row in handed.values_list("pk", "address__address", "host", "client", "address__domain", "until"):
        yield from evaluate([replace(Timed("transports", *row), review=row[-1] >= now - TIDIED_WITHIN)])


OVERDUE = Check(
    "routes.overdue", "Is what was for a while looked at, and over?", "NIST SP 800-53 r5, AC-2 (2)", 300, reading(_read)
)
