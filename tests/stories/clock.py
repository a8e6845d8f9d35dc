"""A clock that a story moves: a week goes by in a second, for every program of ours in one installation.

They read the machine's clock through a few lines of C (clock.c), which add to it what stands in a file of the state
folder. The installation is told nothing of it, by no setting and no patch: its interpreter is started with that library
before all others, and its PostgreSQL too. Dovecot, Postfix and PowerDNS keep the machine's own time.

Debian's libfaketime was tried first: with it Python's time.sleep fails (clock_nanosleep to a time of CLOCK_MONOTONIC).
"""

import email.utils
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stack import started
from world import Stack, until

SOURCE = Path(__file__).with_suffix(".c")
WOUND = """#!/bin/bash
export LD_PRELOAD={library} POSTROOM_CLOCK={clock}
exec -a "$0" /usr/bin/python3 "$@"
"""


@dataclass
class Clock:
    """How far an installation is ahead of the rest of the world."""

    stack: Stack
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def on(self, **by: float) -> None:
        """Move it on, and wait until the installation lives then."""
        self.ahead += timedelta(**by)
        show(self.stack.state, self.ahead)
        until("the clock has moved", lambda: self.told() > self.now() - timedelta(seconds=30), within=20)
        time.sleep(2)  # one of its processes has told it; each of the others reads the file within a second of its own

    def told(self) -> datetime:
        """What the pages say the time is."""
        with urllib.request.urlopen(self.stack.at["web"] + "/sign-in/", timeout=10) as answer:
            return email.utils.parsedate_to_datetime(answer.headers["Date"])


def show(state: Path, ahead: timedelta) -> None:
    """Never half a line: whoever reads meanwhile reads one or the other."""
    beside = state / "clock.new"
    beside.write_text(f"{int(ahead.total_seconds())}\n")
    beside.chmod(0o644)
    beside.rename(state / "clock")


def wind(state: Path) -> None:
    """From now on the installation's interpreter reads the clock of this state folder."""
    library = state / "clock.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    show(state, timedelta())
    python = (state / "venv/bin/python").absolute()
    python.unlink()
    python.write_text(WOUND.format(library=library, clock=state / "clock"))
    python.chmod(0o755)


@contextmanager
def wound() -> Iterator[Clock]:
    """A demo installation with such a clock; or the one whose state folder POSTROOM_TEST_CLOCK names."""
    if given := os.environ.get("POSTROOM_TEST_CLOCK"):
        yield Clock(Stack(Path(given)), timedelta(seconds=int((Path(given) / "clock").read_text())))
        return
    with started("--demo", before=wind) as stack:
        yield Clock(stack)
