"""The lines that a log got since it was last asked, over restarts and rotation too, or that some are lost.

Where it was read to is a place in the file and a hash of what stands just before it. By the hash the same text is known
again, whether it was renamed, or copied and cut (copytruncate): what is left of it is read there first, as long as the
copy stands beside it uncompressed. Where it is nowhere, lines are lost, and it says so.
Of a log that stood at its beginning nothing can be known again: what beside it was written to since was never read.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AT_ONCE, LINE = 4_000_000, 8_192  # bytes: of one look, of a line
MARK, OTHERS = 512, 8  # bytes that are hashed; files beside it that are looked at, the newest first


@dataclass
class KeptTail:
    """path: the log. at: bytes of it that were read, whole lines. mark: of the bytes before that. empty_at: when that
    was none of them, seconds since 1970. lost: lines went by unread since whoever asks set it back. behind: there was
    more than one look takes."""

    path: Path
    at: int = 0
    mark: str = ""
    empty_at: float = field(default_factory=time.time)
    lost: bool = False
    behind: bool = False

    def kept(self) -> dict[str, Any]:
        """What is to be kept of it."""
        return {"at": self.at, "mark": self.mark, "empty_at": self.empty_at}

    def restore(self, kept: dict[str, Any]) -> None:
        """Raises KeyError, ValueError or TypeError where it is not what was kept."""
        self.at, self.mark, self.empty_at = int(kept["at"]), str(kept["mark"]), float(kept.get("empty_at", time.time()))

    def begin(self) -> None:
        """At its end: what stands there was never read."""
        if self.path.exists():
            with self.path.open("rb") as file:
                self._stand(file, file.seek(0, os.SEEK_END), time.time())

    def lines(self) -> Iterator[bytes]:
        """Whole ones, of which the longest are cut. None of a file that is not there."""
        self.behind = False
        if self.path.exists():
            if not self._is_it(self.path):
                beside = self._beside()
                older = next((one for one in beside if self._is_it(one)), None)
                self.lost = self.lost or older is None or older != beside[0]  # what is newer was never read
                yield from self._read(older) if older else ()
                if self.behind:  # the rest of it first
                    return
                self.at, self.mark = 0, ""
            elif not self.at and any(map(self._written_since, self._beside())):
                self.lost = True
            yield from self._read(self.path)

    def _read(self, path: Path) -> Iterator[bytes]:
        begun = time.time()
        with path.open("rb") as file:
            file.seek(self.at)
            new = file.read(AT_ONCE)
            whole = new.rfind(b"\n") + 1
            self.behind = len(new) == AT_ONCE
            if not whole and self.behind:  # no line is so long: it is none
                whole, self.lost = len(new), True
            self._stand(file, self.at + whole, begun)
        yield from (one[:LINE] for one in new[:whole].split(b"\n")[:-1])

    def _stand(self, file: Any, at: int, when: float) -> None:
        file.seek(max(0, at - MARK))
        self.empty_at = self.empty_at if at else when
        self.at, self.mark = at, hashlib.sha256(file.read(min(at, MARK))).hexdigest() if at else ""

    def _is_it(self, path: Path) -> bool:
        """Whether this is the text that was read, as far as it was."""
        if not self.at:
            return True
        with path.open("rb") as file:
            file.seek(max(0, self.at - MARK))
            before = file.read(min(self.at, MARK))
        return len(before) == min(self.at, MARK) and hashlib.sha256(before).hexdigest() == self.mark

    def _written_since(self, path: Path) -> bool:
        about = path.stat()
        return about.st_size > 0 and about.st_mtime > self.empty_at

    def _beside(self) -> list[Path]:
        """The same log under other names, the newest first."""
        beside = [one for one in self.path.parent.glob(f"{self.path.name}?*") if one.is_file() and not one.is_symlink()]
        return sorted(beside, key=lambda one: one.stat().st_mtime, reverse=True)[:OTHERS]
