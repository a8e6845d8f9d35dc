"""The list of delegations between the stand-in parent, which reads it, and the registrar, which writes it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "delegations.json"

Delegated = dict[str, tuple[str, ...]]


def read(folder: Path) -> Delegated:
    """Zone name → names of its name servers; empty before the first was written."""
    try:
        data = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return {}
    return {zone: tuple(names) for zone, names in data.items()}


def write(folder: Path, delegated: Mapping[str, tuple[str, ...]]) -> None:
    """Replace the list; a reader sees the old one or the new one, never half of it."""
    fresh = folder / f".{FILE}.{os.getpid()}"
    fresh.write_text(json.dumps(dict(sorted(delegated.items())), indent=1) + "\n")
    fresh.chmod(0o644)
    fresh.rename(folder / FILE)


class Watched:
    """The list as it is now, read again whenever the file was replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: tuple[int, int] | None = None
        self._list: Delegated = {}

    def now(self) -> Delegated:
        try:
            status = (self.folder / FILE).stat()
        except FileNotFoundError:
            return {}
        seen = (status.st_ino, status.st_mtime_ns)
        if seen != self._seen:
            self._list, self._seen = read(self.folder), seen
        return self._list
