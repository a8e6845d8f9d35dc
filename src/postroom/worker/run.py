"""The worker process: jobs from the queue, and the clock beside them. Started again, it goes on where it was."""

import asyncio
import logging
import signal
import threading
import time

import psycopg
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from . import clock
from .stalled import ALIVE_EVERY

log = logging.getLogger("postroom.worker")
AT_ONCE = 4
FORGOTTEN = 86_400  # seconds: workers of whom nothing was heard for as long are struck off when another one starts


def run() -> None:
    """Until SIGTERM or SIGINT: finish what is in hand, then leave."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ticking = threading.Thread(target=clock.run, args=(stop,), name="clock")
    ticking.start()
    while not stop.is_set():
        try:
            asyncio.run(_work(stop))
        except (psycopg.Error, ConnectorException, OSError) as error:
            log.warning("the queue does not answer: %s", error)
            time.sleep(1)
    ticking.join()


async def _work(stop: threading.Event) -> None:
    """Take jobs until told to stop."""
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with worker_app.open_async():
        working = asyncio.create_task(
            worker_app.run_worker_async(
                concurrency=AT_ONCE,
                install_signal_handlers=False,
                fetch_job_polling_interval=2,
                delete_jobs="successful",
                update_heartbeat_interval=ALIVE_EVERY,
                stalled_worker_timeout=FORGOTTEN,
                shutdown_graceful_timeout=15,
            )
        )
        while not stop.is_set() and not working.done():
            await asyncio.sleep(0.1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=not working.done() or working.cancelled())
