"""What `make test` runs its parts by: install/beside.sh, as bash runs it."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "install" / "beside.sh"


@pytest.fixture
def script(tmp_path: Path) -> Iterator[list[str]]:
    """`bash -c` of three parts; $0 is what the second one does."""
    (tmp_path / "told").mkdir()
    said = 'beside one echo I am one; beside two bash -c "$0"; beside three echo I am three; tell_all'
    yield [
        "env",
        "--default-signal=INT",
        f"TMPDIR={tmp_path / 'told'}",
        "bash",
        "-c",
        f"set -euo pipefail; source {BESIDE}; {said}",
    ]
    assert list((tmp_path / "told").iterdir()) == []


def test_all_green_is_green(script: list[str]) -> None:
    ran = subprocess.run([*script, "echo I am two"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran
    assert [part in ran.stdout for part in ("I am one", "I am two", "I am three")] == [True] * 3


def test_one_red_is_red_and_said_last(script: list[str]) -> None:
    red = "printf 'FAILED tests/x.py::test_a - oh\\n1 failed, 3 passed in 2s\\n'; exit 3"
    ran = subprocess.run([*script, red], capture_output=True, text=True, check=False)
    assert ran.returncode == 3, ran
    assert ran.stdout.splitlines()[-3:] == [
        "./two:FAILED tests/x.py::test_a - oh",
        "./two:1 failed, 3 passed in 2s",
        "postroom: two ended with 3",
    ]
    assert "I am three" in ran.stdout


def test_an_interrupt_ends_what_still_runs(script: list[str], tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    lasting = f"trap 'touch {ended}; exit 130' INT; touch {begun}; while true; do sleep 0.05; done"
    with subprocess.Popen([*script, lasting], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not begun.exists():
            time.sleep(0.01)
        running.send_signal(signal.SIGTERM)
        running.wait(20)
    assert ended.exists()
