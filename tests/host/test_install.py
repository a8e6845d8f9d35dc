"""The installer's shell: what it refuses before it changes anything."""

import os
import subprocess
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[2] / "install"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="asks as another user")


def install(state: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "POSTROOM_STATE": state}
    return subprocess.run(["bash", str(INSTALL / "install.sh")], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("path", ["relative/folder", "/", "/srv/with space", "/srv/../etc", "/srv/a'b", "/srv/a\nb"])
def test_a_state_folder_that_is_no_plain_absolute_path_is_refused(path: str) -> None:
    done = install(path)
    assert done.returncode == 1
    assert "must be an absolute path" in done.stderr


@AS_ROOT
def test_a_state_folder_below_one_that_others_cannot_enter_is_refused_by_its_name(state: Path) -> None:
    (state / "closed").mkdir(mode=0o700)
    done = install(str(state / "closed" / "postroom"))
    assert done.returncode == 1
    assert f"may not enter {state / 'closed'} " in done.stderr


@pytest.mark.parametrize("script", sorted(INSTALL.glob("*.sh")), ids=lambda path: path.name)
def test_every_script_is_whole_and_says_what_it_is(script: Path) -> None:
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).returncode == 0
    lines = script.read_text().splitlines()
    assert any(line.startswith("# ") and len(line) > 20 for line in lines[:2])
