"""The agent's side of who counts sign-ins: asks how it is, and hands what was signed in to on to the control plane.

A row is taken off there when the control plane has it, so one may come twice; it knows them by their number.
"""

import json
import socket
import time
from typing import Any

from .layout import NodeConfig
from .source import Source

TIMEOUT, AGAIN = 2, 15  # seconds; one that does not answer is asked less often, for the agent has other work
Said = dict[str, Any]


def asked(config: NodeConfig, question: Said) -> Said:
    """Its own word; {"error": …} if it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(TIMEOUT)
            line.connect(str(config.policy_socket))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                return dict(json.loads(answer.readline() or b"{}"))
    except (OSError, ValueError) as error:
        return {"error": str(error) or type(error).__name__}


class SignIns:
    """What was taken of the rows, and what the daemon last said of itself."""

    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self.taken = 0
        self.guard: Said = {"error": "not asked yet"}
        self._next = 0.0

    def hand_on(self, source: Source) -> None:
        """All there are. Raises SourceAway: then they stay where they are."""
        if time.monotonic() < self._next:
            return
        while rows := self._rows():
            source.report("sign-ins", rows)
            self.taken = int(rows[-1]["number"])

    def _rows(self) -> list[Said]:
        said = asked(self.config, {"taken": self.taken})
        self.guard = {name: said[name] for name in ("ok", "why", "asked", "error") if name in said}
        if "error" in said:
            self._next = time.monotonic() + AGAIN
        return list(said.get("rows", ()))
