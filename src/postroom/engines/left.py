"""The agent's side of last hits: by which ways mail left, read from the logs by the parent (left_log.py), four times a
minute. That it was read, and since when without a gap, is told with it: without that, nothing is known."""

import logging
import sqlite3
import time
from typing import Any

from . import asking
from .asking import ParentAway
from .key_store import Reader
from .layout import NodeConfig
from .source import Source
from .ways_out import WaysOut

log = logging.getLogger("postroom.agent")
EVERY = 15.0


class Left:
    def __init__(self, config: NodeConfig) -> None:
        self.config, self.maps = config, Reader(config.database("maps"))
        self.taken, self.next = 0, 0.0

    def hand_on(self, source: Source) -> None:
        """What is known by now. Raises SourceAway: then it is told again."""
        if time.monotonic() < self.next:
            return
        try:
            said = asking.ask(self.config, {"ask": "left", "taken": self.taken})
            rows = self._ways(said.get("rows", []))
        except (ParentAway, sqlite3.Error) as error:
            log.debug("by which ways mail left waits: %s", error)
            return
        if said.get("upto") is not None:
            rows.append({"whole": True, "since": said["since"], "at": said["upto"]})
        if rows:
            source.report("left", rows)
        self.taken = int(said.get("number", 0))
        self.next = time.monotonic() + (EVERY if said.get("upto") is not None else 0)

    def _ways(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The newest of each. Raises sqlite3.Error."""
        ways, newest = WaysOut(self.maps.rows), dict[tuple[str, str], float]()
        for row in rows:
            for way in ways.of(row["source"], row["to"], row["by"]):
                newest[way] = max(row["at"], newest.get(way, 0.0))
        return [{"source": source, "target": target, "at": at} for (source, target), at in newest.items()]
