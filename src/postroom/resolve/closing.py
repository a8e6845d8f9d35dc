"""Evaluators asked over and over until nothing is missing to them, for many domains at once.

Each domain has a store of its own for as long as it is looked at: what an evaluator has seen there does not change
under it, however short its TTL is. A bounded number of domains is open at a time, so ten thousand need no more memory
than that; each result is given away as soon as it can be had.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from postroom.protocols.answers import Answers, Held, Key, Missing

from .cache import Cache
from .watch import Watch

AT_ONCE = 400  # domains
ROUNDS, KEYS = 100, 3000  # of one evaluator, of one domain: what no sound one reaches
TURN = 100  # evaluations until the sockets are looked at

Evaluator = Callable[[Answers], Any]


class Closed(NamedTuple):
    """One evaluator's result for one domain. unfinished: why there is none; what it would have said is unknown."""

    who: str
    name: str
    result: Any
    unfinished: str = ""


async def close(
    cache: Cache, work: Iterable[tuple[str, Mapping[str, Evaluator]]], *, watch: Watch | None = None,
    at_once: int = AT_ONCE,
) -> AsyncIterator[Closed]:  # fmt: skip
    """Results in the order in which they can be had. work: (domain, its evaluators by name), read as it is needed.

    What an evaluator raises but Missing is raised here.
    """
    closing = _Closing(cache, watch)
    left, more = iter(work), True
    turn = 0
    while more or closing.open:
        while more and closing.open < at_once and len(closing.ready) < at_once:
            if (one := next(left, None)) is None:
                more = False
            else:
                closing.start(*one)
        while closing.ready:
            if closed := closing.step(closing.ready.popleft()):
                yield closed
            turn += 1
            if turn % TURN == 0:
                await asyncio.sleep(0)
        if closing.open and not (more and closing.open < at_once):
            await closing.something()


async def ask_again(cache: Cache, watch: Watch, *, at_once: int = AT_ONCE) -> int:
    """Fetch what is due by now; how many that were. What changed, the watch tells."""
    due = deque(watch.due())
    many = len(due)
    room = asyncio.Semaphore(at_once)
    for _ in range(many):
        await room.acquire()
        cache.fetch(due.popleft(), lambda key, held: room.release())
    for _ in range(at_once):
        await room.acquire()
    return many


class _Store(dict[Key, Held]):
    """Of one domain. What the cache has is taken from there when an evaluator asks for it."""

    def __init__(self, who: str, cache: Cache, watch: Watch | None) -> None:
        self.who, self.cache, self.watch = who, cache, watch

    def __missing__(self, key: Key) -> Held:
        held = self.cache.look(key)
        if held is None:
            raise KeyError(key)
        return self.put(key, held)

    def put(self, key: Key, held: Held) -> Held:
        self[key] = held
        if self.watch:
            self.watch.asked(key, self.who)
        return held


class _Domain:
    def __init__(self, store: _Store, evaluators: int) -> None:
        self.store, self.answers, self.left = store, Answers(store), evaluators
        self.waiting: dict[Key, list[_Run]] = {}


class _Run:
    """One evaluator for one domain. lacks: how many answers it still waits for."""

    __slots__ = ("domain", "evaluate", "lacks", "name", "rounds")

    def __init__(self, domain: _Domain, name: str, evaluate: Evaluator) -> None:
        self.domain, self.name, self.evaluate = domain, name, evaluate
        self.lacks = self.rounds = 0


class _Closing:
    def __init__(self, cache: Cache, watch: Watch | None) -> None:
        self.cache, self.watch = cache, watch
        self.open = 0
        self.ready: deque[_Run] = deque()
        self.wake = asyncio.Event()

    def start(self, who: str, evaluators: Mapping[str, Evaluator]) -> None:
        domain = _Domain(_Store(who, self.cache, self.watch), len(evaluators))
        self.open += bool(evaluators)
        self.ready.extend(_Run(domain, name, evaluate) for name, evaluate in evaluators.items())

    def step(self, run: _Run) -> Closed | None:
        """Its result, or None when it waits for more."""
        domain = run.domain
        try:
            closed = Closed(domain.store.who, run.name, run.evaluate(domain.answers))
        except Missing as missing:
            run.rounds += 1
            if run.rounds <= ROUNDS and len(domain.store) <= KEYS:
                self._wait(run, missing.keys)
                return None
            closed = Closed(domain.store.who, run.name, None, "it asks for more and more")
        domain.left -= 1
        self.open -= not domain.left
        return closed

    def _wait(self, run: _Run, keys: Iterable[Key]) -> None:
        domain, asked = run.domain, []
        for key in dict.fromkeys(keys):
            if key in domain.waiting:
                domain.waiting[key].append(run)
            elif held := self.cache.look(key):
                domain.store.put(key, held)
                continue
            else:
                domain.waiting[key] = [run]
                asked.append(key)
            run.lacks += 1
        if not run.lacks:
            self.ready.append(run)
        for key in asked:
            self.cache.fetch(key, partial(self._landed, domain))

    def _landed(self, domain: _Domain, key: Key, held: Held) -> None:
        domain.store.put(key, held)
        for run in domain.waiting.pop(key):
            run.lacks -= 1
            if not run.lacks:
                self.ready.append(run)
                self.wake.set()

    async def something(self) -> None:
        """Until an evaluator has all that it waited for."""
        if not self.ready:
            self.wake.clear()
            await self.wake.wait()
