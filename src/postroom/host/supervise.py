"""Starts services in order, watches them, starts again what dies, stops them in reverse order.

One thread, no surprises: everything happens in `start`, `watch` and `stop`, in the order they are called. A signal ends
the wait that is going on by `Interrupted`; starting a process and recording it is never cut in two.

Not an init: it forgets nothing it started (pid files), but what a killed supervisor left is ended by the next one.
"""

import contextlib
import grp
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from . import files, pid_files, processes
from .service import Service

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHORTEST, LONGEST = 0.5, 30.0  # seconds before the next start of what died
SETTLED = 60.0  # seconds after which a death is a first one again
# Where a site has its own authority or proxy, the programs that speak to the outside must know it too.
CARRIED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy",
           "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")  # fmt: skip


class Interrupted(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing on the way takes it for a failure."""


class ServiceFailed(Exception):
    """A service did not start, or did not answer in time; the message ends with the last lines of its log."""


def base_environment(state: Path) -> dict[str, str]:
    """What every service gets: nothing of the caller's but how to reach the outside."""
    carried = {name: os.environ[name] for name in CARRIED if name in os.environ}
    fixed = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
             "PYTHONUNBUFFERED": "1", "POSTROOM_STATE": str(state)}  # fmt: skip
    return {**carried, **fixed}


@dataclass
class Running:
    service: Service
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)
    deaths: int = 0
    again_at: float | None = None
    lasting: bool = True  # started again when it ends; a job is not


