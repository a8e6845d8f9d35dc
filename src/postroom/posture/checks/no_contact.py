"""Clients without a security contact: what nobody may rewrite is kept by nobody but us.

A log that shows one history to some and another to others is found out by what it signed for them (RFC 9162, 11.3), so
each client's contact gets a checkpoint every week (worker/checkpoints.py). Where there is none, no letter goes, and
nobody is told of a verified reset either. A client's first day is for filling it in.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from postroom.models import Client
from postroom.models.base import made_at
from postroom.posture.findings import Found
from postroom.posture.run import Check, reading

SETTLED = timedelta(days=1)  # the first letter comes after it


def evaluate(clients: Iterable[Client], now: datetime) -> Iterator[Found]:
    for one in clients:
        made = made_at(one.pk)
        if one.security_contact or made >= now - SETTLED:
            continue
        title = f"{one.name} has no security contact: nobody there gets the weekly checkpoint"
        evidence = {"client made": made.isoformat(timespec="seconds"), "may ask": sorted(one.may_ask)}
        yield Found("medium", "clients", one.pk, one.label, title, client=one.pk, evidence=evidence,
                    kind="clients.change", params={"client": one.slug})  # fmt: skip


def _read(now: datetime) -> Iterator[Found]:
    return evaluate(Client.objects.filter(removed_at=None, security_contact="").order_by("id"), now)


NO_CONTACT = Check(
    "clients.no_contact", "Does every client have somebody who gets its checkpoints?", "RFC 9162, 11.3", 300,
    reading(_read),
)  # fmt: skip
