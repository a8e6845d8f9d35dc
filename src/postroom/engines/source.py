"""Where a node's work comes from, as the agent sees it: rows to serve, evidence back. No transport of its own.

The database side is four functions that know the node by its login role: `node_pull`, `node_ack`, `node_report`,
`node_rebuild`. `source_pg.py` calls them; `fake_source.py` plays them from a folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

# A bucket: the node is asked what is in it (digests.py). node: its own rows, and what has nobody's id. scripts: it is
# asked to look at all of them now; what it tells of that look takes it off the list (sieve_scripts.py).
Sort = Literal["domain", "address", "key", "token key", "filter", "bucket", "node", "scripts"]
Compiled = dict[str, dict[str, list[dict[str, Any]]]]  # file → table → rows
Evidence = list[dict[str, Any]]  # question, answer, server, at: one entry a question asked


class SourceAway(Exception):
    """The control plane does not answer; the node serves on and asks again."""


@dataclass(frozen=True)
class Todo:
    """One object on the node's list. `compiled` None: it is gone."""

    todo: int
    object: Sort
    id: UUID
    change: UUID | None
    compiled: Compiled | None


class Source(Protocol):
    """Every call may raise SourceAway."""

    def pull(self, at_most: int) -> list[Todo]:
        """What is on this node's list now, oldest first."""

    def ack(self, agreed: Sequence[tuple[int, Evidence]]) -> None:
        """Take these off the list: the daemons serve them as compiled."""

    def report(self, sort: str, rows: Sequence[dict[str, Any]]) -> None:
        """Observations: heartbeat, waiting, refused."""

    def rebuild(self) -> None:
        """Put everything of this node back on its list."""

    def wait(self, seconds: float) -> bool:
        """Until there may be news, at most so long; True if somebody said so."""
