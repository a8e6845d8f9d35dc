"""The agent's side of probes: where they ended, read from the logs by the parent (probe_log.py), told as it comes."""

import logging

from . import asking
from .asking import ParentAway
from .layout import NodeConfig
from .source import Source

log = logging.getLogger("postroom.agent")


class Arrivals:
    def __init__(self, config: NodeConfig) -> None:
        self.config, self.taken = config, 0

    def hand_on(self, source: Source) -> None:
        """What is known by now. Raises SourceAway: then it is told again."""
        try:
            rows = asking.ask(self.config, {"ask": "probes", "taken": self.taken}).get("rows", [])
        except ParentAway as error:
            log.debug("where probes arrived waits: %s", error)
            return
        if rows:
            source.report("probes", rows)
            self.taken = int(rows[-1]["number"])
