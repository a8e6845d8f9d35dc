"""How the record's processes run: over a connection of their own, until told to stop; a database away is waited for."""

import argparse
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

import psycopg

log = logging.getLogger("postroom.record")
AWAY = 1.0  # seconds until the database is tried again
Work = Callable[["psycopg.Connection[Any]"], Callable[[], float]]  # over a connection: a turn, and how long to rest


def arguments(about: str | None, role: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--dsn", required=True, help=f"as {role}")
    return parser


def run(dsn: str, work: Work) -> None:
    """Turn after turn, until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                turn = work(connection)
                while not stop.is_set():
                    stop.wait(turn())
        except psycopg.OperationalError as away:
            log.warning("the database does not answer: %s", away)
            stop.wait(AWAY)
