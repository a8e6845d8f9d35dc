"""A whole sweep beside checkdmarc: CPU time a domain, of ten thousand synthetic domains in a local NSD.

In turns within one run; the least of the rounds counts on each side. Ours looks at all of them, checkdmarc, which is
slow, at the first few hundred; at DKIM keys we look alone. Then once more with nothing expired, and with a hundred
zones edited. Goals: checkdmarc takes at least 25 times ours at the same verdicts; ours at most 4 times dnsperf's CPU
for as many questions, and at most 120 MB; hardly a question where nothing expired; a hundred of a hundred edits found,
and nothing else. Without nsd and dnsperf (`install/packages.sh --for-tests`) nothing is measured.

    python bench/dns_sweep.py [domains]
"""

import asyncio
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests/resolve"), str(CHECKOUT / "bench")]

from compared import KNOWN, by_checkdmarc, differences, swept  # noqa: E402
from dns_engine import by_dnsperf  # noqa: E402
from name_daemons import NSD_PORT, nsd, own_address  # noqa: E402
from portfolio import ASKED, domains, questions, zones  # noqa: E402

from postroom.posture.sweep import sweep  # noqa: E402
from postroom.protocols.answers import Held, Key  # noqa: E402
from postroom.resolve.cache import Cache  # noqa: E402
from postroom.resolve.engine import Engine  # noqa: E402
from postroom.resolve.upstream import Upstream  # noqa: E402

ROUNDS, SAMPLE, EDITS = 2, 300, 100
LESS, MORE, MEGABYTES = 25, 4, 120  # goals
EVERYTHING = 1_000_000  # answers kept


def main(many: int) -> bool:
    """Whether every goal was reached."""
    if not shutil.which("dnsperf") or not shutil.which("nsd", path="/usr/sbin"):
        print("nsd and dnsperf are not installed: not measured")
        return True
    names = list(domains(many))
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as name, own_address() as address:
        folder = Path(name)
        listed = folder / "questions"
        with listed.open("w") as file:
            file.writelines(f"{name} {type}\n" for name, type in questions(many))
        with nsd(folder / "nsd", address, zones(many), within=120) as server:
            ours, theirs, per_question = [], [], []
            for _ in range(ROUNDS):
                cpu, sent = asyncio.run(_swept(address, names))
                ours.append(cpu / many)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                checked = by_checkdmarc(address, names[:SAMPLE], folder)
                theirs.append(checked["cpu"] / SAMPLE)
                per_question.append(by_dnsperf(address, listed, many * len(ASKED)) / 1e6)
            fine = _told(min(ours), min(theirs), min(per_question), sent / many, peak)
            found = swept(address, names[:SAMPLE]).found
            odd = [d for one in found for d in differences(one, checked["domains"][one.domain]) if not d.why]
            print(f"verdicts other than checkdmarc's without a known reason, of {SAMPLE} domains: {len(odd)} (goal 0)")
            again = asyncio.run(_again(address, names, folder / "nsd/zones", server))
            return fine and again and not odd


async def _swept(address: str, names: list[str]) -> tuple[float, int]:
    """Seconds of CPU, and how many questions were sent. Each result is looked at and let go, as the worker does."""
    async with Engine([Upstream(address, NSD_PORT)]) as engine:
        began = time.process_time()
        async for one in sweep(Cache(engine.ask), ((name, KNOWN) for name in names)):
            assert one.results and not one.unfinished
        return time.process_time() - began, engine.counts.sent


def _told(ours: float, theirs: float, question: float, questions_each: float, peak: float) -> bool:
    less, more = theirs / ours, ours / (question * questions_each)
    print(f"a domain: {ours * 1e3:.2f} ms of CPU, {questions_each:.1f} questions; checkdmarc: {theirs * 1e3:.1f} ms")
    print(f"dnsperf: {question * 1e6:.1f} us a question")
    print(f"checkdmarc takes {less:.1f} times ours (goal at least {LESS})")
    print(f"ratio {more:.2f} times dnsperf's CPU for as many questions (goal at most {MORE})")
    print(f"{peak:.0f} MB at most (goal at most {MEGABYTES})")
    return less >= LESS and more <= MORE and peak <= MEGABYTES


async def _again(address: str, names: list[str], folder: Path, server: "subprocess.Popen[bytes]") -> bool:
    """Once more with a cache that keeps all: nothing expired; then a hundred zones are edited, and all has expired."""
    changed: set[str] = set()

    def heard(key: Key, before: Held | None, now: Held) -> None:
        if before is not None and before.values != now.values:
            changed.add(key[0])

    async with Engine([Upstream(address, NSD_PORT)]) as engine:
        now = time.monotonic()
        cache = Cache(engine.ask, most=EVERYTHING, heard=heard, clock=lambda: now)
        async for _ in sweep(cache, ((name, KNOWN) for name in names)):
            pass
        sent, cpu = engine.counts.sent, time.process_time()
        async for _ in sweep(cache, ((name, KNOWN) for name in names)):
            pass
        again, cpu = engine.counts.sent - sent, time.process_time() - cpu
        print(f"nothing expired: {again} questions (goal 0), {cpu:.2f} s of CPU for all")
        edited = random.Random(1).sample(names, EDITS)
        await _edited(engine, edited, folder, server)
        now += 86_500
        async for _ in sweep(cache, ((name, KNOWN) for name in names)):
            pass
    found, false = len(changed & {*edited}), len(changed - {*edited})
    print(f"edits found: {found} of {EDITS}, {false} false (goal 0)")
    return not again and found == EDITS and not false


async def _edited(engine: Engine, names: list[str], folder: Path, server: "subprocess.Popen[bytes]") -> None:
    """A text more in each zone, as the name server has it from now on."""
    for name in names:
        zone = folder / name
        zone.write_text(zone.read_text().replace(" 1 7200 ", " 2 7200 ", 1) + '@ TXT "edited"\n')
    server.send_signal(signal.SIGHUP)
    for _ in range(600):
        held = [await engine.query(name, "TXT") for name in names]
        if all("edited" in one.values for one in held):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("the name server did not read its zones again")


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
