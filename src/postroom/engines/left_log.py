"""By which way mail left, as this node's logs say it: from which address of ours, to where outside, when last.

Nothing else is taken from them: no subject, no sender, no Message-ID. Of Postfix's lines:

    postfix/virtual[2449]: 4jdA: to=<out@far.example>, orig_to=<all@acme.example>, …, status=sent (…)
                                          it left
    postfix/srs/smtp[2441]: 4jdB: to=<out@…>, orig_to=<all@…>, …, status=sent (250 2.0.0 Ok: queued as 4jdC)
    postfix/forwards/smtpd[2448]: 4jdC: client=…
                                          a round: it comes by again, under another id
    postfix/forwarded/smtp[2460]: 4jdC: to=<out@…>, …, status=sent (250 …)
                                          and left

of what is handed to another server, by a round of its own, under the address it came to:

    postfix/srs/smtp[2441]: 4jdE: to=<fax@acme.example>, …, status=sent (250 2.0.0 Ok: queued as 4jdF)
    postfix/handed/smtp[2470]: 4jdF: to=<fax@acme.example>, relay=mx.far.example[192.0.2.9]:25, …, status=sent (250 …)

and of the milter's, of what a filter sends:

    … postroom.milter INFO 4jdD: filter of mia@acme.example: passes on

What is under way, where was read to, and what nobody has taken yet is kept in a file, so that a restart loses nothing.
Where something is lost (a log was rotated away unread, or there was more than is kept), `since` moves up to then: of
the time before nothing is said.
"""

import json
import logging
import os
import re
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .kept_tail import KeptTail
from .sign_in_log import plain

log = logging.getLogger("postroom.node")
MOST_ITEMS, MOST_WAYS, TOLD = 5_000, 5_000, 1_000
BEHIND = 600.0  # seconds that the line of a round may come after those of what it became
WHEN = rb"(\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\S+)"
ADDRESS = rb"([^<>\s]{1,320})"
ROUND = re.compile(WHEN + rb" \S+ postfix/forwards/smtpd\[\d+\]: (\w+): client=")
# A server's own words stand in brackets, after the status.
SENT = re.compile(
    WHEN + rb" \S+ postfix/([\w/-]+)\[\d+\]: (\w+): to=<" + ADDRESS + rb">, (?:orig_to=<" + ADDRESS
    + rb">, )?(?:relay=([\w.-]{1,253})\[[\da-f.:]+\]:(\d{1,5}), )?[^(]*\bstatus=sent(?: \(.* queued as (\w+)\)$)?"
)  # fmt: skip
GONE = re.compile(WHEN + rb" \S+ postfix/qmgr\[\d+\]: (\w+): removed$")
FILTER = re.compile(rb"[\d-]{10} [\d:,]{8,12} postroom\.milter INFO (\w+): filter of " + ADDRESS + rb": passes on$")

Row = dict[str, Any]
Way = tuple[str, str, str]  # to whom it was sent first, or empty; to where it left; whose filter sent it, or empty


@dataclass
class Item:
    """One in Postfix's queue. by: whose filter sent it; of one that goes round, empty. of: recipient → whose it was;
    left: recipient → when, of those of whom that is not said yet. handed: the same, with the server that took it. gone:
    it is no more in the queue."""

    by: str = ""
    of: dict[str, list[list[str]]] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)
    handed: dict[str, tuple[str, float]] = field(default_factory=dict)
    gone: bool = False

    def newest(self) -> float:
        """When it left last, of what nobody has said whose it was."""
        return max([0.0, *self.left.values(), *(at for _, at in self.handed.values())])


