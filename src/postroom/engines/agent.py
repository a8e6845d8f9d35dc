"""The agent: takes the node's list from the control plane, writes the three files, ends sessions, asks the daemons,
acknowledges what they say. The only writer of the files; not root; needs no daemon to go on and no daemon needs it.

    pull → write (ends: secrets, maps; starts: maps, secrets) → kick who ended → ask the daemons → ack what agrees

What does not agree, or is not known, stays on the list and is asked again, more and more slowly. Rows that end by
their own `until` are refused by the maps at that second; the agent wakes then and ends the sessions.

It leaves by os._exit: an ordinary end closes the files, and SQLite would then remove the `-wal` and `-shm` that
readers need and may not make.
"""

import argparse
import fcntl
import logging
import os
import signal
import time
from pathlib import Path

from . import maps
from .agent_loop import Agent
from .fake_source import FakeSource
from .layout import NodeConfig, load
from .source import Source, SourceAway
from .source_pg import PgSource

log = logging.getLogger("postroom.agent")


def source_of(dsn: str) -> Source:
    """`file:/folder` is a source played from a folder; anything else goes to PostgreSQL."""
    return FakeSource(Path(dsn.removeprefix("file:"))) if dsn.startswith("file:") else PgSource(dsn)


def opened(config: NodeConfig) -> tuple[maps.Files, bool]:
    """The files, and whether one of them was damaged and had to be begun anew."""
    try:
        return maps.open_files(config), False
    except maps.MapsDamaged as error:
        log.error("%s: set aside as %s", error, maps.set_aside(config, error.name))
        files, _ = opened(config)
        return files, True


def alone(config: NodeConfig) -> int:
    """A lock held until the process ends: two agents must not write the same files. Raises BlockingIOError."""
    lock = os.open(config.ready_file.with_name("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def start(config: NodeConfig, dsn: str) -> None:
    alone(config)
    files, damaged = opened(config)
    agent = Agent(config, source_of(dsn), files)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, agent.stop)
    agent.write_own_rows()
    while not files.filled:
        try:
            agent.fill()
        except SourceAway as error:
            log.warning("nothing can be served before the control plane was asked: %s", error)
            time.sleep(1)
    config.ready_file.write_text(f"{os.getpid()}\n")
    log.info("ready: %s", files.generations())
    if damaged:  # they still read the file that was set aside
        agent.restart("postfix")
        agent.restart("dovecot")
    agent.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config, dsn = load(parser.parse_args().config)
    os.umask(0o027)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        start(config, dsn)
    except BaseException:
        log.critical("ended", exc_info=True)
        logging.shutdown()
        os._exit(1)


if __name__ == "__main__":
    main()
