"""What is to be asked again and when, what it held when it was last asked, and whom it concerns.

Of each answer a digest is kept, not the answer: a change is seen without holding everything. The index from a question
to who asked it says which domains a provider's include concerns. A failed look-up is no change: what was known stays,
and it is asked again soon.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from postroom.protocols.answers import Held, Key

SOONEST = 60  # seconds until anything is asked again
# Losing mail or the whole domain is seen within five minutes whatever the TTL is.
LATEST: Mapping[str, int] = {"MX": 300, "NS": 300}
LATEST_OF_ALL = 86_400


class Change(NamedTuple):
    """old: None where only its digest was left. who: whom it concerns."""

    key: Key
    old: Held | None
    new: Held
    who: frozenset[str]


class _Watched:
    __slots__ = ("digest", "due", "who")

    def __init__(self) -> None:
        self.digest: bytes | None = None
        self.due = 0
        self.who: str | set[str] | None = None  # most are asked by one domain alone


class Watch:
    """changed: told of every change, in the call that found it. clock: seconds; the same as the cache's, or one that
    goes on over a restart for what is remembered."""

    def __init__(self, changed: Callable[[Change], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.changed, self.clock = changed, clock
        self.watched: dict[Key, _Watched] = {}
        self.at: dict[int, list[Key]] = {}  # second: what was due then when it was noted
        self.seconds: list[int] = []

    def asked(self, key: Key, who: str) -> None:
        one = self.watched.get(key) or self._new(key)
        if one.who is None:
            one.who = who
        elif isinstance(one.who, set):
            one.who.add(who)
        elif one.who != who:
            one.who = {one.who, who}

    def who(self, key: Key) -> frozenset[str]:
        found = self.watched[key].who if key in self.watched else None
        return frozenset((found,) if isinstance(found, str) else found or ())

    def heard(self, key: Key, old: Held | None, new: Held) -> None:
        """As Cache tells it."""
        one = self.watched.get(key) or self._new(key)
        self._note(key, one, SOONEST if new.failed else new.ttl)
        if new.failed:
            return
        before, one.digest = one.digest, digest(new)
        if before is not None and before != one.digest:
            self.changed(Change(key, old, new, self.who(key)))

    def remember(self, key: Key, digest: bytes, due: float, who: Iterable[str]) -> None:
        """What was known before a restart."""
        one = self._new(key)
        one.digest = digest
        for each in who:
            self.asked(key, each)
        self._note(key, one, due - self.clock(), soonest=0)

    def due(self) -> list[Key]:
        """What is to be asked again by now; each is told once, and noted anew when it is heard."""
        found = []
        now = self.clock()
        while self.seconds and self.seconds[0] <= now:
            second = heapq.heappop(self.seconds)
            for key in self.at.pop(second):
                one = self.watched.get(key)
                if one is not None and one.due == second:
                    one.due = 0
                    found.append(key)
        return found

    def next(self) -> float | None:
        """When something is due next; None when nothing is watched. Never later than that, at times earlier."""
        return self.seconds[0] if self.seconds else None

    def forget(self, who: str) -> None:
        """A domain that is looked at no more, with what it alone asked."""
        for key, one in [*self.watched.items()]:
            if one.who == who:
                del self.watched[key]
            elif isinstance(one.who, set):
                one.who.discard(who)
                if not one.who:
                    del self.watched[key]

    def _new(self, key: Key) -> _Watched:
        one = self.watched[key] = _Watched()
        return one

    def _note(self, key: Key, one: _Watched, seconds: float, soonest: float = SOONEST) -> None:
        within = max(soonest, min(seconds, LATEST.get(key[1], LATEST_OF_ALL)))
        second = int(self.clock() + within) + 1
        if one.due == second:
            return
        if second not in self.at:
            self.at[second] = []
            heapq.heappush(self.seconds, second)
        one.due = second
        self.at[second].append(key)


def digest(held: Held) -> bytes:
    """Of what it holds, not of how long; the same in every process."""
    said = (held.values, held.nowhere, held.chain, held.secure)
    return blake2b(repr(said).encode("utf-8", "backslashreplace"), digest_size=8).digest()
