"""Nodes on which nobody counts who tries passwords.

NIST SP 800-63B-4, 3.2.2 (rate limiting). A node says with every heartbeat whether its count of sign-ins answers, and
whether somebody asks it with another key than Dovecot's. While it does not, passwords are tried as fast as Dovecot's
own penalty for an address lets them. Of a node that is silent, or says nothing of it, it is not known.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Node, Report
from postroom.posture.findings import Found
from postroom.posture.run import Check, Seen

NAME, HEARD = "nodes.sign_in_guard", timedelta(seconds=60)  # four heartbeats missed


def evaluate(node: UUID, name: str, guard: Mapping[str, Any]) -> Iterator[Found]:
    """One finding a node, whatever the reason."""
    if guard.get("ok") is True:
        return
    why = str(guard.get("error") or guard.get("why") or "it did not say why")[:200]
    title = f"Nobody counts wrong passwords at the mail node {name}"
    yield Found("high", "nodes", node, name, title, evidence={"said": why})


def _look(now: datetime) -> Seen:
    found: list[Found] = []
    unread: dict[UUID, str] = {}
    with acting_as(SYSTEM):
        for node in Node.objects.filter(removed_at=None).order_by("name"):
            beat = Report.objects.filter(node=node, sort="heartbeat", at__gt=now - HEARD).order_by("-at").first()
            guard = beat.facts.get("sign_in_guard") if beat else None
            if isinstance(guard, dict):
                found += evaluate(node.pk, node.name, guard)
            else:
                unread[node.pk] = node.name
    why = f"{', '.join(unread.values())}: has not said within a minute whether sign-ins are counted" if unread else ""
    return Seen(tuple(found), unread=frozenset(unread), why=why)


SIGN_IN_GUARD = Check(NAME, "Does every node count who tries passwords?", "NIST SP 800-63B-4, 3.2.2", 30, _look)