@dataclass
class Supervisor:
    """For one state folder: pid files in `<state>/run`, logs in `<state>/log`, events to `say`."""

    state: Path
    say: Callable[[str], None] = print
    running: list[Running] = field(default_factory=list)
    _asked: bool = False
    _whole: int = 0  # above 0: a signal waits

    @property
    def run(self) -> Path:
        return self.state / "run"

    def log(self, service: Service) -> Path:
        return self.state / "log" / f"{service.name}.log"

    @contextlib.contextmanager
    def listening(self) -> Iterator["Supervisor"]:
        """Turn SIGINT, SIGTERM and SIGHUP into Interrupted, once; at the end stop everything, whatever happened."""
        # Under nohup, a terminal that goes away is no reason to stop.
        heard = [one for one in STOPPING if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._signal) for number in heard}
        try:
            yield self
        finally:
            self._asked = True
            # Ctrl-C may come again, from the terminal and through sudo: it must not stop the stopping.
            for number in heard:
                signal.signal(number, signal.SIG_IGN)
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, services: Sequence[Service]) -> None:
        """Start them in order, each only when the one before answers."""
        for service in services:
            with self._in_one_piece():
                one = Running(service, self._spawn(service))
                self.running.append(one)
            self._await(one)

    def once(self, job: Service, *, shown: bool = False) -> None:
        """Run a job to its end while the services are watched; ServiceFailed if it fails. Shown: not to its log."""
        with self._in_one_piece():
            one = Running(job, self._spawn(job, shown=shown))
            self.running.append(one)
        while one.process.poll() is None:
            self._look_after_all(but=one)
            self.pause(0.05)
        pid_files.remove(self.run, job)
        self.running.remove(one)
        if one.process.returncode:
            raise ServiceFailed(f"{job.name} failed with {one.process.returncode}{'' if shown else self._tail(job)}")

    def beside(self, job: Service) -> None:
        """Start a job that goes on beside the services and ends when it is done; shown, not to its log."""
        with self._in_one_piece():
            self.running.append(Running(job, self._spawn(job, shown=True), lasting=False))

    def watch(self) -> None:
        """Until a signal: start again what dies, later each time it dies young."""
        while True:
            self._look_after_all()
            self.pause(0.2)

    def pause(self, seconds: float) -> None:
        if self._asked and not self._whole:
            raise Interrupted
        time.sleep(seconds)

    def stop(self) -> None:
        """Stop all, the last started first, each ended before the next is asked. Twice is once."""
        while self.running:
            one = self.running[-1]
            self._end(one)
            pid_files.remove(self.run, one.service)
            self.running.pop()

    def _signal(self, number: int, frame: FrameType | None) -> None:
        first, self._asked = not self._asked, True
        if first and not self._whole:
            raise Interrupted

    @contextlib.contextmanager
    def _in_one_piece(self) -> Iterator[None]:
        self._whole += 1
        try:
            yield
        finally:
            self._whole -= 1
        self.pause(0)

    def _spawn(self, service: Service, *, shown: bool = False) -> subprocess.Popen[bytes]:
        try:
            files.folder(self.run)
            files.folder(self.log(service).parent, mode=0o750)  # what programs say may be for few eyes
            if service.before:
                service.before()
            process = self._launch(service, shown)
        except OSError as error:
            raise ServiceFailed(f"{service.name} cannot be started: {error}") from error
        try:
            pid_files.write(self.run, service, process.pid)
        except OSError as error:
            process.kill()  # nobody would find it later
            process.wait()
            raise ServiceFailed(f"{service.name} cannot be recorded: {error}") from error
        return process

    def _launch(self, service: Service, shown: bool) -> subprocess.Popen[bytes]:
        with self.log(service).open("ab") as log:
            out = None if shown else log
            # A session of its own: Ctrl-C in the terminal is for the supervisor, which stops them in order.
            return subprocess.Popen(
                service.command,
                cwd=service.folder,
                env={**base_environment(self.state), **service.env},
                umask=service.umask,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **identity(service),
            )

    def _await(self, one: Running) -> None:
        end = time.monotonic() + one.service.ready_within
        while one.service.ready is None or not one.service.ready():
            if one.process.poll() is not None:
                raise ServiceFailed(f"{one.service.name} ended with {one.process.returncode}{self._tail(one.service)}")
            if one.service.ready is None:
                return
            if time.monotonic() > end:
                within = f"within {one.service.ready_within:g} s"
                raise ServiceFailed(f"{one.service.name} does not answer {within}{self._tail(one.service)}")
            self.pause(0.05)

    def _tail(self, service: Service) -> str:
        lines = self.log(service).read_text(errors="replace").splitlines()[-12:]
        return f"; {self.log(service)} ends:\n" + "\n".join(f"    {line}" for line in lines)

    def _look_after_all(self, but: Running | None = None) -> None:
        for one in list(self.running):
            if one is not but:
                self._look_after(one)

    def _look_after(self, one: Running) -> None:
        ended = one.again_at is None and one.process.poll() is not None
        if ended and not one.lasting:
            pid_files.remove(self.run, one.service)
            self.running.remove(one)
        elif ended:
            self._put_off(one, f"ended with {one.process.returncode}")
        elif one.again_at is not None and time.monotonic() >= one.again_at:
            self._again(one)

    def _put_off(self, one: Running, why: str) -> None:
        now = time.monotonic()
        one.deaths = one.deaths + 1 if now - one.since < SETTLED else 1
        delay = min(LONGEST, SHORTEST * 2 ** (one.deaths - 1))
        one.again_at = now + delay
        self.say(f"{one.service.name} {why}; starting it again in {delay:g} s")

    def _again(self, one: Running) -> None:
        if not one.service.outlived:
            processes.end(self._left(one.service), within=one.service.stop_within)
        one.again_at, one.since = None, time.monotonic()
        try:
            with self._in_one_piece():
                one.process = self._spawn(one.service)
        except ServiceFailed as failed:
            self._put_off(one, f"did not start: {failed}")

    def _end(self, one: Running) -> None:
        service = one.service
        if one.process.poll() is None:
            one.process.send_signal(service.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(service.stop_within)
        processes.end(self._left(service), within=service.stop_within)
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()

    def _left(self, service: Service) -> list[processes.Process]:
        recorded = [file for file in pid_files.read_all(self.run) if file.path.stem == service.name]
        return [process for file in recorded for process in file.left(self.state, just_now=True)]


def identity(service: Service) -> Mapping[str, Any]:
    """Popen's arguments that change to the service's user, with all groups it has and those asked for."""
    if service.user is None or (os.geteuid() != 0 and pwd.getpwuid(os.geteuid()).pw_name == service.user):
        return {}
    account = pwd.getpwnam(service.user)
    groups = {*os.getgrouplist(service.user, account.pw_gid), *(grp.getgrnam(name).gr_gid for name in service.groups)}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": sorted(groups)}
