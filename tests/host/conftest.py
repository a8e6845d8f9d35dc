import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.host import pid_files


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that other users may enter; what a test that failed left running in it is ended."""
    folder = Path(tempfile.mkdtemp(prefix="postroom-test-"))
    folder.chmod(0o755)
    yield folder
    pid_files.end_leftovers(folder / "run", folder)
    shutil.rmtree(folder, ignore_errors=True)
