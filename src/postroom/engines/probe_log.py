"""Where probes ended, as this node's logs say it: Dovecot's of mailboxes, Postfix's of what leaves or is refused.

A probe is known by its Message-ID, `<probe.TOKEN@…>`, which a filter that passes it on keeps, and so does the round by
which its sender is rewritten (SRS). Of each of Postfix's lines:

    postfix/cleanup[2308]: 4jdcjt5KGtzMpZr: message-id=<probe.…@…>                  the item is a probe
    postfix/srs/smtp[2441]: 4jdcjt5KGtzMpZr: to=<…>, …, status=sent (…)             a round; it comes by again
    postfix/lmtp[2442]: 4jdcjt5KGtzMpZr: to=<…>, orig_to=<…>, …, status=sent (…)    Dovecot says where
    postfix/smtp[2460]: 4jdcjt5KGtzMpZr: to=<…>, …, dsn=2.0.0, status=sent (250 …)  the next server has it

and of Dovecot's, 2.3 and 2.4 alike:

    lmtp(mia@acme.example)<2445><…>: Info: msgid=<probe.…@…>: saved mail to INBOX
    lmtp(mia@acme.example)<2445><…>: Info: sieve: msgid=<probe.…@…>: fileinto action: stored mail into mailbox 'Lists'
    lmtp(mia@acme.example)<2445><…>: Info: sieve: msgid=<probe.…@…>: discard action: Marked message to be discarded …

Read forwards, so much at a time; one that was rotated away, or a line that is not there, is not made up for.
BUGS: whoever sends thousands of messages that call themselves probes pushes out true ones, which are then not seen.
"""

import os
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from postroom.protocols import return_address

from .sign_in_log import plain

AT_ONCE, BEFORE, LINE = 4_000_000, 1_000_000, 8_192  # bytes: of one look; back from the end at the first; of a line
MOST_ITEMS, MOST_ROWS, TOLD = 5_000, 2_000, 200
SAID = 300  # characters of a server's words
ID = rb"<probe\.([a-z2-7]{%d})@[^<>\s]*>" % return_address.LONG
WHEN = (
    rb"(?:\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\S+) "  # at the beginning: a Message-ID may look like a line
)
POSTFIX = re.compile(WHEN + rb"\S+ postfix/([\w/-]+)\[\d+\]: (\w+): (?:message-id=" + ID + rb"|(to=<.*))")
DELIVERY = re.compile(rb"to=<([^<>]*)>, .*?\bdsn=(\d\.\d+\.\d+), status=(\w+)(?: \((.*?)\)?)?$")
DOVECOT = re.compile(
    WHEN + rb"lmtp\(([^()]+)\)(?:<[^<>]*>)*: Info: (?:sieve: )?msgid=" + ID + rb": (?:[a-z]+ action: )?(.*)"
)
STORED = re.compile(rb"(?:stored mail into mailbox '(.*)'|saved mail to (.*))$")
ENDS = {b"sent": "outside", b"bounced": "refused", b"expired": "refused", b"deferred": "waiting"}

Row = dict[str, Any]


class Tail:
    """The lines that a file got since it was last asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file, self.at, self.rest = -1, 0, b""

    def lines(self) -> Iterator[bytes]:
        """Whole ones. None of a file that is not there."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            stat = os.fstat(file.fileno())
            if stat.st_ino != self.file or stat.st_size < self.at:
                self.at = max(0, stat.st_size - BEFORE) if self.file == -1 else 0
                self.file, self.rest = stat.st_ino, b""
            file.seek(self.at)
            new = file.read(AT_ONCE)
        self.at += len(new)
        *whole, self.rest = (self.rest + new).split(b"\n")
        self.rest = self.rest[-LINE:]
        yield from (one[:LINE] for one in whole)


class ProbeLog:
    """Rows wait until somebody says that they are taken; above 2,000 the oldest go."""

    def __init__(self, folder: Path) -> None:
        self.dovecot, self.postfix = Tail(folder / "dovecot.log"), Tail(folder / "postfix.log")
        self.items: OrderedDict[bytes, bytes] = OrderedDict()  # Postfix's queue id → token
        self.rows: deque[Row] = deque(maxlen=MOST_ROWS)
        self.lock, self._number = threading.Lock(), 0

    def take(self, taken: int) -> list[Row]:
        """The oldest rows after `taken`; that, and all before it, is kept no more."""
        with self.lock:
            while self.rows and self.rows[0]["number"] <= taken:
                self.rows.popleft()
            for line in self.postfix.lines():
                self._postfix(line)
            for line in self.dovecot.lines():
                self._dovecot(line)
            return list(islice(self.rows, TOLD))

    def _postfix(self, line: bytes) -> None:
        found = POSTFIX.match(line)
        if found is None:
            return
        service, item, token, delivery = found.groups()
        if token:
            self.items[item] = token
            if len(self.items) > MOST_ITEMS:
                self.items.popitem(last=False)
        elif item in self.items and (said := DELIVERY.match(delivery)):
            to, status, state, words = said.groups()
            on_its_way = state == b"sent" and (service == b"lmtp" or service.startswith(b"srs/"))
            if not on_its_way and state in ENDS:
                self._add(self.items[item], ENDS[state], to, status=status, said=words or b"")

    def _dovecot(self, line: bytes) -> None:
        found = DOVECOT.match(line) if b"msgid=<probe." in line else None
        if found is None:
            return
        user, token, words = found.groups()
        if stored := STORED.match(words):
            self._add(token, "mailbox", user, folder=stored[1] or stored[2])
        elif words.lower().startswith(b"marked message to be discarded"):
            self._add(token, "discarded", user)

    def _add(self, token: bytes, what: str, address: bytes, *, folder: bytes = b"", status: bytes = b"",
             said: bytes = b"") -> None:  # fmt: skip
        self._number = max(self._number + 1, time.time_ns())  # no two alike, over restarts too
        self.rows.append({
            "number": self._number, "at": round(time.time(), 3), "token": token.decode(), "what": what,
            "address": _text(address).lower(), "folder": _text(folder), "status": status.decode(), "said": _text(said),
        })  # fmt: skip


def _text(raw: bytes) -> str:
    return plain(raw.decode(errors="replace"))[:SAID]
