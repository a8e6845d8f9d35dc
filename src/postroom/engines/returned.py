"""What became of our own letters: notifications that came to their return addresses, told to the control plane.

Postfix puts them into a Maildir of the agent's (postfix.py), whatever runs of ours. Each is read and told by the token
of its address; then, and not before, its file goes. What is no notification goes at once, and is answered by nobody.
"""

import logging
import time
from pathlib import Path
from typing import Any

from postroom.protocols import delivery_status, return_address

from .layout import NodeConfig
from .source import Source

log = logging.getLogger("postroom.agent")
AT_ONCE = 50
SETTLED = 2.0  # seconds: by then who sent the letter has kept its token


class Returned:
    def __init__(self, config: NodeConfig) -> None:
        self.new = config.returned / "new"

    def hand_on(self, source: Source) -> None:
        """Some of what came, the oldest first. Raises SourceAway: then the files stay where they are."""
        told: list[tuple[Path, dict[str, Any]]] = []
        for path in self._settled():
            row = _row(path)
            if row is None:
                path.unlink(missing_ok=True)
            else:
                told.append((path, row))
        if told:
            source.report("returns", [row for _, row in told])
        for path, _ in told:
            path.unlink(missing_ok=True)

    def _settled(self) -> list[Path]:
        try:
            aged = sorted((path.stat().st_mtime, path) for path in self.new.iterdir())
        except OSError as error:
            log.debug("returned letters: %s", error)
            return []
        return [path for at, path in aged if at <= time.time() - SETTLED][:AT_ONCE]


def _row(path: Path) -> dict[str, Any] | None:
    """token, action, status, said; None for what is no notification about a letter of ours."""
    with path.open("rb") as file:
        status = delivery_status.read(file.read(delivery_status.LONGEST))
    if status is None or not (token := return_address.names_letter(status.to)):
        return None
    return {"token": token, "action": status.action, "status": status.status, "said": status.said}
