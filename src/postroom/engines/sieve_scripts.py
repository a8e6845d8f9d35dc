"""The agent's side of Sieve: every mailbox's scripts, read when they change and told to the control plane.

A thread of its own looks, so that nothing else of the agent's waits for a script that is slow to take apart. Where
nothing changed a look lists files and no more. A mailbox that changed is told whole; after each look one row says of
how many mailboxes it was, and which could not be read. Rows wait until they are heard.
"""

import base64
import hashlib
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from postroom.protocols import sieve

from . import asking
from .asking import ParentAway
from .layout import NodeConfig, packages
from .postfix_maps import LIVE
from .sieve_known import SieveKnown
from .source import Source

log = logging.getLogger("postroom.agent")
EVERY, SHARE, LATEST = 15.0, 20, 120.0  # seconds; of what a look takes so many times as long a rest, at most so long
TURN = 60.0  # seconds of one look; what changed and had no turn by then has it in the next
ALL_EVERY = 3600.0  # seconds; then all is told again: the control plane may have lost it
AT_ONCE = 200  # mailboxes of one question
MOST_TAKEN_APART = 32  # scripts of one mailbox; the one in force comes first
TEXT = 65_536  # bytes of a script that are told
TRIES = 3
HEAVY, MOST_REST = 0.25, 2.0  # seconds that one script took; then as long a rest, at most so long
MOST_WAITING, ROWS, BYTES, BATCHES = 32_000_000, 500, 1_000_000, 5  # bytes; of one report; reports of one turn
MAILBOXES = f"SELECT address FROM mailbox WHERE {LIVE} AND address <> ? ORDER BY address"

Said = dict[str, Any]


