"""`postroom up` over toy services: order, watching, stopping, and what a kill leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from postroom.host import processes
from postroom.host.installation import load

pytestmark = pytest.mark.server

TOY = Path(__file__).with_name("toy.py")
SOURCES = Path(__file__).parents[2] / "src"
NAMES = ["first", "daemon", "last"]


def begin(state: Path, *options: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    return subprocess.Popen([sys.executable, str(TOY), str(state), *options], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


@contextmanager
def toy(state: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    process = begin(state, *options)
    try:
        if not processes.until(lambda: told(state).get("pid") == process.pid or process.poll() is not None, 60):
            pytest.fail("it did not come up")
        assert process.poll() is None, process.communicate()[0]
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def told(state: Path) -> dict[str, Any]:
    path = state / "endpoints.json"
    return json.loads(path.read_text()) if path.exists() else {}


def stop(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> str:
    process.send_signal(number)
    return process.communicate(timeout=60)[0]


def pid_of(state: Path, name: str) -> int:
    return int((state / "run" / f"{name}.pid").read_text().split()[0])


def words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def left(state: Path) -> list[int]:
    """Every process that knows this state folder or works in its cluster."""
    ours = [one for one in processes.all_of_them() if one.state not in "ZX"]
    of_state = [one for one in ours if processes.environment(one.pid).get("POSTROOM_STATE") == str(state)]
    daemon = processes.from_pid_file(state / "daemon.child")
    of_state += [daemon] if daemon and daemon.alive else []
    return [one.pid for one in (*of_state, *processes.working_in(state / "postgres", "postgres"))]


def test_it_starts_in_order_tells_where_it_is_and_stops_in_reverse(state: Path) -> None:
    with toy(state, "--demo") as process:
        where = told(state)
        assert words(state / "started") == NAMES
        assert where["pid"] == process.pid
        assert where["api"] == where["web"] + "/api/v1"
        assert where["web"].startswith("http://localhost:84")
        assert where["smtp"] == f"{where['address']}:2525"
        assert (state / "log" / "migrate.log").read_text() == "migrated\n"

        output = stop(process)

    assert process.returncode == 0, output
    assert words(state / "stopped") == NAMES[::-1]
    assert not (state / "endpoints.json").exists()
    assert left(state) == []
    assert list((state / "run").glob("*.pid")) == [state / "run" / "up.pid"]


def test_started_again_it_is_the_same_installation_at_the_same_address(state: Path) -> None:
    with toy(state):
        first = load(state)
    with toy(state) as process:
        assert load(state) == first
        stop(process, signal.SIGTERM)


def test_while_it_runs_another_is_refused_and_told_the_pid(state: Path) -> None:
    with toy(state) as running:
        second = begin(state)
        output = second.communicate(timeout=60)[0]
        assert second.returncode == 4
        assert f"pid {running.pid}" in output
        assert running.poll() is None
        assert (state / "endpoints.json").exists()


def test_a_state_folder_is_demo_or_not_for_ever(state: Path) -> None:
    with toy(state, "--demo"):
        pass
    refused = begin(state)
    output = refused.communicate(timeout=60)[0]
    assert refused.returncode == 3
    assert "is a demo installation and stays one" in output


def test_what_dies_is_started_again(state: Path) -> None:
    with toy(state):
        before = pid_of(state, "first")
        os.kill(before, signal.SIGKILL)
        assert processes.until(lambda: words(state / "started") == [*NAMES, "first"], 10)
        assert processes.until(lambda: pid_of(state, "first") != before, 10)

        database = pid_of(state, "postgres")
        os.kill(database, signal.SIGKILL)
        assert processes.until(lambda: pid_of(state, "postgres") != database, 10)
    assert left(state) == []


def test_after_a_kill_the_next_start_ends_what_was_left(state: Path) -> None:
    with toy(state) as killed:
        killed.kill()
        killed.communicate(timeout=60)
        orphans = left(state)
        assert len(orphans) > len(NAMES)  # the services, the daemon's child and the cluster

        with toy(state) as again:
            assert not set(orphans) & set(left(state))
            output = stop(again)
    assert "ended last, left over from before" in output
    assert left(state) == []


def test_a_pid_used_again_by_a_stranger_is_left_alone(state: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as stranger:
        (state / "run").mkdir()
        (state / "run" / "last.pid").write_text(f"{stranger.pid} 1 {processes.boot_id()} 15\n")
        with toy(state):
            assert stranger.poll() is None
        stranger.kill()


def test_ctrl_c_twice_stops_as_once(state: Path) -> None:
    with toy(state) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        stop(process)
        assert process.returncode == 0
    assert words(state / "stopped") == NAMES[::-1]
    assert left(state) == []


def test_ctrl_c_while_it_starts_leaves_nothing(state: Path) -> None:
    process = begin(state)
    assert processes.until(lambda: bool(words(state / "started")) or process.poll() is not None, 60)
    stop(process)
    assert process.returncode == 0
    assert not (state / "endpoints.json").exists()
    assert left(state) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as another user")
def test_a_folder_the_service_users_cannot_enter_is_refused_by_name(state: Path) -> None:
    (state / "closed").mkdir(mode=0o700)
    refused = begin(state / "closed")
    output = refused.communicate(timeout=60)[0]
    assert refused.returncode == 3
    assert f"may not enter {state / 'closed'}" in output
