"""Seconds of CPU that a mail node took: of its own programs and of Dovecot's, those that came and went included.

proc(5): a process's own time stands in fields 14 and 15 of its stat, that of children that ended in 16 and 17. What a
client takes, which would be another machine, is in neither.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from postroom.engines.layout import NodeConfig
from postroom.host import processes

TICK = os.sysconf("SC_CLK_TCK")


def taken(config: NodeConfig, parent: int) -> float:
    """Of a node that runs, whose parent process has this number; only differences mean something."""
    dovecot = processes.from_pid_file(config.folder / "dovecot/run/master.pid")
    if dovecot is None:
        raise SystemExit("Dovecot does not run")
    return sum(_of(one) for session in (parent, dovecot.session) for one in _pids(session)) / TICK


def _pids(session: int) -> Iterator[int]:
    """The oldest last: what a child took until it ended is never counted twice, at worst for the next look."""
    found = processes.in_session(session)
    yield from (one.pid for one in sorted(found, key=lambda one: one.start, reverse=True))


def _of(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))
