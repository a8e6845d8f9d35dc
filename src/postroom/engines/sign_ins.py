"""The agent's side of sign-ins: what was signed in to, and who is signed in now, handed on to the control plane.

A row is taken off at who counts when the control plane has it, so one may come twice; it is known by its number. Of
sessions only what began and what ended is told, and all of them now and then, and after a report that was not heard.
"""

import json
import os
import socket
import time
from functools import cache
from pathlib import Path
from typing import Any

from .doveadm import Doveadm, DoveadmAway, Session
from .layout import NodeConfig
from .source import Source

EVERY, ALL_EVERY = 15, 600  # seconds
TIMEOUT, AGAIN = 2, 15  # seconds; one that does not answer is asked less often, for the agent has other work
Said = dict[str, Any]


def asked(config: NodeConfig, question: Said) -> Said:
    """Its own word; {"error": …} if it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(TIMEOUT)
            line.connect(str(config.policy_socket))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                return dict(json.loads(answer.readline() or b"{}"))
    except (OSError, ValueError) as error:
        return {"error": str(error) or type(error).__name__}


class SignIns:
    """What was taken of the rows, and what the daemon last said of itself."""

    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self.taken = 0
        self.guard: Said = {"error": "not asked yet"}
        self._next = 0.0

    def hand_on(self, source: Source) -> None:
        """All there are. Raises SourceAway: then they stay where they are."""
        if time.monotonic() < self._next:
            return
        while rows := self._rows():
            source.report("sign-ins", rows)
            self.taken = int(rows[-1]["number"])

    def _rows(self) -> list[Said]:
        said = asked(self.config, {"taken": self.taken})
        self.guard = {name: said[name] for name in ("ok", "why", "asked", "error") if name in said}
        if "error" in said:
            self._next = time.monotonic() + AGAIN
        return list(said.get("rows", ()))


class Sessions:
    """What was last told of who is signed in; None: nothing that can be built on."""

    def __init__(self, system_login: str) -> None:
        self.system_login = system_login
        self.told: dict[str, Session] | None = None
        self._next = self._all = 0.0

    def hand_on(self, doveadm: Doveadm, source: Source) -> None:
        """Where Dovecot does not answer nothing is told, and what was told grows old. Raises SourceAway."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        try:
            open_now = {_key(one): one for one in doveadm.sessions() if one.account != self.system_login}
        except DoveadmAway:
            return
        told, self.told = (None if now >= self._all else self.told), None
        source.report("sessions", _rows(open_now, told))
        self.told = open_now
        if told is None:
            self._all = now + ALL_EVERY


def _rows(open_now: dict[str, Session], told: dict[str, Session] | None) -> list[Said]:
    before = told or {}
    began = [_row(key, one) for key, one in open_now.items() if key not in before]
    return [{"whole": told is None}, *began, *({"ended": key} for key in before if key not in open_now)]


def _key(one: Session) -> str:
    """A process number comes again; with the moment it began it does not."""
    return f"{one.key} {_began(one.pid) or ''}"


def _row(key: str, one: Session) -> Said:
    return {
        "login": one.account.lower(), "key": key, "protocol": one.service, "address": one.address[:60],
        "credential": one.credential[:80], "since": _began(one.pid),
    }  # fmt: skip


def _began(pid: str) -> float | None:
    """When a process began, in seconds since 1970; None for one that is gone (proc(5), stat, field 22)."""
    try:
        ticks = int(Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return _booted() + ticks // os.sysconf("SC_CLK_TCK")


@cache
def _booted() -> int:
    """When the machine started, in seconds since 1970."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime"))
