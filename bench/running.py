"""A demo installation to measure, and how often its node asks the control plane."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests"), str(CHECKOUT / "tests/engines")]

from world import Stack  # noqa: E402

STARTED_WITHIN = 240


class RoundTrips:
    """Each call of the node's to the control plane, as PostgreSQL's log has it with its time."""

    LINE = re.compile(
        r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC .* duration: .* (?:execute .*?|statement): .*\bnode_(\w+)\("
    )

    def __init__(self, state: Path) -> None:
        self.log = state / "log/postgres.log"
        folder = state / "run/postgres"
        with psycopg.connect(host=str(folder), user="postgres", dbname="postroom", autocommit=True) as admin:
            roles = admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'postroom\\_node\\_%'").fetchall()
            for (role,) in roles:
                admin.execute(f'ALTER ROLE "{role}" SET log_min_duration_statement = 0'.encode())
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])

    def between(self, start: float, end: float) -> Counter[str]:
        """pull, ack and report, each with how often. start, end: seconds since 1970."""
        found: Counter[str] = Counter()
        for line in self.log.read_text(errors="replace").splitlines():
            if read := self.LINE.match(line):
                at = datetime.strptime(read[1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()
                found[read[2]] += start <= at <= end
        return found


@contextmanager
def demo() -> Iterator[Stack]:
    """The one that POSTROOM_TEST_STACK names; or one of our own, as the stories have it (tests/stack.py)."""
    if given := os.environ.get("POSTROOM_TEST_STACK"):
        yield Stack(Path(given))
        return
    state = Path(tempfile.mkdtemp(prefix="postroom-bench-", dir="/var/tmp"))
    state.chmod(0o755)
    environ = {**os.environ, "POSTROOM_STATE": str(state), "POSTROOM_TOOLS": "/var/cache/postroom"}
    running = None
    try:
        subprocess.run(["bash", "install/install.sh"], cwd=CHECKOUT, env=environ, check=True, stdin=subprocess.DEVNULL)
        with (state / "up.log").open("wb") as log:
            running = subprocess.Popen(
                [state / "venv/bin/postroom", "up", "--demo"], cwd="/", env=environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        _until_it_answers(running, state)
        yield Stack(state)
    finally:
        if running:
            running.send_signal(signal.SIGINT)
            running.wait(60)
        shutil.rmtree(state, ignore_errors=True)


def _until_it_answers(running: "subprocess.Popen[bytes]", state: Path) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while not (state / "endpoints.json").exists():
        if running.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the demo did not start:\n{(state / 'up.log').read_text()[-4000:]}")
        time.sleep(0.2)
    json.loads((state / "endpoints.json").read_text())
