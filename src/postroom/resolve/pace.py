"""How often one server is asked at most: others' servers are not ours to load, whatever they serve."""

import threading
import time
from collections.abc import Callable

from .answer import Server

PER_SECOND = 400.0  # of one address: some 20,000 domains with ten questions each within eight minutes


class Pace:
    """Shared by all threads that ask. Who comes too early waits for their turn; every turn is given once."""

    def __init__(
        self,
        per_second: float = PER_SECOND,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.apart, self.clock, self.sleep = 1 / per_second, clock, sleep
        self.next: dict[tuple[str, int], float] = {}
        self.lock = threading.Lock()

    def wait(self, server: Server) -> None:
        """Until this server may be asked once more."""
        place = (server.address, server.port)
        with self.lock:
            now = self.clock()
            turn = max(now, self.next.get(place, now))
            self.next[place] = turn + self.apart
            if len(self.next) > 10_000:  # servers nobody asked lately
                self.next = {one: at for one, at in self.next.items() if at > now}
        if turn > now:
            self.sleep(turn - now)
