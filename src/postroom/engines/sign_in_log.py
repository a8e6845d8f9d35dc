"""What was signed in to, for the history: rows for the agent to take away, few and bounded. Knows no password.

The first of an account, source, protocol, credential and program is a row at once; what follows within the hour is
counted and told by the next row, so that a program that signs in every minute makes 24 rows a day. Names of accounts
that there are not are counted, never kept: somebody may have typed a password there.
"""

import heapq
import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

HOUR, MOST_KEYS, MOST_ROWS, AT_ONCE = 3600, 20_000, 10_000, 500
Row = dict[str, Any]


@dataclass
class Told:
    """Of one key: when its last row was made, and how many sign-ins came since."""

    at: float
    since: int = 0


class Log:
    """Rows wait until somebody says that they are taken: 10,000 that came in and 10,000 that did not, so that who is
    kept out pushes out none of the others. Above that the oldest go, and how many is said."""

    def __init__(self) -> None:
        self.waiting: dict[bool, deque[Row]] = {True: deque(), False: deque()}
        self.told: OrderedDict[tuple[object, ...], Told] = OrderedDict()
        self.unknown = self.dropped = self._number = 0

    def add(self, said: Mapping[str, Any], now: float) -> None:
        """One report of Dovecot's, of an account that there is."""
        row = row_of(said, now)
        key = tuple(value for name, value in row.items() if name not in ("at", "session", "times"))
        told = self.told.get(key)
        if told is not None and told.at > now - HOUR:
            told.since += 1
            return
        row["times"] = 1 + (told.since if told else 0)
        self.told[key] = Told(now)
        self.told.move_to_end(key)
        if len(self.told) > MOST_KEYS:
            self.told.popitem(last=False)
        self._append(row)

    def take(self, taken: int, now: float) -> Row:
        """The oldest rows after `taken`; that, and all before it, is kept no more."""
        for rows in self.waiting.values():
            while rows and rows[0]["number"] <= taken:
                rows.popleft()
        if self.unknown or self.dropped:
            self._append({"at": round(now, 3), "login": "", "unknown": self.unknown, "dropped": self.dropped})
            self.unknown = self.dropped = 0
        oldest = heapq.merge(*self.waiting.values(), key=itemgetter("number"))
        return {"rows": list(islice(oldest, AT_ONCE))}

    def _append(self, row: Row) -> None:
        self._number = max(self._number + 1, time.time_ns())  # no two alike, over restarts too
        rows = self.waiting[bool(row.get("success"))]
        rows.append({"number": self._number, **row})
        if len(rows) > MOST_ROWS:
            rows.popleft()
            self.dropped += 1


def row_of(said: Mapping[str, Any], now: float) -> Row:
    """A report as the history has it; the hash of the password is left behind."""
    address = plain(said.get("remote"))[:60]
    return {
        "at": round(now, 3),
        "login": plain(said.get("login")).lower(),
        "protocol": plain(said.get("protocol"))[:20],
        "address": address,
        "network": network_of(address),
        "success": bool(said.get("success")),
        "refused": bool(said.get("policy_reject")),
        "credential": plain(said.get("cred"))[:80],
        "session": plain(said.get("session_id"))[:80],
        "program": program_of(plain(said.get("device_id"))),
        "times": 1,
    }


def plain(value: Any) -> str:
    """As text that may be stored: what cannot be printed (NUL, half a surrogate) is left out."""
    return "".join(char for char in str(value or "") if char.isprintable())


def network_of(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) an address is in; empty for what is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def program_of(said: str) -> str:
    """What a program calls itself by IMAP's ID (RFC 2971), without its version; empty where it does not."""
    words = said.split('"')[1::2] if '"' in said else [part for one in said.split(" ") for part in one.split("=", 1)]
    pairs = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
    return plain(pairs.get("name"))[:80]
