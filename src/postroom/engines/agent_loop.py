"""The agent's work: one round after another, and what is waited for between them (agent.py says what it is for)."""

import hashlib
import json
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from types import FrameType
from uuid import UUID

from . import asking, by_time, compile, digests, expected, maps, one_device
from .asking import ParentAway
from .doveadm import Doveadm
from .ending import Ending
from .filters import Filters
from .heartbeat import Heartbeat
from .layout import NodeConfig
from .own_keys import doveadm_api_key
from .read_back import ReadBack, Round
from .seen import Seen
from .source import Compiled, Evidence, Source, SourceAway, Todo

log = logging.getLogger("postroom.agent")
POLL = 5.0  # NOTIFY may be lost; so often it is asked anyway
AT_ONCE = 1000
EVERYTHING = 1_000_000  # the first fill is written before any daemon runs, so nothing can be acknowledged between
SLOWEST = 30.0
ALARM = 60.0
DIGEST_EVERY, DIGEST_SHARE = 60.0, 10  # seconds; and of what a reading takes, so many times as long a rest


class Agent:
    def __init__(self, config: NodeConfig, source: Source, files: maps.Files) -> None:
        self.config, self.source, self.files = config, source, files
        self.doveadm = Doveadm(config.address, config.ports.doveadm, doveadm_api_key(config))
        self.heartbeat = Heartbeat(config)
        self.seen = Seen(config)
        self.ending, self.filters = Ending(config, files), Filters(config, files, self.doveadm)
        self.written: dict[UUID, str] = {}  # object → digest of what the files have of it
        self.gone: dict[str, expected.Gone] = {}  # object id → rows it lost, until that is acknowledged
        self.refused: dict[int, str] = {}
        self.since: dict[int, float] = {}  # todo → first seen
        self.to_look: set[int] = set()  # todo by which it is asked to look at scripts
        self.own: Compiled = {}
        self.next_digest = time.monotonic() + 5
        self.again, self.ended_until = 1.0, 0.0
        self.writing, self.over = False, False

    # Start and end

    def fill(self) -> None:
        """Everything this node serves, before anybody reads it. Raises SourceAway."""
        self.source.rebuild()
        todo = self.source.pull(EVERYTHING)
        log.info("filling with %d objects", len(todo))
        self.write(todo)
        for one in self.files:
            one.mark("filled", str(time.time()))

    def write_own_rows(self) -> None:
        """The system sender: the control plane's own mail, which may be from one address."""
        if not self.config.system_hash.exists():
            return
        login, sender = self.config.system_login, self.config.notices_from
        password = {"address": login, "hash": self.config.system_hash.read_text().strip()}
        self.own = {
            "maps": {
                "mailbox": [{"address": login}],
                "login": [{"address": login, "sign_in": 1, "access_epoch": 0}],
                "sender": [{"sender": sender, "login": login}],
            },
            "secrets": {"password": [password]},
        }
        compile.write(self.files, [Todo(0, "address", UUID(compile.NODE_ITSELF), None, self.own)])

    def stop(self, number: int, frame: FrameType | None) -> None:
        """A batch that is being written is finished first. Whatever else goes on may be left: what is not acknowledged
        stays on the list, and a question to a daemon that is going too would only take time."""
        self.over = True
        if not self.writing:
            leave()

    def run(self) -> None:
        self.seen.sieve.start()
        while not self.over:
            try:
                left = self.round()
            except sqlite3.OperationalError as error:  # locked or no room: nothing was written, it is tried again
                log.error("files: %s", error)
                left = 1
            self.beat()
            self.source.wait(self.pause(left))
        leave()

    def refill(self) -> None:
        """A file that has grown lacks what an older agent never wrote: all is asked for again. Raises SourceAway."""
        if grown := [one for one in self.files if one.marked(maps.GROWN) == maps.YES]:
            self.source.rebuild()
            for one in grown:
                one.mark(maps.GROWN, maps.NO)

    # One round

    def round(self) -> int:
        """What is left on the list that was seen; -1 if the control plane is away."""
        self.end_by_time()
        try:
            self.refill()
            todo = self.answer(self.source.pull(AT_ONCE))
        except SourceAway:
            self.kick()
            return -1
        if not self.write(todo):
            self.kick()
        self.seen.sieve.look_now(self.to_look)  # after what came back was written
        read = self.read_back(todo)
        agreed = [(one.todo, one.evidence) for one in read if one.finding == "agrees"]
        try:
            self.source.ack(agreed)
        except SourceAway:
            return -1
        self.forget({todo for todo, _ in agreed}, todo)
        self.doubt(read, todo)
        self.tell(read)
        return len(todo) - len(agreed)

    def answer(self, todo: Sequence[Todo]) -> list[Todo]:
        """Say what is in the buckets that are asked for, and see to the node's own rows. What else is on the list;
        raises SourceAway."""
        for one in todo:
            if one.object == "bucket":
                self.report("objects", [self.objects(one.id.hex[-2:])])
                self.source.ack([(one.todo, [])])
            elif one.object == "node":
                self.source.ack([(one.todo, self.own_again())])
        self.to_look = {one.todo for one in todo if one.object == "scripts"}
        return [one for one in todo if one.object not in ("bucket", "node", "scripts")]

    def own_again(self) -> Evidence:
        """The node's own rows as they shall be, and nothing that has an id nobody ever gave out."""
        self.write_own_rows()
        taken = compile.strays(self.files)
        generations = {f"generation of {name}": number for name, number in self.files.generations().items()}
        said = {**generations, "rows without an id of anybody": f"{taken} were taken out"}
        return [{"question": question, "answer": answer, "server": "agent"} for question, answer in said.items()]

    def write(self, todo: Sequence[Todo]) -> bool:
        """Whether anything was new; then the sessions that ended with it were ended too, or that waits for Dovecot."""
        fresh: list[Todo] = []
        for one in todo:
            seen = one.todo in self.since  # what is new on the list is held against the files, whatever we wrote before
            self.since.setdefault(one.todo, time.time())
            if (seen and self.written.get(one.id) == digest(one.compiled)) or one.todo in self.refused:
                continue
            try:
                compile.checked(one.compiled or {})
                fresh.append(one)
            except compile.RowRefused as error:
                log.error("%s %s: %s", one.object, one.id, error)
                self.refused[one.todo] = str(error)
        if not fresh:
            return False
        self.writing = True
        try:
            closed = compile.write(self.files, fresh, between=self.kick)
        finally:
            self.writing = False
        if self.over:
            leave()
        for id, rows in closed.gone.items():
            self.gone[id] = self.gone.get(id, {}) | rows
        self.written |= {one.id: digest(one.compiled) for one in fresh}
        log.info("wrote %d objects: %s", len(fresh), self.files.generations())
        return True

    def end_by_time(self) -> None:
        now = time.time()
        compile.close(self.files, by_time.ended_between(self.files, self.ended_until, now))
        compile.close_credentials(self.files, by_time.credentials_ended_between(self.files, self.ended_until, now))
        self.ended_until = now

    def kick(self) -> None:
        one_device.end_all(self.config, self.files, self.doveadm)
        self.ending.kick(self.doveadm)

    def read_back(self, todo: Sequence[Todo]) -> list[ReadBack]:
        asked = [one for one in todo if one.todo not in self.refused]
        if not asked:
            return []
        wanted = [expected.of(one, self.gone.get(str(one.id), {})) for one in asked]
        addresses = {address for one in wanted for address in (*one.apps, *(whose for whose, _ in one.ended))}
        letting = {address for one in wanted for address in (*one.consents, *(whose for whose, _ in one.withdrawn))}
        read = Round(
            self.config, self.doveadm, self.files.generations(), wanted, compile.closing(self.files),
            compile.app_passwords(self.files, addresses), compile.consents(self.files, letting),
            compile.closing_credentials(self.files),
        ).run()  # fmt: skip
        return self.filters.judge(asked, read)

    def forget(self, agreed: set[int], todo: Sequence[Todo]) -> None:
        for one in todo:
            if one.todo in agreed:
                self.since.pop(one.todo, None)
                self.gone.pop(str(one.id), None)
        if len(todo) < AT_ONCE:  # the whole list: what is not on it was taken off elsewhere
            listed = {one.todo for one in todo}
            self.since = {number: at for number, at in self.since.items() if number in listed}
            self.refused = {number: why for number, why in self.refused.items() if number in listed}

    def doubt(self, read: Sequence[ReadBack], todo: Sequence[Todo]) -> None:
        """What a daemon answers otherwise than it was written may be so in the files: somebody else was at them. It is
        held against them again; where they are as they shall be, nothing is written."""
        differ = {one.todo for one in read if one.finding == "differs"}
        for one in todo:
            if one.todo in differ:
                self.written.pop(one.id, None)

    def tell(self, read: Sequence[ReadBack]) -> None:
        """What waits, and why; after a minute it is an alarm. A proxymap that hangs gets a new Postfix."""
        waiting = [one for one in read if one.finding != "agrees"]
        for one in waiting[:20]:
            log.info("todo %d %s: %s", one.todo, one.finding, "; ".join(one.why[:3]))
        if any("124" in why and "postfix" in why for one in waiting for why in one.why):
            self.restart("postfix")
        now = time.time()
        rows: list[dict[str, object]] = [
            {"todo": one.todo, "finding": one.finding, "why": "; ".join(one.why[:5])[:1000],
             "alarm": now - self.since.get(one.todo, now) > ALARM}
            for one in waiting
        ]  # fmt: skip
        rows += [{"todo": todo, "finding": "refused", "why": why, "alarm": True} for todo, why in self.refused.items()]
        if rows:
            self.report("waiting", rows)

    def restart(self, daemon: str) -> None:
        """A reload does not bring a hanging proxymap back, stop and start do (tried)."""
        log.error("%s hangs while the files are whole: restarting it", daemon)
        try:
            asking.ask(self.config, {"ask": "restart", "daemon": daemon}, timeout=40)
        except ParentAway as error:
            log.warning("no restart: %s", error)

    def beat(self) -> None:
        self.seen.hand_on(self.doveadm, self.source)
        if self.heartbeat.due_in() == 0:
            oldest = min(self.since.values(), default=None)
            self.report("heartbeat", [self.heartbeat.row(self.files.generations(), oldest, self.seen.sign_ins.guard)])
        if (began := time.monotonic()) >= self.next_digest:
            self.report("digest", [self.digest()])
            self.next_digest = began + max(DIGEST_EVERY, DIGEST_SHARE * (time.monotonic() - began))

    def objects(self, which: str) -> dict[str, object]:
        try:
            return {"bucket": which, "objects": digests.objects(self.config, which, self.own)}
        except sqlite3.Error as error:
            return {"failed": str(error)}

    def digest(self) -> dict[str, object]:
        try:
            return {"buckets": digests.buckets(self.config, self.own)}
        except sqlite3.Error as error:
            return {"failed": str(error)}

    def report(self, sort: str, rows: list[dict[str, object]]) -> None:
        try:
            self.source.report(sort, rows)
        except SourceAway as error:
            log.debug("not reported: %s", error)

    def pause(self, left: int) -> float:
        """Seconds until there is something to do without being told."""
        self.again = min(SLOWEST, self.again * 2) if left > 0 else 0.25
        times = [POLL if left <= 0 else self.again, self.heartbeat.due_in()]
        if compile.closing(self.files) or compile.closing_credentials(self.files):
            times.append(0.5)
        if left >= 0 and (self.seen.sieve.waiting or self.seen.sieve.asked):
            times.append(0.25)
        if (end := by_time.next_end(self.files, time.time())) is not None:
            times.append(end - time.time() + 0.05)
        return max(0.05, min(times))


def digest(compiled: Compiled | None) -> str:
    return hashlib.sha256(json.dumps(compiled, sort_keys=True).encode()).hexdigest()


def leave() -> None:
    logging.shutdown()
    os._exit(0)
