"""An installation: what a state folder is, for ever (`installation.json`), and where it runs just now.

Also the one lock that says "somebody runs this state folder".
"""

import contextlib
import datetime
import fcntl
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from . import claim, files, processes
from .claim import Claim
from .ports import NUMBERS, endpoints


class StateRefused(Exception):
    """This state folder cannot be used; the message says why."""


class AlreadyRunning(StateRefused):
    """Somebody runs this state folder."""

    def __init__(self, state: Path, pid: int) -> None:
        super().__init__(f"{state} is running already, as pid {pid}")
        self.pid = pid


@dataclass(frozen=True)
class Installation:
    """`web_port` is 0 until one is claimed; everything else stays the same over restarts, the address if it can."""

    state: Path
    id: str
    demo: bool
    address: str
    made: str
    web_port: int = 0

    @property
    def venv(self) -> Path:
        return self.state / "venv"

    @property
    def program(self) -> Path:
        return self.venv / "bin/postroom"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def keys(self) -> Path:
        return self.state / "keys"

    @property
    def node(self) -> Path:
        return self.state / "node"

    @property
    def signer(self) -> Path:
        return self.state / "signer"

    @property
    def log_name(self) -> str:
        """Whose record it is, in every checkpoint: what tells this log from all others."""
        return f"postroom.example/{self.id}"

    @property
    def sink(self) -> Path:
        return self.state / "sink"

    @property
    def origin(self) -> str:
        """What every link starts with."""
        return f"http://localhost:{self.web_port}"

    def at(self, port: str) -> str:
        """`127.1.2.3:2525` for `smtp`."""
        return f"{self.address}:{NUMBERS[port]}"

    def save(self) -> None:
        kept = {"id": self.id, "demo": self.demo, "address": self.address, "made": self.made}
        files.write_json(self.state / "installation.json", kept)

    def tell(self) -> None:
        """Write `endpoints.json`: everything answers."""
        told = {
            "web": self.origin,
            "api": f"{self.origin}/api/v1",
            **endpoints(self.address),
            "sink": str(self.sink),
            "address": self.address,
            "demo": self.demo,
            "pid": os.getpid(),
        }
        files.write_json(self.state / "endpoints.json", told)

    def untell(self) -> None:
        (self.state / "endpoints.json").unlink(missing_ok=True)


def load(state: Path) -> Installation | None:
    """What this folder has been so far; None if nothing."""
    try:
        kept = json.loads((state / "installation.json").read_text())
    except FileNotFoundError:
        return None
    return Installation(state, str(kept["id"]), bool(kept["demo"]), str(kept["address"]), str(kept["made"]))


def current(state: Path) -> Installation | None:
    """The installation as it runs just now, with the port of its pages; without one it is not (fully) up."""
    installation = load(state)
    try:
        told = json.loads((state / "endpoints.json").read_text())
    except FileNotFoundError:
        return installation
    return installation and replace(installation, web_port=int(str(told["web"]).rpartition(":")[2]))


def opened(state: Path, *, demo: bool, locks: Path = claim.LOCKS) -> tuple[Installation, tuple[Claim, ...]]:
    """This state folder's installation, made if it is a new one, with an address and a port for its pages claimed."""
    known = load(state)
    if known and known.demo != demo:
        sort, other = ("a demo", "without --demo") if known.demo else ("not a demo", "with --demo")
        raise StateRefused(f"{state} is {sort} installation and stays one; to start {other}, use another state folder")
    place = claim.address(kept=known.address if known else None, locks=locks)
    port, pages = claim.web_port(locks=locks)
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    first = known or Installation(state, secrets.token_hex(8), demo, place.name, made)
    installation = replace(first, address=place.name, web_port=port)
    installation.save()
    return installation, (place, pages)


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold `<state>/run/up.pid`; AlreadyRunning if somebody does. The kernel lets go of it however the holder ends."""
    path = files.folder(state / "run") / "up.pid"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(state, _pid(path)) from None
        me = processes.read(os.getpid())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {me.start if me else 0}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def refuse_closed(state: Path) -> None:
    """StateRefused, naming the folder, if other users cannot reach the state folder. Only root can ask this."""
    if os.geteuid() != 0:
        return
    for folder in reversed([state, *state.parents]):
        asked = subprocess.run(["/usr/bin/test", "-x", folder], user=65534, group=65534, extra_groups=[], check=False)
        if asked.returncode:
            raise StateRefused(f"{state} cannot be the state folder: the service users may not enter {folder}")


def _pid(path: Path) -> int:
    words = path.read_text().split()
    return int(words[0]) if words and words[0].isdigit() else 0
