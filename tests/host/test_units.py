"""The units in deploy/ as systemd itself reads them. None is started."""

import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
PROGRAMS = "/var/lib/postroom/venv/bin"  # what they start is installed there; here it stands elsewhere

pytestmark = pytest.mark.server


def read_by_systemd(folder: Path, name: str, text: str) -> tuple[int, str]:
    """systemd-analyze's exit code, and what it complains of; programs are there, as on a machine it is installed on."""
    bin = folder / "bin"
    bin.mkdir(exist_ok=True)
    for program in ("python", "gunicorn", "postroom"):
        (bin / program).touch(mode=0o755)
    (folder / name).write_text(text.replace(PROGRAMS, str(bin)))
    command = ["systemd-analyze", "verify", "--man=no", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", UNITS)
def test_systemd_reads_it_without_a_complaint(tmp_path: Path, name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert PROGRAMS in text and read_by_systemd(tmp_path, name, text) == (0, "")


def test_there_are_five_and_what_is_wrong_with_one_is_told(tmp_path: Path) -> None:
    assert len(UNITS) == 5
    text = (DEPLOY / "postroom-web.service").read_text()
    for right, wrong in (
        ("ProtectSystem=strict", "ProtectSystm=strict"),
        ("Restart=always", "Restart=sometimes"),
        ("bin/gunicorn", "bin/gunicron"),
    ):
        code, said = read_by_systemd(tmp_path, "postroom-web.service", text.replace(right, wrong))
        assert said and (code or "nknown" in said or "ailed" in said), (wrong, code, said)
