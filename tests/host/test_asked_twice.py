"""What is red once: install/twice.sh, as bash runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TWICE = Path(__file__).parents[2] / "install" / "twice.sh"
RED, GREEN = "def test_it():\n    assert not 1\n", "def test_it():\n    pass\n"
# Red until it was asked once.
UNSTEADY = (
    "from pathlib import Path\nAT = Path(__file__).with_suffix('.seen')\n"
    "def test_first():\n    pass\ndef test_it():\n    seen = AT.exists()\n    AT.touch()\n    assert seen\n"
)


@pytest.mark.parametrize("files, code, unsteady", [
    ({"a": GREEN}, 0, []), ({"a": UNSTEADY, "b": GREEN}, 0, ["a"]), ({"a": UNSTEADY, "b": UNSTEADY}, 0, ["a", "b"]),
    ({"a": RED}, 1, []), ({"a": RED, "b": UNSTEADY}, 1, []), ({"a": UNSTEADY, "b": UNSTEADY, "c": UNSTEADY}, 1, []),
    ({"a": "oh no"}, 2, []), ({}, 5, []),
])  # fmt: skip
def test_what_is_red_twice_is_red(tmp_path: Path, files: dict[str, str], code: int, unsteady: list[str]) -> None:
    for name, text in files.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q -p no:cacheprovider\n")
    script = f'set -euo pipefail; source {TWICE}; asked_twice {sys.executable} "not soak" .'
    plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # none is asked for, and they take most of a second
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran
    named = [f"postroom: unsteady, green only when asked once more: test_{one}.py" for one in unsteady]
    assert [line for line in ran.stdout.splitlines() if "unsteady" in line] == named
