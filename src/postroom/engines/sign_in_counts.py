"""Who may try a password now: the rules by which guesses are counted. Pure: whoever calls hands the time in.

A *source* is an IPv4 address or an IPv6 /64. One that signed in to an account within thirty days is *known* to it; all
others are strangers there. NIST SP 800-63B-4, 3.2.2: at most 100 wrong passwords an account, and after that only from
where its owner signed in before.

- A password is counted when it is tried, not when it has failed: a hundred at once are a hundred.
- One password tried again from one source counts once, so a phone with an old one locks nobody out.
- First by account and source: three other passwords in ten minutes, a hundred a day.
- Then by account, strangers alone: from the eleventh in ten minutes each waits; after a hundred a day all are refused.
- A sign-in takes back what its own source was counted for at this account, and nothing else.

So nothing a stranger does refuses, or slows, a source that is known; and nothing a stranger can do takes a count back.
"""

import ipaddress
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SHORT, AT_A_SOURCE = 600, 3  # seconds, and other passwords in them
DAY, A_DAY = 86_400, 100
FREE, LONGEST = 10, 15  # strangers' passwords in ten minutes before they wait; seconds, the most they do
KNOWN_FOR, MOST_KNOWN = 30 * DAY, 32
UNANSWERED = 60  # seconds in which a password that is being checked has its answer
MOST_NAMES = 2_000  # accounts that there are not: whoever makes names up pushes out no others than those


class Answer(NamedTuple):
    """wait: seconds before the password is looked at; refused: it is not."""

    wait: int = 0
    refused: bool = False


class Try(NamedTuple):
    at: float
    source: str
    secret: str  # Dovecot's 12 bits of a keyed hash: tells passwords apart, and says nothing of one


@dataclass
class Account:
    """What was tried within a day; of that, what is being checked; who is known, since when last."""

    tries: list[Try] = field(default_factory=list)
    open: set[tuple[str, str]] = field(default_factory=set)
    known: dict[str, float] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        if self.tries and self.tries[0].at <= now - DAY:
            self.tries = [one for one in self.tries if one.at > now - DAY]
        self.known = {source: at for source, at in self.known.items() if at > now - KNOWN_FOR}
        self.open = {(one.source, one.secret) for one in self._checking(now)}

    def _checking(self, now: float) -> Iterator[Try]:
        return (one for one in self.tries if (one.source, one.secret) in self.open and one.at > now - UNANSWERED)

    def answer(self, source: str, secret: str, now: float) -> Answer:
        mine = [one for one in self.tries if one.source == source]
        strangers = [one for one in self.tries if one.source not in self.known]
        wait = 0 if source in self.known else _wait(sum(one.at > now - SHORT for one in strangers))
        if (source, secret) in self.open:
            return Answer(wait)  # a program opens several connections at once
        if sum(one.at > now - SHORT for one in mine) >= AT_A_SOURCE or len(mine) >= A_DAY:
            return Answer(refused=True)
        if source not in self.known and len(strangers) >= A_DAY:
            return Answer(refused=True)
        return Answer(wait)

    def tried(self, source: str, secret: str, now: float) -> None:
        if not any(one.source == source and one.secret == secret for one in self.tries):
            self.tries.append(Try(now, source, secret))
            self.open.add((source, secret))

    def came_in(self, source: str, now: float) -> None:
        self.tries = [one for one in self.tries if one.source != source]
        self.open = {one for one in self.open if one[0] != source}
        self.known[source] = now
        if len(self.known) > MOST_KNOWN:
            del self.known[min(self.known, key=self.known.__getitem__)]


def _wait(tried: int) -> int:
    return min(LONGEST, max(0, tried - FREE + 1))


def source_of(address: str) -> str:
    """What an address is counted as; empty for one that is none (the machine itself)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)


class Counts:
    """Of all accounts. `is_one`: whether the node has an account of this name; of names made up, few are kept.

    Of an account under attack a hundred tries of strangers are kept, some 10 kB; of one that is not, nothing but who is
    known there.
    """

    def __init__(self, is_one: Callable[[str], bool]) -> None:
        self.is_one = is_one
        self.accounts: dict[str, Account] = {}
        self.made_up: OrderedDict[str, Account] = OrderedDict()

    def may(self, login: str, source: str, secret: str, now: float) -> Answer:
        """Asked before a password is looked at; it counts as tried unless it is refused."""
        account = self._of(login, now)
        answer = account.answer(source, secret, now)
        if not answer.refused:
            account.tried(sys.intern(source), sys.intern(secret), now)
        return answer

    def wrong(self, login: str, source: str, secret: str, now: float) -> None:
        self._of(login, now).open.discard((source, secret))

    def forgive(self, login: str, source: str, secret: str, now: float) -> None:
        """It was no guess, though it opened nothing."""
        account = self._of(login, now)
        account.open.discard((source, secret))
        account.tries = [one for one in account.tries if (one.source, one.secret) != (source, secret)]

    def right(self, login: str, source: str, now: float) -> bool:
        """Whether the source was not known until now, or not lately."""
        account = self._of(login, now)
        fresh = account.known.get(source, 0.0) < now - DAY
        account.came_in(sys.intern(source), now)
        return fresh

    def knew(self, login: str, source: str, at: float) -> None:
        """What an earlier process knew."""
        self.accounts.setdefault(login, Account()).known[source] = at

    def sweep(self, now: float) -> None:
        """Let go of accounts of which nothing is left to know."""
        for login, account in list(self.accounts.items()):
            account.forget(now)
            if not account.tries and not account.known:
                del self.accounts[login]

    def _of(self, login: str, now: float) -> Account:
        if self.is_one(login):
            account = self.accounts.setdefault(login, Account())
        else:
            account = self.made_up.setdefault(login, Account())
            self.made_up.move_to_end(login)
            if len(self.made_up) > MOST_NAMES:
                self.made_up.popitem(last=False)
        account.forget(now)
        return account
