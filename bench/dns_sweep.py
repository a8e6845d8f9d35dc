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
EVERYTHING = 1_000_000  # answers kept


def main(many: int) -> None:
    if not shutil.which("dnsperf") or not shutil.which("nsd", path="/usr/sbin"):
        print("nsd and dnsperf are not installed: not measured")
        return
    names = list(domains(many))
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as name, own_address() as address:
        folder = Path(name)
        listed = folder / "questions"
        with listed.open("w") as file:
            file.writelines(f"{name} {type}\n" for name, type in questions(many))
        with nsd(folder / "nsd", address, zones(many), within=120):
            ours, theirs, per_question = [], [], []
            for _ in range(ROUNDS):
                cpu, sent = asyncio.run(_swept(address, names))
                ours.append(cpu / many)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                checked = by_checkdmarc(address, names[:SAMPLE], folder)
                theirs.append(checked["cpu"] / SAMPLE)
                per_question.append(by_dnsperf(address, listed, many * len(ASKED)) / 1e6)
            _told(min(ours), min(theirs), min(per_question), sent / many, peak)
            found = swept(address, names[:SAMPLE]).found
            odd = [d for one in found for d in differences(one, checked["domains"][one.domain]) if not d.why]
            print(f"verdicts other than checkdmarc's without a known reason, of {SAMPLE} domains: {len(odd)} (goal 0)")
            asyncio.run(_again(address, names))


async def _swept(address: str, names: list[str]) -> tuple[float, int]:
    """Seconds of CPU, and how many questions were sent. Each result is looked at and let go, as the worker does."""
    async with Engine([Upstream(address, NSD_PORT)]) as engine:
        began = time.process_time()
        async for one in sweep(Cache(engine.ask), ((name, KNOWN) for name in names)):
            assert one.results and not one.unfinished
        return time.process_time() - began, engine.counts.sent


def _told(ours: float, theirs: float, question: float, questions_each: float, peak: float) -> None:
    print(f"a domain: {ours * 1e3:.2f} ms of CPU, {questions_each:.1f} questions; checkdmarc: {theirs * 1e3:.1f} ms")
    print(f"dnsperf: {question * 1e6:.1f} us a question")
    print(f"checkdmarc takes {theirs / ours:.1f} times ours (goal at least 25)")
    print(f"ratio {ours / (question * questions_each):.2f} times dnsperf's CPU for as many questions (goal at most 4)")
    print(f"{peak:.0f} MB at most (goal at most 120)")


async def _again(address: str, names: list[str]) -> None:
    """The same once more with a cache that keeps all: nothing expired; then a hundred answers of others' are edited."""
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
        cpu = time.process_time() - cpu
        print(f"nothing expired: {engine.counts.sent - sent} questions (goal 0), {cpu:.2f} s of CPU for all")
        edited = set(random.Random(1).sample(names, EDITS))
        for name in edited:  # what was held before is another text than what the name server says
            held, until = cache.kept[name, "TXT"]
            cache.kept[name, "TXT"] = held._replace(values=(*held.values, "before")), until
        now += 86_500
        async for _ in sweep(cache, ((name, KNOWN) for name in names)):
            pass
        print(f"edits found: {len(changed & edited)} of {EDITS}, {len(changed - edited)} false (goal 0)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
