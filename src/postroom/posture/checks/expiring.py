"""Roles that end soon, and roles whose time is up and whose row still stands.

NIST SP 800-53 r5, AC-2 (account management: notify when access is no longer required) and AC-2 (2) (temporary accounts
end by themselves). A role whose `until` has passed counts for nothing already; that nobody tidied it for an hour says
that the clock does not run.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from postroom.models import Grant
from postroom.models.base import made_at
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

SOON = timedelta(days=7)
HOURS = timedelta(hours=12)  # what is given for no longer is meant to end, and nothing to be reminded of
TIDIED_WITHIN = timedelta(hours=1)


def evaluate(grants: Iterable[Grant], now: datetime) -> Iterator[Found]:
    for one in grants:
        if one.until is None or one.ended_at is not None:
            continue
        if now < one.until <= now + SOON and one.until - made_at(one.pk) > HOURS:
            yield _ends(one)
        elif one.until < now - TIDIED_WITHIN:
            yield _untidied(one)


def _ends(one: Grant) -> Found:
    again = {"person": str(one.person_id), "role": one.role, "reason": one.reason}
    again |= {"client": str(one.client_id)} if one.client_id else {}
    again |= {"domain": str(one.domain_id)} if one.domain_id else {}
    title = f"The role {one.role} of {_whose(one)} ends"
    return _found(one, "low", "ends", title, "grants.give", again)


def _untidied(one: Grant) -> Found:
    title = f"The role {one.role} of {_whose(one)} has ended, and its row still stands"
    return _found(one, "medium", "not tidied", title, "grants.end", {"grant": str(one.pk)})


def _whose(one: Grant) -> str:
    """A client reads of its own people by name, as everywhere."""
    theirs = one.client_id is None or one.person.client_id == one.client_id
    return one.person.name if theirs else "somebody at the organization"


def _found(one: Grant, severity: str, cause: str, title: str, kind: str, params: dict[str, str]) -> Found:
    until = one.until.isoformat(timespec="seconds") if one.until else None
    evidence = {"role": one.role, "until": until, "reason": one.reason}
    return Found(
        severity, "grants", one.pk, f"{one.role} for {_whose(one)}", title, cause, client=one.client_id,
        domain=one.domain_id, evidence=evidence, kind=kind, params=params,
    )  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    ending = Grant.objects.filter(Q(until__lte=now + SOON), ended_at=None, person__removed_at=None)
    return evaluate(ending.select_related("person").order_by("id"), now)


EXPIRING = Check(
    "access.expiring", "Which roles end soon, or were not tidied?", "NIST SP 800-53 r5, AC-2", 60, reading(_read)
)
