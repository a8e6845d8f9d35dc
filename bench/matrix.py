"""The matrix of the whole surface: every principal at every operation, page, kind and word of the program.

No ratio: how long it takes on this machine, by the tests themselves. Goal: 180 seconds. Usage: matrix.py
"""

import subprocess
import sys
import time
from pathlib import Path

GOAL = 180
CHECKOUT = Path(__file__).parents[1]


def main() -> None:
    start = time.monotonic()
    words = ["-m", "pytest", "-q", "-n", "2", "-m", "matrix and not soak", "tests/isolation/test_matrix.py"]
    subprocess.run([sys.executable, *words], check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    print(f"matrix: {time.monotonic() - start:.0f} s (goal {GOAL})")


if __name__ == "__main__":
    main()
