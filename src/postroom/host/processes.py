"""Processes as the kernel knows them: who is this pid, is it still the same one, end it.

A pid alone proves nothing, since numbers are used again; a pid with its start time and the boot it belongs to does.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    pid: int
    start: int  # clock ticks after boot, field 22 of /proc/<pid>/stat (proc(5))
    session: int
    state: str  # one letter: R, S, D, Z …

    @property
    def alive(self) -> bool:
        """Still this process, and not merely waiting to be reaped."""
        now = read(self.pid)
        return now is not None and now.start == self.start and now.state not in "ZX"

    def send(self, number: int) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def read(pid: int) -> Process | None:
    """None if there is no such process."""
    try:
        # The command's name stands in brackets and may hold anything, brackets and spaces too.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(pid, int(fields[19]), int(fields[3]), fields[0])


def all_of_them() -> Iterator[Process]:
    for entry in os.listdir(PROC):
        if entry.isdigit() and (process := read(int(entry))):
            yield process


def in_session(session: int) -> list[Process]:
    return [process for process in all_of_them() if process.session == session and process.state not in "ZX"]


def working_in(folder: Path, name: str) -> list[Process]:
    """Those that run this program in this folder, as all of PostgreSQL's do in its data folder."""
    here = [process for process in all_of_them() if _link(process.pid, "cwd") == str(folder)]
    return [process for process in here if program(process.pid) == name]


def program(pid: int) -> str:
    """The name of the file it runs; empty if it cannot be read."""
    # After an upgrade of its package the link of one still running reads "… (deleted)".
    return Path(_link(pid, "exe").removesuffix(" (deleted)")).name


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(PROC / str(pid) / name)
    except OSError:
        return ""


def environment(pid: int) -> dict[str, str]:
    """As it was at exec; empty if it cannot be read."""
    pairs = (one.partition("=") for one in _strings(pid, "environ"))
    return {name: value for name, equals, value in pairs if equals}


def command_line(pid: int) -> str:
    """With a space between its words; empty if it cannot be read."""
    return " ".join(_strings(pid, "cmdline"))


def _strings(pid: int, name: str) -> list[str]:
    try:
        return (PROC / str(pid) / name).read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def from_pid_file(path: Path) -> Process | None:
    """Whom a daemon's own pid file names, if that process was there when the file was written."""
    try:
        words, written = path.read_text().split(), path.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None
    process = read(int(words[0])) if words and words[0].isdigit() else None
    return process if process and started_at(process) <= written + 2 else None


def started_at(process: Process) -> float:
    """Seconds since 1970."""
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + process.start / os.sysconf("SC_CLK_TCK")


def until(condition: Callable[[], bool], within: float, *, step: float = 0.05) -> bool:
    """Wait for it, at most `within` seconds; the last answer."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return condition()
        time.sleep(step)
    return True


def end(processes: Iterable[Process], *, by: int = signal.SIGTERM, within: float = 10) -> None:
    """Ask them to end, wait, kill who is left. Returns when none is left."""
    these = [process for process in processes if process.pid != os.getpid()]
    for process in these:
        process.send(by)
    if not until(lambda: not any(process.alive for process in these), within):
        for process in these:
            process.send(signal.SIGKILL)
        until(lambda: not any(process.alive for process in these), 5)
