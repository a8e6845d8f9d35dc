"""The node's daemons: how each is started, known to run, reloaded and stopped.

Postfix and Dovecot leave our session and outlive us on purpose: mail goes on while the parent is restarted, and the
next one finds them by their own pid files. All else are our children; what a dead parent left of them is ended
first, since two agents must not write one file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postroom.host import processes
from postroom.host.processes import Process

from .layout import NodeConfig
from .rendering import ENVIRONMENT

BACKOFF = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
STEADY = 60.0  # seconds of running after which a death counts as the first


class DaemonFailed(Exception):
    """A daemon did not start; the message is what it said."""


@dataclass
class Daemon:
    """One program. `start` returns when it runs; `running` finds it by its pid file."""

    name: str
    pid_file: Path
    start: Callable[[], None]
    stop: Callable[[Process], None]
    deaths: int = 0
    started: float = 0.0
    not_before: float = 0.0
    said: list[str] = field(default_factory=list)

    def running(self) -> Process | None:
        found = processes.from_pid_file(self.pid_file)
        return found if found is not None and found.alive else None

    def ensure(self) -> bool:
        """Start it if it does not run and its pause is over; True if it runs."""
        if self.running():
            return True
        now = time.monotonic()
        if now < self.not_before:
            return False
        if self.started:
            self.deaths = self.deaths + 1 if now - self.started < STEADY else 0
        self.not_before = now + BACKOFF[min(self.deaths, len(BACKOFF) - 1)]
        self.started = now
        self.start()
        # Dovecot's command returns before its master has written the pid file.
        return processes.until(lambda: self.running() is not None, 5 if self.name in ("postfix", "dovecot") else 0)

    def end(self) -> None:
        if process := self.running():
            self.stop(process)
        self.pid_file.unlink(missing_ok=True)


def ended(process: Process, within: float = 10) -> None:
    processes.end([process], within=within)


def postfix(config: NodeConfig) -> Daemon:
    """Its master writes the pid file, and leads a session of its own."""
    pid_file = config.folder / "postfix/spool/pid/master.pid"

    def start() -> None:
        _command("postfix", "-c", str(config.postfix_conf), "start")

    def stop(process: Process) -> None:
        process.send(15)
        if not processes.until(lambda: not process.alive, 5):
            processes.end(processes.in_session(process.pid), within=1)

    return Daemon("postfix", pid_file, start, stop)


def dovecot(config: NodeConfig) -> Daemon:
    pid_file = config.folder / "dovecot/run/master.pid"
    return Daemon("dovecot", pid_file, lambda: _command("dovecot", "-c", str(config.dovecot_conf)), ended)


def reload(config: NodeConfig, name: str) -> None:
    if name == "postfix":
        _command("postfix", "-c", str(config.postfix_conf), "reload")
    else:
        _command("doveadm", "-c", str(config.dovecot_conf), "reload")


def program(config: NodeConfig, name: str, user: str, groups: Iterable[str], ready: Callable[[], bool],
            settings: Path) -> Daemon:  # fmt: skip
    """One of ours, `postroom.engines.<name>`, as its own user."""
    command = (sys.executable, "-m", f"postroom.engines.{name}", "--config", str(settings))
    return _child(config, name, command, user, groups, ready)


def postsrsd(config: NodeConfig, ready: Callable[[], bool]) -> Daemon:
    """Debian's, as its own user, for two questions of Postfix; it logs to syslog, if there is one."""
    ports = config.ports
    command = (
        "postsrsd", "-4", f"-l{config.inside}", f"-f{ports.srs_forward}", f"-r{ports.srs_reverse}",
        f"-s{config.srs_key}", f"-d{config.srs_domain}",
    )  # fmt: skip
    return _child(config, "srs", command, config.users.srs, (), ready)


def _child(config: NodeConfig, name: str, command: Sequence[str], user: str, groups: Iterable[str],
           ready: Callable[[], bool]) -> Daemon:  # fmt: skip
    pid_file = config.folder / f"run/{name}.pid"

    def start() -> None:
        log = os.open(config.folder / f"log/{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        environment = _environment()
        try:
            child = subprocess.Popen(
                [shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
                user=user, group=user, extra_groups=list(groups), umask=0o027, cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        finally:
            os.close(log)
        CHILDREN[child.pid] = child
        pid_file.write_text(f"{child.pid}\n")
        processes.until(lambda: ready() or child.poll() is not None, 5)

    return Daemon(name, pid_file, start, ended)


CHILDREN: dict[int, "subprocess.Popen[bytes]"] = {}


def reap() -> None:
    """Let the kernel forget children that ended."""
    for pid, child in list(CHILDREN.items()):
        if child.poll() is not None:
            del CHILDREN[pid]


def _environment() -> dict[str, str]:
    """Where our code lies may be known to us alone (a checkout); the state folder names whose process it is."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("POSTROOM_STATE", "PG"))}
    code = str(Path(__file__).resolve().parents[2])
    return {**ENVIRONMENT, **kept, "PYTHONPATH": code, "PYTHONUNBUFFERED": "1"}


def _command(*command: str) -> None:
    """What it says goes to a file: the daemons it leaves behind would hold a pipe open for as long as they live."""
    state = {name: value for name, value in os.environ.items() if name == "POSTROOM_STATE"}
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=60, env={**ENVIRONMENT, **state}
        )
        said.seek(0)
        if done.returncode != 0:
            raise DaemonFailed(f"{' '.join(command)}: {said.read().decode(errors='replace').strip()[-500:]}")
