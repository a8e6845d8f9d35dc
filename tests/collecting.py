"""Tables that name tests are held against what pytest would run, whatever is being run now."""

import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def collected(named: Iterable[str]) -> frozenset[str]:
    """The whole names, parameters and all, of every test in the files of those named. A file that is gone has none."""
    return _of_files(*sorted({file for one in named if (CHECKOUT / (file := one.partition("::")[0])).exists()}))


@cache
def _of_files(*files: str) -> frozenset[str]:
    asked = [sys.executable, "-m", "pytest", "--collect-only", *files]
    done = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"pytest cannot collect these: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return frozenset(line for line in done.stdout.splitlines() if "::" in line)


def functions(tests: Iterable[str]) -> frozenset[str]:
    """Their names without parameters."""
    return frozenset(one.partition("[")[0] for one in tests)