class SieveScripts:
    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self.rows: deque[Said] = deque()  # those that wait; appended to by the thread alone
        self.room = threading.Semaphore(MOST_WAITING // TEXT)  # a permit a row and 64 KB of text
        self.telling: list[Said] = []
        self.seen: dict[str, Said] = {}  # mailbox → its files as they were told
        self.tries: dict[str, int] = {}  # digest → how often it could not be tried
        self.all_again = 0.0
        self.on_list: set[int] = set()  # by which the node was asked to look at once, as its list has them
        self.asked: set[int] = set()  # those that no look was told for yet
        self.now = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="sieve", daemon=True).start()

    def hand_on(self, source: Source) -> None:
        """Some of what waits. Raises SourceAway: then it is told again."""
        for _ in range(BATCHES):
            self._fill()
            if not self.telling:
                return
            source.report("sieve", self.telling)
            self.telling = []

    @property
    def waiting(self) -> bool:
        return bool(self.telling or self.rows)

    def look_now(self, todos: set[int]) -> None:
        """What of the list asks for a look at once. It stays there until the look is told; it is begun once."""
        if new := todos - self.on_list:
            self.asked.update(new)
            self.now.set()
        self.on_list = todos

    def _fill(self) -> None:
        size = 0
        while self.rows and len(self.telling) < ROWS and size < BYTES:
            row = self.rows.popleft()
            size += _size(row)
            self.room.release(_permits(row))
            self.telling.append(row)

    # In the thread

    def _put(self, row: Said) -> None:
        for _ in range(_permits(row)):
            self.room.acquire()
        self.rows.append(row)

    def _run(self) -> None:
        reader = f"{sieve.VERSION} {packages(self.config)['dovecot']}"
        known = SieveKnown(self.config.sieve_known, reader)
        while True:
            began = time.monotonic()
            try:
                self.look(known)
            except (ParentAway, sqlite3.Error, OSError, ValueError) as error:
                log.warning("scripts were not all looked at: %s", error)
            self._rest(time.monotonic() - began)

    def _rest(self, took: float) -> None:
        """Until the next look is due, or one is asked for: of all its time it looks for half, whoever asks."""
        least = max(1.0, min(LATEST, took))
        time.sleep(least)
        self.now.wait(max(0.0, min(LATEST, max(EVERY, SHARE * took)) - took - least))

    def look(self, known: SieveKnown) -> None:
        """One look at every mailbox. Raises ParentAway, sqlite3.Error: then it is not said that there was one."""
        self.now.clear()
        began, until, asked = time.time(), time.monotonic() + TURN, frozenset(self.asked)
        if began >= self.all_again:
            self.seen, self.all_again = {}, began + ALL_EVERY
        mailboxes = self._mailboxes()
        listed = list(self._listed(mailboxes))
        unread = {row["address"]: row["why"] for row in listed if row["why"]}
        self.seen = {row["address"]: row for row in listed if self.seen.get(row["address"]) == row and not row["why"]}
        changed = [row for row in listed if not row["why"] and row["address"] not in self.seen]
        for row in sorted(changed, key=lambda row: len(row["scripts"])):  # many of one mailbox let the others go first
            if time.monotonic() > until:
                unread[row["address"]] = "its turn did not come yet"
            elif self._tell(row, known):
                self.seen[row["address"]] = row
        told = [{"login": login, "why": why} for login, why in sorted(unread.items())]
        whole = {"whole": True, "at": round(began, 3), "mailboxes": len(mailboxes), "unread": told}
        self._put({**whole, "asked": sorted(asked)})
        self.asked.difference_update(asked)

    def _mailboxes(self) -> list[str]:
        database = f"file:{self.config.database('maps')}?mode=ro"
        with closing(sqlite3.connect(database, uri=True, timeout=5)) as connection:
            return [row[0] for row in connection.execute(MAILBOXES, (self.config.system_login,))]

    def _listed(self, mailboxes: Sequence[str]) -> Iterator[Said]:
        for at in range(0, len(mailboxes), AT_ONCE):
            some = mailboxes[at : at + AT_ONCE]
            yield from self._ask({"ask": "sieve", "addresses": some}, "rows")

    def _tell(self, row: Said, known: SieveKnown) -> bool:
        """Whether that is all there is to say of the mailbox, until it changes."""
        at = round(time.time(), 3)
        ordered = sorted(row["scripts"], key=lambda one: (one["name"] != row["active"], one["name"]))
        scripts: list[Said] = []
        settled = True
        for n, one in enumerate(ordered):
            said = {**NOTHING, "name": _name(one["name"], scripts), "active": one["name"] == row["active"]}
            if one["why"] or n >= MOST_TAKEN_APART:
                said["unreadable"] = one["why"] or f"it is one of more than {MOST_TAKEN_APART} and was not looked at"
            else:
                said |= self._script(row["address"], one["name"], known)
            settled = said.pop("settled", True) and settled
            scripts.append(said)
        self._put({"login": row["address"], "at": at, "scripts": scripts})
        return settled

    def _script(self, address: str, name: str, known: SieveKnown) -> Said:
        answer = self._ask({"ask": "sieve text", "address": address, "name": name})
        if "text" not in answer:
            gone = {"unreadable": "it changed while it was read", "settled": False}
            return gone if "gone" in answer else {"unreadable": answer["why"]}
        raw = base64.b64decode(answer["text"])
        digest = hashlib.sha256(raw).hexdigest()
        told = {"digest": digest, "text": _storable(raw[:TEXT]), "cut": len(raw) > TEXT}
        return {**told, **(known.get(digest) or self._taken_apart(digest, raw, known))}

    def _taken_apart(self, digest: str, raw: bytes, known: SieveKnown) -> Said:
        began = time.monotonic()
        answer = self._ask({"ask": "sieve dump", "text": base64.b64encode(raw).decode()})
        if "dump" in answer:
            dump = base64.b64decode(answer["dump"]).decode("utf-8", "surrogateescape")
            read = sieve.read(dump, raw.decode("utf-8", "surrogateescape"))
            if (took := time.monotonic() - began) > HEAVY:
                time.sleep(min(took, MOST_REST))  # the agent's other thread has work too
            redirects = [{**asdict(one), "to": _plain(one.to)} for one in read.redirects]
            said = {"redirects": redirects, "vacation": read.vacation, "discards": read.discards,
                    "unreadable": _plain(read.unreadable)}  # fmt: skip
        else:
            said = {"unreadable": _plain(answer["why"])}
            if answer["again"]:
                self.tries[digest] = self.tries.get(digest, 0) + 1
                return {**said, "settled": self.tries[digest] >= TRIES}
        known.keep(digest, said)
        return said

    def _ask(self, question: Said, wanted: str = "") -> Any:
        answer = asking.ask(self.config, question)
        if "error" in answer or wanted not in ("", *answer):
            raise ParentAway(str(answer.get("error", "no answer")))
        return answer[wanted] if wanted else answer


NOTHING: Said = {
    "digest": "", "text": "", "cut": False, "unreadable": "", "redirects": [], "vacation": False, "discards": "",
}  # fmt: skip


def _size(row: Said) -> int:
    return sum(len(one["text"]) for one in row.get("scripts", ()))


def _permits(row: Said) -> int:
    return 1 + _size(row) // TEXT


def _name(name: str, others: Sequence[Said]) -> str:
    """As it can be stored and shown; another than the others', where two look alike then."""
    plain, taken = _plain(name), {one["name"] for one in others}
    return next(one for n in range(len(others) + 1) if (one := f"{plain} ({n + 1})" if n else plain) not in taken)


def _plain(text: str) -> str:
    """What cannot be printed (half a surrogate: bytes that are no UTF-8) stands as U+FFFD."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _storable(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")
