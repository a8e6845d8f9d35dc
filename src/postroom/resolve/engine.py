"""Many DNS questions at once, from one thread: a few connected UDP sockets, emptied whenever something came.

What is sent is counted, paced and sent again; an answer counts only by its socket, its id and the question it echoes.
What gets no good answer is `failed`, with the reason. Nothing is cached here (cache.py), nothing is resolved: whoever
is asked does that, or knows it. Ports are drawn by the kernel and kept as long as the engine, so that on the open net a
forger has to guess 16 bits and a port that does not change: ask a resolver of our own there, on loopback (unbound.py).
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from postroom.protocols.answers import Held

from .line import Line
from .names import HEADER, Malformed, NoName
from .tcp import FAILURES, over_tcp
from .upstream import Ask, Asked, Told, Upstream, chosen
from .wire import NoType, echoes, is_cut, query, question, read

PATIENCE = (1.0, 2.0, 4.0)  # seconds: a resolver that has never heard of a name needs some
SOCKETS = 4
TICK = 0.025
NOBODY_THERE = 0.2  # seconds until it is sent again where nothing listens
AT_ONCE = 512  # packets read from one socket before the others have their turn
TCP_AT_ONCE, TCP_TRIES = 16, 2


@dataclass
class Counts:
    """queries: answers wanted. sent: packets, retransmissions among them. strays: packets that answered nothing."""

    queries: int = 0
    sent: int = 0
    retransmissions: int = 0
    tcp: int = 0
    failures: int = 0
    strays: int = 0


class Engine:
    """Made and used inside of one running loop; `close` it, or use `async with`."""

    def __init__(
        self, upstreams: Sequence[Upstream], *, sockets: int = SOCKETS, patience: Sequence[float] = PATIENCE
    ) -> None:
        if len({one.validates for one in upstreams}) != 1:
            # What one of them refuses to believe, another would hand on.
            raise ValueError("upstreams all validate, or none does")
        self.loop = asyncio.get_running_loop()
        self.patience, self.validates = tuple(patience), upstreams[0].validates
        self.counts = Counts()
        self.waiting: deque[Ask] = deque()
        self.turn, self.judged = 0, time.monotonic()
        self.ticking: asyncio.TimerHandle | None = None
        self.by_tcp: dict[asyncio.Task[None], Ask] = {}
        self.tcp_room = asyncio.Semaphore(TCP_AT_ONCE)
        self.servers = [Asked(one, sockets) for one in upstreams]
        for server in self.servers:
            for line in server.lines:
                self.loop.add_reader(line.socket.fileno(), self._readable, server, line)

    def query(self, name: str, type: str) -> "asyncio.Future[Held]":
        """What the name holds, to be awaited. Nothing is raised: a question that cannot be asked has failed, too."""
        future = self.loop.create_future()
        self.ask(name, type, partial(_settle, future))
        return future

    def ask(self, name: str, type: str, told: Told) -> None:
        """The same, told to a function: later, never from within this call."""
        self.counts.queries += 1
        try:
            owner, number, asked = question(name, type)
        except (NoName, NoType) as problem:
            self.counts.failures += 1
            self.loop.call_soon(told, Held(failed=str(problem)))
            return
        now = time.monotonic()
        ask = Ask(owner, number, asked, told, now)
        if self.waiting or not self._send(ask, now):
            self.waiting.append(ask)
        if self.ticking is None:
            self.ticking = self.loop.call_later(TICK, self._tick)

    def _send(self, ask: Ask, now: float) -> bool:
        """Whether there was room for it. A server that was asked before is sent the same packet from the same port."""
        self.turn += 1
        server = chosen(self.servers, ask, self.turn)
        if server is None:
            return False
        if place := ask.places.get(server):
            line, id = place
        else:
            free = server.line(now)
            if free is None:
                return False
            line, id = free, free.enter(ask)
            ask.places[server] = line, id
            server.in_flight += 1
        ask.due = now + self.patience[ask.tries]
        ask.tries += 1
        self.counts.sent += 1
        server.note_sent(now)
        try:
            line.send(query(id, ask.asked))
        except BlockingIOError:
            ask.due = now + TICK
        except OSError as problem:
            self._nobody_there(line, problem)
        return True

    def _readable(self, server: Asked, line: Line) -> None:
        receive, in_flight = line.socket.recv, line.in_flight
        try:
            for _ in range(AT_ONCE):
                wire = receive(4096)
                ask = in_flight.get(wire[0] << 8 | wire[1]) if len(wire) >= HEADER else None
                if ask is None or not echoes(wire, ask.asked):
                    self.counts.strays += 1
                    continue
                server.answered += 1
                if is_cut(wire):
                    self._over_tcp(ask, server)
                else:
                    self._heard(ask, server, wire)
        except BlockingIOError:
            pass
        except OSError as problem:
            self._nobody_there(line, problem)
        if self.waiting:
            self._go_on(time.monotonic())

    def _heard(self, ask: Ask, server: Asked, wire: bytes) -> None:
        try:
            held = read(wire, ask.owner, ask.number, ask.asked)
        except Malformed as problem:
            held = Held(failed=f"{server.upstream} answered {problem}")
        if not held.failed:
            self._done(ask, held if self.validates or not held.secure else held._replace(secure=False))
        else:
            self._turned_down(ask, server, held.failed)

    def _turned_down(self, ask: Ask, server: Asked, why: str) -> None:
        """It does not get better by asking the same server again; another may know."""
        ask.why = why
        ask.turned_down.add(server)
        ask.leave(server)
        if len(ask.turned_down) == len(self.servers) or (ask.tries >= len(self.patience) and not ask.places):
            self._done(ask, Held(failed=why))
        elif not ask.places:
            self.waiting.append(ask)

    def _done(self, ask: Ask, held: Held) -> None:
        for one in [*ask.places]:
            ask.leave(one)
        if held.failed:
            self.counts.failures += 1
        ask.told(held)

    def _nobody_there(self, line: Line, problem: OSError) -> None:
        """The kernel says so, of what was sent from here before."""
        soon = time.monotonic() + NOBODY_THERE
        for ask in line.in_flight.values():
            ask.due, ask.why = min(ask.due, soon), problem.strerror or str(problem)

    def _tick(self) -> None:
        """What was not answered in time is sent again, or has failed; then what there is room for now."""
        now = time.monotonic()
        for ask in {ask for server in self.servers for line in server.lines for ask in line.in_flight.values()}:
            if ask.due <= now:
                self._again(ask, now)
        if now - self.judged >= 1:
            self.judged = now
            for server in self.servers:
                server.judge()
        self._go_on(now)
        busy = self.waiting or self.by_tcp or any(server.in_flight for server in self.servers)
        self.ticking = self.loop.call_later(TICK, self._tick) if busy else None

    def _again(self, ask: Ask, now: float) -> None:
        for server in ask.places:
            server.lost += 1
        if ask.tries >= len(self.patience):
            self._done(ask, Held(failed=f"{ask.why} from {self._asked(ask.places)}"))
        elif self._send(ask, now):
            self.counts.retransmissions += 1

    def _go_on(self, now: float) -> None:
        waiting = self.waiting
        while waiting and any(self._send(waiting[0], now) for _ in self.servers):
            waiting.popleft()
        # Whoever has waited as long as one that was asked for nothing would get no better answer.
        while waiting and all(one.silent for one in self.servers) and now - waiting[0].since > sum(self.patience):
            self._done(waiting.popleft(), Held(failed=f"no answer from {self._asked(self.servers)}"))

    def _asked(self, servers: Iterable[Asked]) -> str:
        return ", ".join(str(one.upstream) for one in servers)

    def _over_tcp(self, ask: Ask, server: Asked) -> None:
        for one in [*ask.places]:
            ask.leave(one)
        self.counts.tcp += 1
        task = self.loop.create_task(self._tcp(ask, server))
        self.by_tcp[task] = ask
        task.add_done_callback(lambda done: self.by_tcp.pop(done, None))

    async def _tcp(self, ask: Ask, server: Asked) -> None:
        to, why, wire = server.upstream, "", None
        async with self.tcp_room:
            for _ in range(TCP_TRIES):
                try:
                    wire = await over_tcp(to.address, to.port, ask.asked, max(self.patience))
                    break
                except FAILURES as problem:
                    why = str(problem) or type(problem).__name__
        if task := asyncio.current_task():  # told now, and not once more by a `close` in this turn of the loop
            self.by_tcp.pop(task, None)
        if wire is not None:
            self._heard(ask, server, wire)
        else:
            self._turned_down(ask, server, f"too long for UDP, and not to be had over TCP from {to}: {why}")

    def close(self) -> None:
        """Nothing is sent any more; what was asked and not answered has failed."""
        if self.ticking:
            self.ticking.cancel()
        left = [*self.by_tcp.values(), *self.waiting]
        for task in [*self.by_tcp]:
            task.cancel()
        for server in self.servers:
            for line in server.lines:
                left += line.in_flight.values()
                self.loop.remove_reader(line.socket.fileno())
                line.socket.close()
        self.waiting.clear()
        for ask in dict.fromkeys(left):
            self._done(ask, Held(failed="not asked any more"))

    async def __aenter__(self) -> "Engine":
        return self

    async def __aexit__(self, sort: type[BaseException] | None, problem: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        self.close()


def _settle(future: "asyncio.Future[Held]", held: Held) -> None:
    if not future.done():
        future.set_result(held)
