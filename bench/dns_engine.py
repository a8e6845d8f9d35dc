"""The UDP engine beside dnsperf: CPU time a question, of ten thousand synthetic domains in a local NSD, eleven each.

In turns within one run, each over the same list, 256 in flight through four sockets; the least of the rounds counts on
each side, since the machine is not equally busy all the time. What the name server needs is not counted. Goal: at most
2.5 times dnsperf's. Both make two system calls a question, so where these are cheap the ratio shows the language more.
Without nsd and dnsperf (`install/packages.sh --for-tests`) nothing is measured.

    python bench/dns_engine.py [domains]
"""

import asyncio
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests/resolve")]

from name_daemons import NSD_PORT, nsd, own_address, program  # noqa: E402
from portfolio import questions, zones  # noqa: E402

from postroom.resolve.engine import Engine  # noqa: E402
from postroom.resolve.upstream import Upstream  # noqa: E402

ROUNDS, IN_FLIGHT, GOAL = 3, 256, 2.5


def main(many: int) -> None:
    if not shutil.which("dnsperf") or not shutil.which("nsd", path="/usr/sbin"):
        print("nsd and dnsperf are not installed: not measured")
        return
    asked = list(questions(many))
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as name, own_address() as address:
        folder = Path(name)
        listed = folder / "questions"
        listed.write_text("".join(f"{name} {type}\n" for name, type in asked))
        with nsd(folder / "nsd", address, zones(many), within=120):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(by_dnsperf(address, listed, len(asked)))
                ours.append(asyncio.run(by_engine(address, asked)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(asked):,} questions, best of {ROUNDS}: {min(ours):.1f} us of CPU each, at most {peak:.0f} MB; "
          f"dnsperf {min(theirs):.1f} us")  # fmt: skip
    print(f"ratio {min(ours) / min(theirs):.2f} times dnsperf's CPU (goal at most {GOAL})")


def by_dnsperf(address: str, listed: Path, many: int) -> float:
    """Microseconds a question. Raises where one was lost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    where = ["-s", address, "-p", str(NSD_PORT), "-d", str(listed)]
    done = subprocess.run(
        [program("dnsperf"), *where, "-n", "1", "-c", "4", "-q", str(IN_FLIGHT), "-T", "1", "-e"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert re.search(rf"Queries completed:\s+{many} ", done.stdout), done.stdout
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / many * 1e6


async def by_engine(address: str, asked: list[tuple[str, str]]) -> float:
    """Microseconds a question, each awaited. Raises where one failed."""
    left = iter(asked)

    async def some() -> None:
        for name, type in left:
            held = await engine.query(name, type)
            assert not held.failed, (name, type, held)

    async with Engine([Upstream(address, NSD_PORT)]) as engine:
        began = time.process_time()
        await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))
        return (time.process_time() - began) / len(asked) * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
