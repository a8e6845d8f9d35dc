"""How far nodes are that were asked to look at all scripts now. One that says nothing never counts as one that has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access import throttle
from postroom.access.acting import Actor, acting_as
from postroom.access.known import ask
from postroom.changes import scripts_again
from postroom.protocols.refs import short_ref

from .leaving import seen_client, seen_domains

SILENT = timedelta(seconds=60)  # after which a node that was asked counts as one that does not answer
LOOKED, WAITED, NO_ANSWER, NOT_ASKED = "looked", "waited for", "no answer", "not asked"
STATES = (LOOKED, WAITED, NO_ANSWER, NOT_ASKED)
NODES = """
SELECT n.id, n.name, a.at, a.answered_at, r.at
FROM nodes n LEFT JOIN sieve_asked a ON a.node_id = n.id LEFT JOIN sieve_reads r ON r.node_id = n.id
WHERE n.removed_at IS NULL AND n.id IN (
  SELECT c.node_id FROM clients c JOIN domains d ON d.client_id = c.id
  WHERE c.removed_at IS NULL AND d.removed_at IS NULL AND d.id IN (/*seen*/)
    AND (%(client)s = '' OR c.slug = %(client)s OR c.id::text = %(client)s))
ORDER BY n.name COLLATE "C"
"""


@dataclass(frozen=True)
class Looking:
    """One node: when it was asked, when it had looked since, and when it last did, whoever asked. state: of STATES."""

    id: UUID
    node: str
    asked_at: datetime | None
    answered_at: datetime | None
    looked_at: datetime | None
    state: str


@dataclass(frozen=True)
class Progress:
    """Of the nodes that serve what is seen: how many have looked since they were asked. over: none is waited for."""

    nodes: tuple[Looking, ...]

    @property
    def looked(self) -> int:
        return sum(1 for one in self.nodes if one.state == LOOKED)

    @property
    def over(self) -> bool:
        return all(one.state != WAITED for one in self.nodes)

    @property
    def asked_at(self) -> datetime | None:
        return max((one.asked_at for one in self.nodes if one.asked_at), default=None)


def look_again(actor: Actor, client: str = "") -> Progress:
    """Ask every node of what this actor sees to look at all scripts now. Raises TooMany."""
    throttle.SCRIPTS(actor.person)
    with acting_as(actor):
        scripts_again.ask([one.id for one in progress(actor, client).nodes])
        return progress(actor, client)


def progress(actor: Actor, client: str = "") -> Progress:
    """One query, and one where a client is named. NotThere for one that nothing is seen of."""
    seen_client(actor, client)
    seen, values = seen_domains(actor)
    rows = ask(NODES.replace("/*seen*/", seen), client=short_ref(client), **values)
    now = timezone.now()
    return Progress(
        tuple(Looking(id, name, asked, told, at, _state(asked, told, now)) for id, name, asked, told, at in rows)
    )


def _state(asked: datetime | None, answered: datetime | None, now: datetime) -> str:
    if asked is None:
        return NOT_ASKED
    if answered is not None:
        return LOOKED
    return WAITED if now - asked < SILENT else NO_ANSWER


def shown(found: Progress) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "looked": found.looked, "nodes": len(found.nodes), "over": found.over, "asked_at": _at(found.asked_at),
        "items": _items(found.nodes),
    }  # fmt: skip


def _items(nodes: Sequence[Looking]) -> list[dict[str, Any]]:
    return [
        {"node": one.node, "state": one.state, "asked_at": _at(one.asked_at), "answered_at": _at(one.answered_at),
         "looked_at": _at(one.looked_at)}
        for one in nodes
    ]  # fmt: skip


def _at(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