class LeftLog:
    """Asked by the agent. folder: of the logs. file: where it keeps what it must not forget."""

    def __init__(self, folder: Path, file: Path) -> None:
        self.postfix, self.milter = KeptTail(folder / "postfix.log"), KeptTail(folder / "milter.log")
        self.file, self.lock = file, threading.Lock()
        self.since, self.number, self.lost = 0.0, 0, ""  # lost: why, while it is read
        self.newest = 0.0  # of the lines that were read
        self.items: OrderedDict[str, Item] = OrderedDict()
        self.ways: OrderedDict[Way, float] = OrderedDict()
        self.batch: list[Row] = []
        self._restore()

    def take(self, taken: int) -> Row:
        """What left after batch `taken`, which is kept no more. {number, rows: [{source, to, by, at}], since, upto};
        upto: when it had read all there is, nothing while it has not. Times are seconds since 1970."""
        with self.lock:
            if taken == self.number:
                self.batch = []
            upto: float | None = time.time()
            self._read()
            if not self.batch:
                self.number = max(self.number + 1, time.time_ns())
                self.batch = [_row(*self.ways.popitem(last=False)) for _ in range(min(TOLD, len(self.ways)))]
            if self.ways or self.postfix.behind or self.milter.behind:
                upto = None
            self._keep()
            return {"number": self.number, "rows": self.batch, "since": self.since, "upto": upto}

    # Lines

    def _read(self) -> None:
        """Postfix's first: of what has left, the milter has said by then whose filter sent it."""
        lines = list(self.postfix.lines())
        for line in self.milter.lines():
            if found := FILTER.match(line):
                self._item(found[1].decode()).by = _text(found[2])
        if self.milter.behind and lines:
            self.lost = "what filters passed on is read later than what left"
        for line in lines:
            self._line(line)
        self._overdue()
        if self.postfix.lost or self.milter.lost:
            self.postfix.lost = self.milter.lost = False
            self.lost = "lines of a log are not there any more"
        if self.lost:
            log.warning("by which way mail left is known from now on only: %s", self.lost)
            self.since, self.lost = time.time(), ""

    def _line(self, line: bytes) -> None:
        if b"status=sent" in line and (found := SENT.match(line)):
            when, service, id, to, first, host, port, onward = found.groups()
            at = _moment(when.decode())
            self.newest = max(self.newest, at)
            if service.startswith((b"handed/", b"handed-tls/")):
                self._is_handed(id.decode(), _text(to), b"%s:%s" % (host or b"", port or b""), at)
            elif service.startswith(b"srs/"):
                self._goes_round(id.decode(), _text(to), _text(first or b""), (onward or b"").decode())
            else:
                self._leaves(id.decode(), _text(to), _text(first or b""), at)
        elif b"postfix/forwards/smtpd[" in line and (found := ROUND.match(line)):
            self._item(found[2].decode())
        elif line.endswith(b": removed") and (found := GONE.match(line)):
            id = found[2].decode()
            if id in self.items:
                self.items[id].gone = True
                self._let_go(id)

    def _goes_round(self, id: str, to: str, first: str, onward: str) -> None:
        by = self.items[id].by if id in self.items else ""
        if not onward:
            return
        item = self._item(onward)
        item.of.setdefault(to, []).append([first, by])
        if to in item.handed:
            server, at = item.handed.pop(to)
            self._way(first or to, server, by, at)
        if to in item.left:  # it was quicker than who logs
            self._way(first, to, by, item.left.pop(to))
        self._let_go(onward)

    def _is_handed(self, id: str, to: str, server: bytes, at: float) -> None:
        """Whose it was the round has said, or will: of one that came to nobody else first, its own."""
        item, taken_by = self._item(id), _text(server)
        for first, by in item.of.get(to, []):
            self._way(first or to, taken_by, by, at)
        if to not in item.of:
            item.handed[to] = (taken_by, at)

    def _leaves(self, id: str, to: str, first: str, at: float) -> None:
        item = self.items.get(id)
        if item is not None and not item.by:
            for whose, by in item.of.get(to, []):
                self._way(whose, to, by, at)
            if to not in item.of:
                item.left[to] = at
        elif first or item is not None:
            self._way(first, to, item.by if item else "", at)

    def _item(self, id: str) -> Item:
        item = self.items.setdefault(id, Item())
        if len(self.items) > MOST_ITEMS:
            self.items.popitem(last=False)
            self.lost = f"more than {MOST_ITEMS} messages are under way"
        return item

    def _let_go(self, id: str) -> None:
        item = self.items[id]
        if item.gone and not item.left and not item.handed:
            del self.items[id]

    def _way(self, first: str, to: str, by: str, at: float) -> None:
        if not (first or by):
            return  # nobody's: it was sent straight there
        self.ways[first, to, by] = max(at, self.ways.get((first, to, by), 0.0))
        if len(self.ways) > MOST_WAYS:
            self.ways.popitem(last=False)
            self.lost = f"more than {MOST_WAYS} ways that nobody took"

    def _overdue(self) -> None:
        """What has left and nobody said whose it was: it was no round's."""
        before = self.newest - BEHIND
        for id in [id for id, one in self.items.items() if one.gone and one.newest() < before]:
            del self.items[id]

    # What is kept

    def _keep(self) -> None:
        kept = {
            "since": self.since, "handed": True, "number": self.number, "batch": self.batch,
            "postfix": self.postfix.kept(), "milter": self.milter.kept(),
            "items": [[id, asdict(item)] for id, item in self.items.items()],
            "ways": [[*way, at] for way, at in self.ways.items()],
        }  # fmt: skip
        beside = self.file.with_name(f".{self.file.name}")
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            json.dump(kept, file)
        beside.rename(self.file)

    def _restore(self) -> None:
        """Without what an earlier process kept, all begins now."""
        try:
            kept = json.loads(self.file.read_text())
            self.postfix.restore(kept["postfix"])
            self.milter.restore(kept["milter"])
            if not kept.get("handed"):
                self.lost = "what is handed to other servers was not read before"
            self.since, self.number, self.batch = float(kept["since"]), int(kept["number"]), list(kept["batch"])
            self.items = OrderedDict((id, Item(**item)) for id, item in kept["items"])
            self.ways = OrderedDict(((first, to, by), at) for first, to, by, at in kept["ways"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.info("by which way mail left is known from now on: %s", error)
            self.items, self.ways, self.batch, self.since = OrderedDict(), OrderedDict(), [], time.time()
            for tail in (self.postfix, self.milter):
                tail.begin()


def _row(way: Way, at: float) -> Row:
    first, to, by = way
    return {"source": first, "to": to, "by": by, "at": at}


def _moment(said: str) -> float:
    """When a line was written. Without a year it is the newest that is not to come; local time, as Postfix's is."""
    now = time.time()
    try:
        if said[0].isdigit():
            return min(now, datetime.fromisoformat(said).timestamp())
        for year in (time.localtime(now).tm_year, time.localtime(now).tm_year - 1):
            at = time.mktime(time.strptime(f"{year} {said}", "%Y %b %d %H:%M:%S"))
            if at < now + 3600:
                return min(now, at)
    except ValueError:
        pass
    return now


def _text(raw: bytes) -> str:
    return plain(raw.decode(errors="replace")).lower()
