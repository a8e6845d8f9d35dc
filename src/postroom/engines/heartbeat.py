"""What a node says of itself, every 15 s: generations, which daemons run and of what versions, its oldest unfinished
work.

Whether anybody counts sign-ins stands there too (`sign_in_guard`: ok, why; or error).
Once a minute it also visits its own ports and says how they greeted (`smtp`, `imap`: ok, text, seconds).
"""

import datetime
import time
from dataclasses import asdict
from typing import Any

from . import asking, probe
from .asking import ParentAway
from .layout import NodeConfig, packages
from .milter_status import milter_status

EVERY = 15
STARTING = 3  # the agent is ready first; before the daemons are, there is nothing to say of them
STARTED = 60  # until then one that is down may be about to start, and is looked at again soon
GREETING_EVERY = 60


class Heartbeat:
    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self._made = time.monotonic()
        self._next = self._made + STARTING
        self._versions = packages(config)  # as the node started: what is installed later runs after its next start
        self._next_greeting = 0.0

    def due_in(self) -> float:
        return max(0.0, self._next - time.monotonic())

    def row(self, generations: dict[str, int], waiting_since: float | None, guard: dict[str, Any]) -> dict[str, Any]:
        """The next one is due 15 s from now, whether or not this one is heard; sooner while the daemons start."""
        now, daemons = time.monotonic(), self._daemons()
        starting = now - self._made < STARTED and False in daemons.values()
        self._next = now + (STARTING if starting else EVERY)
        row: dict[str, Any] = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            **{f"{name}_generation": number for name, number in generations.items()},
            **daemons,
            "versions": self._versions,
            "sign_in_guard": guard,
            "todo_oldest": None if waiting_since is None else _time(waiting_since),
        }
        if now >= self._next_greeting:
            greetings = self._greetings()
            good = all(one["ok"] for one in greetings.values())
            self._next_greeting = now + (GREETING_EVERY if good else 0)  # a bad one is asked again with the next beat
            row |= greetings
        return row

    def _daemons(self) -> dict[str, Any]:
        try:
            daemons = asking.ask(self.config, {"ask": "daemons"}, timeout=10)
        except ParentAway as error:
            daemons = {"parent": str(error)}
        status = milter_status(self.config)
        milter = "error" not in status and status.get("self_test") == "ok"
        return {**daemons, "milter": milter, "milter_status": status}

    def _greetings(self) -> dict[str, Any]:
        address, ports = self.config.address, self.config.ports
        return {
            "smtp": asdict(probe.greeting(address, ports.smtp, b"220 ")),
            "imap": asdict(probe.greeting(address, ports.imap, b"* OK")),
        }


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
