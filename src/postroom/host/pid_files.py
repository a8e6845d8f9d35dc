"""What the supervisor has running, in `<state>/run/<name>.pid`, so that the next one can end what a dead one left.

The first line is `pid start boot signal`, the last being how to ask it to stop; each further line names the pid file
of a daemon that the service starts and that leaves its session. Lists and ends leftovers; starts nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import files, processes
from .processes import Process
from .service import Service


@dataclass(frozen=True)
class Recorded:
    path: Path
    pid: int
    start: int
    boot: str
    stop: int
    daemons: tuple[Path, ...]

    def leader(self) -> Process | None:
        """The service's own process, if it still runs."""
        process = processes.read(self.pid)
        same = process is not None and process.start == self.start and self.boot == processes.boot_id()
        return process if process is not None and same and process.alive else None

    def left(self, state: Path, *, just_now: bool = False) -> list[Process]:
        """All that is left of the service: its session, and the daemons that left it."""
        if self.boot != processes.boot_id():
            return []
        # The kernel gives a number to nobody else while a session of that number lives. With its leader gone for a
        # while it could have been used again and left members behind, so those must know our state folder.
        sure = just_now or self.leader() is not None
        mine = [one for one in processes.in_session(self.pid) if sure or _of(one, state)]
        named = [found for path in self.daemons if (found := processes.from_pid_file(path))]
        return mine + [one for process in named for one in (process, *_followers(process))]


def write(folder: Path, service: Service, pid: int) -> None:
    process = processes.read(pid)
    start = process.start if process else 0
    lines = [
        f"{pid} {start} {processes.boot_id()} {int(service.stop_signal)}",
        *(str(path) for path in service.daemons),
    ]
    files.write(folder / f"{service.name}.pid", ("\n".join(lines) + "\n").encode())


def remove(folder: Path, service: Service) -> None:
    (folder / f"{service.name}.pid").unlink(missing_ok=True)


def read_all(folder: Path) -> Iterator[Recorded]:
    """Every service recorded as running; files that are not ours to read are passed over."""
    for path in sorted(folder.glob("*.pid")):
        lines = path.read_text().splitlines()
        words = lines[0].split() if lines else []
        if len(words) == 4 and all(words[at].isdigit() for at in (0, 1, 3)):
            yield Recorded(path, int(words[0]), int(words[1]), words[2], int(words[3]), tuple(map(Path, lines[1:])))


def end_leftovers(folder: Path, state: Path) -> list[str]:
    """End what a supervisor that is gone left running; the names of the services that were."""
    ended = []
    for recorded in sorted(read_all(folder), key=lambda one: one.start, reverse=True):
        left = recorded.left(state)
        if left:
            ended.append(recorded.path.stem)
            processes.end([one for one in left if one.pid == recorded.pid], by=recorded.stop, within=10)
            processes.end(recorded.left(state), within=5)
        recorded.path.unlink(missing_ok=True)
    return ended


def _followers(process: Process) -> list[Process]:
    """The rest of a daemon's session, where it leads one."""
    members = processes.in_session(process.pid) if process.session == process.pid else []
    return [one for one in members if one != process]


def _of(process: Process, state: Path) -> bool:
    named = f"{state}/" in processes.command_line(process.pid)
    return named or processes.environment(process.pid).get("POSTROOM_STATE") == str(state)
