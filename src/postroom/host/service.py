"""A service: one process that must run, as data."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Service:
    """What to run, as whom, and how to know that it answers.

    `env` is added to a small base (supervise.base_environment). `user` None is the supervisor's own. `groups` come on
    top of those the user has. `before` is called ahead of every start. `ready` is asked every 50 ms until it says yes;
    it must not block for long. `daemons` are pid files of processes it starts that leave its session (Postfix's
    master, Dovecot): they are ended with it. `outlived`: while it is restarted after a death, what it started keeps
    running.
    """

    name: str
    command: tuple[str, ...]
    user: str | None = None
    groups: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    umask: int = 0o022
    before: Callable[[], None] | None = None
    ready: Callable[[], bool] | None = None
    ready_within: float = 30
    stop_signal: int = signal.SIGTERM
    stop_within: float = 10
    daemons: tuple[Path, ...] = ()
    outlived: bool = False
