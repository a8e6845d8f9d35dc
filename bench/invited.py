"""Mailboxes with invites in changes of 10,000, beside the same without: what an invite adds to creating a mailbox.

Both through the pipeline, with entries, in one run and in turns; an invite is one more row, one more edit and one
delivery, since its letter goes out by itself. The machine is shared, so what is compared is CPU, that of the process
and of its PostgreSQL backend together; the seconds it took stand beside. Goal: at least 0.5 of the rate. Told besides,
without a goal: what the worker then takes to draw a link and record it, for each invite a change of its own, before
the letter is handed in.
Usage: invited.py [rounds] [mailboxes] [links]
"""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from house import house, median

N, LINKS, GOAL = 10_000, 300, 0.5
names = itertools.count()


def main(rounds: int, n: int, links: int) -> None:
    with house() as (_, people):
        from cast import do
        from postroom.changes.policies import high_risk

        high_risk.MANY = 10**9  # what is measured is not the wait for a second person
        for d in range(10):
            do("domains.add", people.oskar, client="acme", name=f"d{d}.example")  # type: ignore[attr-defined]
        pairs = []
        for turn in range(rounds + 1):
            both = {}
            for contact in (True, False) if turn % 2 else (False, True):
                both[contact] = _created(people, n, contact)
            if turn:  # the first is to warm up
                pairs.append((both[True], both[False]))
                print(f"round {turn}: with invites {both[True][1]:.3f} s of CPU ({both[True][0]:.3f} s), without "
                      f"{both[False][1]:.3f} ({both[False][0]:.3f})", flush=True)  # fmt: skip
        a, b = median([one[1] for one, _ in pairs]), median([two[1] for _, two in pairs])
        print(f"invited: {n / a:,.0f} mailboxes with invites a second of CPU, {n / b:,.0f} without; ratio {b / a:.2f} "
              f"(goal {GOAL})", flush=True)  # fmt: skip
        rate = _linked(links)
        print(f"links: {rate:.0f}/s drawn and recorded by one worker, {N / rate / 60:.1f} minutes for {N:,} (no goal)")


def _created(people: Any, n: int, contact: bool) -> tuple[float, float]:
    """Seconds it took, and seconds of CPU."""
    from django.db import connection

    from postroom.changes.kind import KINDS
    from postroom.changes.pipeline import submit

    kind, each = KINDS["mailboxes.create"], next(names)
    invited: dict[str, Any] = {"contact": "somebody@home.test"} if contact else {}
    body = [{"address": f"u{each}x{i}@d{i % 10}.example", "name": f"Person {i}", **invited} for i in range(n)]
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")

    def cpu() -> float:
        return time.process_time() + int(backend.read_text().split()[0]) / 1e9

    start, before = time.perf_counter(), cpu()
    change = submit([kind.model_validate(one) for one in body], actor=people.oskar, why="load")
    took = time.perf_counter() - start, cpu() - before
    assert change.version, change.verdicts
    return took


def _linked(links: int) -> float:
    """A second: invites whose link is drawn and recorded, as the worker does it."""
    from postroom.access.acting import SYSTEM, acting_as
    from postroom.access.tokens import draw
    from postroom.changes.kinds.invites import IssueInvite
    from postroom.changes.pipeline import submit
    from postroom.models import Invite

    with acting_as(SYSTEM):
        waiting = [str(one) for one in Invite.objects.values_list("pk", flat=True)[:links]]
    start = time.perf_counter()
    for one in waiting:
        _, kept = draw()
        done = submit(IssueInvite(invite=one), actor=SYSTEM, why="mail to its owner", secrets={"link": kept})
        assert done.version, done.verdicts
    return len(waiting) / (time.perf_counter() - start)


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*given, *(5, N, LINKS)[len(given) :])
