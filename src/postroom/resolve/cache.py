"""Answers kept for as long as they count, and one question on its way for however many want it.

Of bounded size: what nobody wanted longest goes first. An answer with a TTL of 0 is handed to whoever waited for it and
kept for nobody (RFC 1035 3.2.1); one that failed is kept for a while, so that a dead server is not asked by a thousand
domains in turn (RFC 9520).
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from postroom.protocols.answers import Held, Key

MOST = 20_000  # answers; some 15 MB where a third are keys
LONGEST = 86_400  # seconds, whatever a TTL says (RFC 8767 4)
FAILED_FOR = 30.0

Told = Callable[[Held], None]
Ask = Callable[[str, str, Told], None]  # name, type; tells later, as Engine.ask
Landed = Callable[[Key, Held], None]
Heard = Callable[[Key, Held | None, Held], None]  # what it held when last known in full, and what it holds now


class Cache:
    """heard: told of every answer that was fetched, before whoever waits for it."""

    def __init__(
        self, ask: Ask, *, most: int = MOST, heard: Heard | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ask, self.most, self.heard, self.clock = ask, most, heard, clock
        self.kept: dict[Key, tuple[Held, float]] = {}  # the one wanted last stands last
        self.on_its_way: dict[Key, list[Landed]] = {}
        self.hits = self.joined = 0

    def look(self, key: Key) -> Held | None:
        """What counts now."""
        found = self.kept.pop(key, None)
        if found is None:
            return None
        self.kept[key] = found
        if found[1] <= self.clock():
            return None
        self.hits += 1
        return found[0]

    def fetch(self, key: Key, landed: Landed) -> None:
        """Ask, whatever is kept; told later, never from within this call. Joins a question that is on its way."""
        if (waiting := self.on_its_way.get(key)) is not None:
            self.joined += 1
            waiting.append(landed)
            return
        self.on_its_way[key] = [landed]
        self.ask(key[0], key[1], partial(self._landed, key))

    async def get(self, key: Key) -> Held:
        """What is kept, or fetched."""
        if held := self.look(key):
            return held
        future: asyncio.Future[Held] = asyncio.get_running_loop().create_future()
        self.fetch(key, lambda _, held: None if future.done() else future.set_result(held))
        return await future

    def _landed(self, key: Key, held: Held) -> None:
        known = self.kept.pop(key, None)
        before = known[0] if known and not known[0].failed else None
        seconds = FAILED_FOR if held.failed else min(held.ttl, LONGEST)
        if seconds > 0:
            self.kept[key] = held, self.clock() + seconds
            if len(self.kept) > self.most:
                del self.kept[next(iter(self.kept))]
        if self.heard:
            self.heard(key, before, held)
        for landed in self.on_its_way.pop(key):
            landed(key, held)
