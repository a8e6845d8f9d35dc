"""Signing keys whose time has come: those half a year old get others after them, those that rested are revoked.

Nothing goes by the time alone: keys are rotated where we write the zone ourselves and nothing is under way, and revoked
when the change that retired them was read back at the node, so that nothing has been signed with them since. What a
freeze or a zone that is not read keeps is tried again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import KeyReused, NothingToDo, Problems
from postroom.changes.freeze import freeze_over
from postroom.changes.kind import Kind
from postroom.changes.kinds.dkim_life import RevokeKey, RotateKeys
from postroom.changes.pipeline import submit
from postroom.models import Change, DkimKey, RecordedEdit

ROTATED = timedelta(days=180)  # M3AAWG, DKIM Key Rotation (2019): at least every six months
AT_ONCE = 50
AGAIN = timedelta(hours=1)  # what came to nothing is asked for again no sooner


def look() -> Iterator[Callable[[], object]]:
    """A piece of work for each key that is due."""
    now = timezone.now()
    with acting_as(SYSTEM):
        wanted = [*_to_revoke(now), *_to_rotate(now)]
        frozen = {client for client in {one.client_id for one, *_ in wanted} if freeze_over(client) is not None}
    for one, kind, why in wanted:
        if one.client_id not in frozen:
            yield partial(_submitted, kind, why, f"{kind.permission} {one.pk} {int(now.timestamp() / AGAIN.seconds)}")


def _to_rotate(now: datetime) -> Iterator[tuple[DkimKey, Kind, str]]:
    """One key of each domain whose keys have signed for long enough. Where others write the zone, people rotate."""
    coming = DkimKey.objects.filter(domain=OuterRef("domain"), activated_at=None, retired_at=None)
    old = _of_live().filter(activated_at__lte=now - ROTATED, retired_at=None, algorithm__startswith="rsa")
    hosted = old.filter(domain__hosting="hosted", domain__proof="read").exclude(Exists(coming))
    for one in hosted.order_by("domain", "activated_at").distinct("domain")[:AT_ONCE]:
        yield one, RotateKeys(domain=one.domain.name), f"{one.selector} has signed for half a year"


def _to_revoke(now: datetime) -> Iterator[tuple[DkimKey, Kind, str]]:
    due = _of_live().filter(revoke_at__lte=now, retired_at__isnull=False, revoked_at=None)
    for one in due.order_by("revoke_at")[:AT_ONCE]:
        edits = RecordedEdit.objects.filter(table=DkimKey._meta.db_table, row=one.pk)
        retired = edits.annotate(at=KT("after__retired_at")).filter(at__isnull=False)
        by = Change.objects.filter(client=one.client_id, version__in=retired.values("entry__version"))
        if not by.filter(stage="applied").exists():
            why = f"nothing that {one.selector} signed is on its way"
            yield one, RevokeKey(key=str(one.pk), domain=one.domain.name), why


def _of_live() -> "QuerySet[DkimKey]":
    live: QuerySet[DkimKey] = DkimKey.objects.filter(domain__removed_at=None, client__removed_at=None)
    return live.select_related("domain")


def _submitted(kind: Kind, why: str, key: str) -> None:
    """Refusals are on record; of a zone that was not read nothing is, and the next look asks again."""
    with suppress(NothingToDo, KeyReused, Problems):
        submit(kind, actor=SYSTEM, why=why, key=key)
