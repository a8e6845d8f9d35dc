"""The stack that `make demo` starts, once for all stories and drills. Nothing here or in them imports Postroom.

A plugin for the whole run (tests/conftest.py names it), so that both folders share one installation. Drills go last:
they kill and stop things, and what they leave behind must not be what a story begins with.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from world import Stack

CHECKOUT = Path(__file__).parents[1]
STARTED_WITHIN = 420


@dataclass
class InFront:
    """`postroom up` at one state folder, in front as somebody has it who may press Ctrl-C."""

    state: Path
    environ: dict[str, str]
    options: tuple[str, ...]
    running: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> float:
        """Until everything answers; how many seconds it took."""
        begun = time.monotonic()
        with (self.state / "up.log").open("ab") as log:
            self.running = subprocess.Popen(
                [self.state / "venv/bin/postroom", "up", *self.options], cwd="/", env=self.environ,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        _until_it_answers(self.running, self.state)
        return time.monotonic() - begun

    def stop(self) -> int:
        """Ctrl-C; what it ended with."""
        if self.running is None:
            return 0
        self.running.send_signal(signal.SIGINT)
        return self.running.wait(60)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A demo installation of its own; or the one whose state folder POSTROOM_TEST_STACK names."""
    if given := os.environ.get("POSTROOM_TEST_STACK"):
        yield Stack(Path(given))
        return
    with started("--demo") as running:
        yield running


@contextmanager
def started(*options: str, before: Callable[[Path], None] = lambda state: None) -> Iterator[Stack]:
    """`make install` into a state folder of its own, and `postroom up` there until it is left.

    before: what is done to the state folder between the two.
    """
    state = Path(tempfile.mkdtemp(prefix="postroom-story-", dir="/var/tmp"))
    state.chmod(0o755)
    # What drills ask in a minute is more than anybody's program would; the limit itself has tests of its own.
    wide = {"POSTROOM_API_REQUESTS": "100000", "POSTROOM_TOOLS": "/var/cache/postroom"}
    environ = {**os.environ, "POSTROOM_STATE": str(state), **wide}
    subprocess.run(["bash", "install/install.sh"], cwd=CHECKOUT, env=environ, check=True, stdin=subprocess.DEVNULL)
    before(state)
    up = InFront(state, environ, options)
    try:
        up.start()
        yield Stack(state, up)
    finally:
        up.stop()
        shutil.rmtree(state, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_late)


def _late(item: pytest.Item) -> int:
    """Drills, and among them last of all the one that stops everything at once."""
    drill = item.get_closest_marker("drill")
    return 0 if drill is None else 1 + bool(drill.kwargs.get("last"))


def _until_it_answers(running: "subprocess.Popen[bytes]", state: Path) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while not (state / "endpoints.json").exists():
        if running.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"it did not start:\n{(state / 'up.log').read_text()[-4000:]}")
        time.sleep(0.2)
    json.loads((state / "endpoints.json").read_text())
