"""The one writer of findings: all that a check found in what it read is compared with what is open.

A finding opens when a read shows it, keeps its `since` while reads go on showing it, and closes when a later read of
the same object does not: never because nobody looked. What could not be read is *unknown* until it can be again. Back
after it was closed, it is a new finding of the same fingerprint. An older read never overrides a newer one.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from os import urandom
from time import time
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Finding, Look

AT_ONCE = 1_000
KEPT = ("severity", "label", "title", "evidence", "kind", "params")  # what a further read says anew


@dataclass(frozen=True)
class Found:
    """One thing that is wrong, as a check read it.

    noun, object, label: which row it is about, by its table, id and what people call it. cause: what tells this apart
    from other findings of the check about the same object. domain: whose page shows it too. evidence: what was seen,
    as JSON, `before` and `after` where there are both; never a secret. kind, params: the change that would help.
    """

    severity: str
    noun: str
    object: UUID | None
    label: str
    title: str
    cause: str = ""
    client: UUID | None = None
    domain: UUID | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What a read covered: all of the check, one client's part of it, or these objects. Nothing outside is closed."""

    client: UUID | None = None
    objects: frozenset[UUID] | None = None

    def where(self) -> Q:
        here = Q() if self.client is None else Q(client=self.client)
        return here if self.objects is None else here & Q(object__in=self.objects)


EVERYTHING = Scope()


def fingerprint(check: str, found: Found) -> str:
    """The same for the same cause at the same object of the same client, whatever else is said of it."""
    about = [check, str(found.client or ""), found.noun, str(found.object or ""), found.cause]
    return f"{check} {hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]}"


def observed(
    check: str, found: Iterable[Found], *, scope: Scope = EVERYTHING, unread: Collection[UUID] = (), why: str = "",
    at: datetime | None = None,
) -> None:  # fmt: skip
    """Take over what a read of `scope` found: in one transaction of the system's own.

    unread: objects in the scope that could not be read, and `why`; their findings become unknown. at: when the reading
    began, if it took long.
    """
    moment = at or timezone.now()
    with acting_as(SYSTEM):
        _one_at_a_time(check)
        take(check, found, moment)
        others = Finding.objects.filter(scope.where(), check_name=check, closed_at=None, at__lt=moment)
        _unknown(others.filter(object__in=unread), why or "it could not be read", moment)
        others.exclude(object__in=unread).update(closed_at=moment, unknown_since=None, unknown_why="")
        if scope == EVERYTHING:
            _looked(check, moment, at=moment, failed=f"{len(unread)} could not be read" if unread else "")


def not_read(check: str, why: str, *, scope: Scope = EVERYTHING, at: datetime | None = None) -> None:
    """Nothing of the scope could be read: what is open there is unknown, and nothing is closed."""
    moment = at or timezone.now()
    with acting_as(SYSTEM):
        _one_at_a_time(check)
        _unknown(Finding.objects.filter(scope.where(), check_name=check, closed_at=None, at__lt=moment), why, moment)
        if scope == EVERYTHING:
            _looked(check, moment, failed=why)


def alarm(check: str, found: Found, *, at: datetime | None = None) -> None:
    """A critical finding, at once; every owner of the organization gets a mail about it (worker/alarms.py).

    It stays open until its check says otherwise by `observed`.
    """
    with acting_as(SYSTEM):
        raised(check, found, at=at)


def raised(check: str, found: Found, *, at: datetime | None = None) -> None:
    """The same inside a transaction that is open already and may see everything: it stands or falls with that."""
    _one_at_a_time(check)
    take(check, [replace(found, severity="critical")], at or timezone.now())


def take(check: str, found: Iterable[Found], moment: datetime) -> None:
    """Open what is new, refresh what is open. Inside a transaction of the system."""
    wanted = {fingerprint(check, one): one for one in found}
    prints = list(wanted)
    for at in range(0, len(prints), AT_ONCE):
        _some(check, {one: wanted[one] for one in prints[at : at + AT_ONCE]}, moment)


def _some(check: str, wanted: Mapping[str, Found], moment: datetime) -> None:
    standing = {one.fingerprint: one for one in Finding.objects.filter(fingerprint__in=wanted, closed_at=None)}
    later = Finding.objects.filter(fingerprint__in=wanted.keys() - standing.keys(), closed_at__gt=moment)
    gone = set(later.values_list("fingerprint", flat=True))  # a newer read than this one showed it gone
    opening = [(name, one) for name, one in wanted.items() if name not in standing and name not in gone]
    ids = _new_ids(len(opening))
    new = [_row(id, check, name, one, moment) for id, (name, one) in zip(ids, opening, strict=True)]
    Finding.objects.bulk_create(new)
    _refresh([row for row in standing.values() if row.at <= moment], wanted, moment)


def _refresh(rows: Sequence[Finding], wanted: Mapping[str, Found], moment: datetime) -> None:
    """Still there: read again now; written out in full only where it says something else than before."""
    changed = []
    for row in rows:
        said = _said(wanted[row.fingerprint])
        if any(getattr(row, name) != said[name] for name in KEPT):
            for name in KEPT:
                setattr(row, name, said[name])
            changed.append(row)
    Finding.objects.bulk_update(changed, KEPT)
    again = Finding.objects.filter(pk__in=[row.pk for row in rows])
    again.update(at=moment, unknown_since=None, unknown_why="")


def _row(id: UUID, check: str, name: str, one: Found, moment: datetime) -> Finding:
    return Finding(
        id=id, check_name=check, fingerprint=name, client_id=one.client, domain_id=one.domain, noun=one.noun,
        object=one.object, at=moment, since=moment, **_said(one),
    )  # fmt: skip


def _said(one: Found) -> dict[str, Any]:
    said = {name: getattr(one, name) for name in KEPT}
    return {**said, "evidence": dict(one.evidence), "params": dict(one.params)}


def _unknown(rows: Any, why: str, moment: datetime) -> None:
    rows.filter(unknown_since=None).update(unknown_since=moment, unknown_why=why[:500])


def _looked(check: str, moment: datetime, **said: Any) -> None:
    if Look.objects.filter(check_name=check, tried__gt=moment).exists():
        return
    Look.objects.update_or_create(check_name=check, defaults={"tried": moment, **said})


def _one_at_a_time(check: str) -> None:
    """Two reads of one check are taken over one after the other, each by what the other left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"findings of {check}"])


def _new_ids(count: int) -> Iterator[UUID]:
    """UUIDv7 that go with the time, and those of one read in its order (RFC 9562, 5.7 and 6.2, method 1)."""
    first = int(time() * 1000) << 12
    for n in range(first, first + count):
        random = int.from_bytes(urandom(8)) & (1 << 62) - 1
        yield UUID(int=n >> 12 << 80 | 0x7 << 76 | (n & 0xFFF) << 64 | 0x2 << 62 | random)
