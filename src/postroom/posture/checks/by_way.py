"""Sieve scripts in force that pass mail on to a colleague whose mail leaves by an exception of their own.

MITRE ATT&CK T1114.003 and RFC 5228, 10, as for a redirect to outside (redirect.py). Inside its client a filter needs
nobody's agreement, and the colleague's exception was agreed to for their own mail: by both of them, mail that nobody
let leave does. Found over the same statement as the forward finder, so over chains of any length that it follows. What
an allowed pattern lets out, and what the mailbox has an exception of its own for, is none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

from django.db import connection

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Mailbox, RouteException
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen
from postroom.protocols.patterns import PROVIDERS

from .redirect import STALE, elsewhere, fresh_nodes, in_force

NAME = "sieve.by_way"
MOST = 10_000  # of all clients; beyond it is not known what else there is
ALL = "SELECT id FROM domains"


@dataclass(frozen=True)
class ByWay:
    """Mail to `box` is passed on by its script to `via`, and leaves at `leaves_at` to `target`."""

    box: Mailbox
    script: str
    via: str
    leaves_at: str
    target: str


def evaluate(ways: Iterable[ByWay], excepted: Collection[tuple[str, str]]) -> Iterator[Found]:
    """One for each colleague by way of whom it leaves, and target. excepted: (address, target) of exceptions."""
    for one in ways:
        box = one.box
        if (box.label, one.target) in excepted:
            continue
        plain = not one.via.startswith("@")
        yield Found(
            "high" if box.vip else "medium", "mailboxes", box.pk, box.label,
            f"Mail of {box.label} is passed on to {one.via} by a Sieve script, and leaves by the exception of "
            f"{one.leaves_at} to {one.target}", f"{one.via} {one.leaves_at} {one.target}",
            client=box.client_id, domain=box.address.domain_id,
            evidence={"script": one.script, "via": one.via, "leaves_at": one.leaves_at, "to": one.target},
            kind="redirects.stop" if plain else "",
            params={"mailbox": box.label, "target": one.via} if plain else {},
        )  # fmt: skip


def _statement() -> str:
    return files("postroom").joinpath("sql/leaving.sql").read_text().replace("/*seen*/", ALL)


def _rows(now: datetime) -> list[Mapping[str, Any]]:
    """What scripts pass on and leaves elsewhere, as the forward finder has it."""
    asked: dict[str, Any] = {
        "client": "", "mechanism": "sieve redirect", "risk": -1, "private": False, "unexcepted": False, "search": "",
        "after": "", "limit": MOST + 1, "now": now, "providers": sorted(PROVIDERS),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_statement(), asked)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _ways(rows: Iterable[Mapping[str, Any]], boxes: Mapping[UUID, Mailbox]) -> Iterator[ByWay]:
    """Those over somebody else who has an exception, of mailboxes with a script in force."""
    for row in rows:
        if row["hops"] and not row["off"] and row["exception"] and not row["allowed"] and row["mailbox"] in boxes:
            yield ByWay(boxes[row["mailbox"]], row["script"], row["via"], row["leaves_at"], row["target"])


def _look(now: datetime) -> Seen:
    with acting_as(SYSTEM):
        nodes = fresh_nodes(now)
        scripts, shut = in_force(nodes)
        rows = _rows(now) if any(one.redirects for one in scripts) else []
        known = {one.mailbox_id: one.mailbox for one in scripts}
        ways = list(_ways(rows[:MOST], known))
        standing = RouteException.objects.filter(
            address__address__in={one.box.label for one in ways}, ended_at=None, until__gt=now
        )
        found = tuple(evaluate(ways, set(standing.values_list("address__address", "target"))))
        unread = {one.mailbox_id for one in scripts if one.unreadable} | shut | elsewhere(NAME, nodes)
        if len(rows) > MOST:  # what was found there stays, and is not known
            unread |= elsewhere(NAME, ())
    return Seen(found, unread=frozenset(unread), why=STALE if unread else "")


BY_WAY = Check(NAME, "Does a filter pass mail on to somebody whose mail leaves?", "MITRE ATT&CK T1114.003", 60, _look)
