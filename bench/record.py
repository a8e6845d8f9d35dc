"""Changes a second by 24 people at 24 clients, beside the same pipeline with the record's inserts taken out.

Each change sets one mailbox's quota: planned, judged, locked, judged again, written, put on a node's list, committed.
A commit takes 5 ms, as on a disk in a data centre (`commit_delay`, whoever else commits). Ours besides salts and hashes
every line, writes entry and lines, and a sequencer and a signer work on the log meanwhile; the other side
(bench/plain/pipeline.py) writes the same state from the same edits and keeps nothing of it. Rounds in turns, each side
first in every other. Goal: at least 0.9 of its rate. Usage: record.py [rounds] [seconds]
"""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
from house import house, median

WRITERS = 24
GOAL = 0.9
fork = multiprocessing.get_context("fork")  # all that is loaded is loaded; connections are each process's own


def main(rounds: int, seconds: float) -> None:
    with house(commit_delay="5000", commit_siblings="0") as (cluster, people):
        from cast import do

        for n in range(WRITERS):
            do("clients.create", people.oskar, name=f"c{n}")
            do("domains.add", people.oskar, client=f"c{n}", name=f"c{n}.example")
            do("mailboxes.create", people.oskar, address=f"u@c{n}.example", name="U")
        _close()
        with tempfile.TemporaryDirectory() as folder:
            found: dict[str, list[float]] = {"ours": [], "without": []}
            for n in range(rounds + 1):
                for side in found if n % 2 else reversed(found):
                    with _log_kept(cluster, Path(folder)) if side == "ours" else nullcontext():
                        found[side].append(_rate(side, people.olive, seconds))
                print(f"round {n}: ours {found['ours'][-1]:.0f}/s, without {found['without'][-1]:.0f}/s", flush=True)
        del found["ours"][0], found["without"][0]  # to warm up
        ratios = [a / b for a, b in zip(*found.values(), strict=True)]
        ours, without = (median(one) for one in found.values())
        print(f"record: {ours:.0f} changes/s, {without:.0f} without its inserts; ratio {median(ratios):.2f} (goal "
              f"{GOAL:.2f}), of rounds {' '.join(f'{one:.2f}' for one in ratios)}")  # fmt: skip


def _rate(side: str, actor: Any, seconds: float) -> float:
    start, out = fork.Barrier(WRITERS), fork.Queue()
    writers = [fork.Process(target=_write, args=(side, actor, n, seconds, start, out)) for n in range(WRITERS)]
    for one in writers:
        one.start()
    done = sum(out.get(timeout=seconds + 60) for _ in writers)
    for one in writers:
        one.join(20)
    return done / seconds


def _write(side: str, actor: Any, n: int, seconds: float, start: Any, out: Any) -> None:
    from plain.pipeline import without_record

    from cast import do
    from postroom.access.acting import acting_as

    with acting_as(actor):
        pass  # the connection is there before the clock runs
    with without_record() if side == "without" else nullcontext():
        start.wait(60)
        done, end = 0, time.monotonic() + seconds
        quota = int(time.time()) % 100_000 * 10
        while time.monotonic() < end:
            change = do("mailboxes.change", actor, mailbox=f"u@c{n}.example", quota_mb=quota + done)
            assert change.version, change.verdicts
            done += 1
    out.put(done)


@contextmanager
def _log_kept(cluster: Any, folder: Path) -> Iterator[None]:
    """Sequencer and signer, as in production: processes of their own, until the round is over."""
    workers = [fork.Process(target=one, args=(cluster, folder)) for one in (_sequence, _sign)]
    for one in workers:
        one.start()
    yield
    for one in workers:
        one.terminate()
        one.join(20)


def _sequence(cluster: Any, folder: Path) -> None:
    from postroom.record.sequencer import Sequencer, _turn

    with psycopg.connect(cluster.dsn("postroom_system", "bench"), autocommit=True) as connection:
        _forever(_turn(Sequencer(connection)))


def _sign(cluster: Any, folder: Path) -> None:
    from postroom.record.signer import Signer, turn

    signer = Signer(folder, "bench.example/log")
    with psycopg.connect(cluster.dsn("postroom_signer", "bench"), autocommit=True) as connection:
        _forever(lambda: turn(signer, connection))


def _forever(turn: Callable[[], float]) -> None:
    while True:
        time.sleep(turn())


def _close() -> None:
    from django.db import connection

    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15, float(sys.argv[2]) if len(sys.argv) > 2 else 4)
