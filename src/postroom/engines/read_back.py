"""Ask the running daemons whether they serve what was compiled. Never our files, never the database.

Answers per object: it agrees, it does not agree yet, or it is not known (a daemon hangs, fails, or has not read as far
as the generation the object was written in). Only the first is evidence enough to take it off the list.
- maps: one `postmap -q -` each through the running proxymap, and the generation of maps.db that it reads;
- accounts: `doveadm user` and `auth lookup`; 67 is gone, 75 is not known; app passwords cannot be looked up, so the
  evidence for those is the generation of secrets.db that the running auth reads, and which of them are in it;
- consents and the keys of tokens by who looks at tokens (read_tokens.py); to where filters may pass mail on by the
  milter, which judges it (read_allowed.py); who opens whose mailbox by Dovecot's rights (read_opens.py);
- one address a domain by RCPT TO; sessions of those who ended by `who`; keys, and who writes on whose behalf, by the
  milter's status.
"""

import datetime
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import asking, probe, read_allowed, read_behalf, read_opens, read_signing, read_tokens
from .asking import GONE, Answer, ParentAway
from .doveadm import Doveadm, DoveadmAway
from .expected import Expected
from .layout import NodeConfig
from .milter_status import milter_status
from .one_device import signed_in_by
from .source import Evidence

Finding = Literal["agrees", "differs", "not known"]


@dataclass
class ReadBack:
    """About one object."""

    todo: int
    finding: Finding = "agrees"
    why: list[str] = field(default_factory=list)
    evidence: Evidence = field(default_factory=list)

    def differs(self, why: str) -> None:
        self.finding = "not known" if self.finding == "not known" else "differs"
        self.why.append(why)

    def unknown(self, why: str) -> None:
        self.finding = "not known"
        self.why.append(why)


@dataclass
class Round:
    """One read-back of a batch. `generations` are those the batch was written in; `apps`: the app passwords that
    secrets.db holds by then, by their addresses, and `consents` those of maps.db; `ending`: those whose sessions are
    not all gone, with theirs."""

    config: NodeConfig
    doveadm: Doveadm
    generations: dict[str, int]
    expected: Sequence[Expected]
    closing: Collection[str] = ()  # accounts with sessions that should have ended
    apps: Mapping[str, set[str]] = field(default_factory=dict)
    consents: Mapping[str, set[str]] = field(default_factory=dict)
    ending: Mapping[str, str] = field(default_factory=dict)
    results: dict[int, ReadBack] = field(default_factory=dict)

    def run(self) -> list[ReadBack]:
        self.results = {one.todo.todo: ReadBack(one.todo.todo) for one in self.expected}
        for step in (self._maps, self._accounts, self._recipients, self._sessions, self._old_sessions, self._keys):
            step()
        read_tokens.judge(self)
        read_allowed.judge(self)
        read_opens.judge(self)
        return list(self.results.values())

    # Postfix

    def _maps(self) -> None:
        canary = self.ask({"ask": "map", "map": "canary", "keys": ["gen"]})
        read = _number(canary.get("found", {}).get("gen"))
        self.judge_generation("postfix proxymap", "maps", read, canary, self.expected)
        if read < 0:
            return  # it hangs or fails: asking for each map would only take as long each time
        names = sorted({name for one in self.expected for name in (*one.has, *one.lacks)})
        for name in names:
            these = [one for one in self.expected if name in one.has or name in one.lacks]
            keys = sorted({key for one in these for key, _ in (*one.has.get(name, ()), *one.lacks.get(name, ()))})
            answer = self.ask({"ask": "map", "map": name, "keys": keys})
            for one in these:
                self._judge_map(one, name, answer)

    def _judge_map(self, one: Expected, name: str, answer: Answer) -> None:
        result = self.results[one.todo.todo]
        has, lacks = one.has.get(name, set()), one.lacks.get(name, set())
        if answer.get("code") not in (0, 1):
            result.unknown(f"postfix did not answer for {name}: {_short(answer)}")
            return
        found = {key: value.split(",") for key, value in answer.get("found", {}).items()}
        mine = {key: found.get(key, []) for key, _ in sorted(has | lacks)}
        for key, value in sorted(has):
            if value not in mine[key]:
                result.differs(f"postfix {name} {key}: {value} missing")
        for key, value in sorted(lacks):
            if value in mine[key]:
                result.differs(f"postfix {name} {key}: {value} still there")
        self.add(result, f"postmap -q {name}", mine, "postfix proxymap")

    # Dovecot

    def _accounts(self) -> None:
        canary = self.ask({"ask": "login", "addresses": [self.config.system_login]})
        rows = canary.get("rows") or [None]
        read = _number((rows[0] or {}).get("gen"))
        touched = [o for o in self.expected if o.logins or o.no_logins or _has(o, "secrets") or o.closed or o.ended]
        self.judge_generation("dovecot auth", "secrets", read, canary, touched)
        if read < 0:
            for one in self.expected:
                if one.accounts or one.no_accounts:
                    self.results[one.todo.todo].unknown(f"dovecot auth did not answer: {_short(canary)}")
            return
        self._look_up("user", "accounts", "no_accounts", "maps")
        self._look_up("login", "logins", "no_logins", "secrets")
        if read >= self.generations["secrets"]:
            for one in self.expected:
                self._app_passwords(one)

    def _look_up(self, sort: str, present: str, absent: str, file: str) -> None:
        there = sorted({address for one in self.expected for address in getattr(one, present)})
        gone = sorted({address for one in self.expected for address in getattr(one, absent)})
        addresses = sorted({*there, *gone})
        if not addresses:
            return
        answer = self.ask({"ask": sort, "addresses": addresses})
        rows = dict(zip(addresses, answer.get("rows", []), strict=False))
        for one in self.expected:
            for address in sorted(getattr(one, present) | getattr(one, absent)):
                self._judge_account(one, sort, address, address in getattr(one, present), answer, rows, file)

    def _judge_account(self, one: Expected, sort: str, address: str, wanted: bool, answer: Answer,
                       rows: dict[str, Answer | None], file: str) -> None:  # fmt: skip
        result, row = self.results[one.todo.todo], rows.get(address)
        if answer.get("code") not in (0, GONE) or address not in rows:
            result.unknown(f"dovecot did not answer for {sort} {address}: {_short(answer)}")
            return
        if wanted and row is None:
            result.differs(f"dovecot {sort} {address}: not there")
        elif not wanted and row is not None:
            result.differs(f"dovecot {sort} {address}: still there")
        elif row is not None and _number(row.get("gen")) < self.generations[file]:
            result.unknown(f"dovecot {sort} {address}: it has read {file} {row.get('gen')}")
        self.add(result, f"doveadm {sort} {address}", row or "not there", "dovecot auth")

    def _app_passwords(self, one: Expected) -> None:
        """Of each address those in the generation that auth reads; and no session of one that is not."""
        result, addresses = self.results[one.todo.todo], {*one.apps, *(address for address, _ in one.ended)}
        for address in sorted(addresses):
            here = sorted(self.apps.get(address, ()))
            if set(here) != one.apps.get(address, set()):
                result.differs(f"app passwords of {address} in secrets.db: {', '.join(here) or 'none'}")
            self.add(result, f"app passwords of {address}", here, "secrets.db")
        for cred, address in self.ending.items():
            if address in addresses:
                result.differs(f"{signed_in_by(cred)} may still have sessions")

    # Both, from outside

    def _recipients(self) -> None:
        """One address a domain: the way mail takes, not only the map."""
        sample: dict[str, tuple[Expected, str]] = {}
        for one in self.expected:
            for address in sorted(one.accounts):
                sample.setdefault(address.rpartition("@")[2], (one, address))
        if not sample:
            return
        chosen = list(sample.values())[: probe.KNOWN_A_SESSION]
        hosted = self.ask({"ask": "map", "map": "domain", "keys": sorted(sample)})
        try:
            answers = probe.recipients(self.config.address, self.config.ports.smtp, [address for _, address in chosen])
        except probe.NoAnswer as error:
            for one, _ in chosen:
                self.results[one.todo.todo].unknown(f"postfix smtpd: {error}")
            return
        for one, address in chosen:
            result, said = self.results[one.todo.todo], answers[address]
            if not said.startswith("250") and address.rpartition("@")[2] in hosted.get("found", {}):
                result.differs(f"RCPT TO {address}: {said}")
            self.add(result, f"RCPT TO:<{address}>", said, "postfix smtpd")

    def _sessions(self) -> None:
        closed = sorted({address for one in self.expected for address in one.closed})
        if not closed:
            return
        try:
            sessions = self.doveadm.who(closed)
        except DoveadmAway as error:
            for one in self.expected:
                if one.closed:
                    self.results[one.todo.todo].unknown(f"dovecot who: {error}")
            return
        for one in self.expected:
            for address in sorted(one.closed):
                result = self.results[one.todo.todo]
                if address in sessions:
                    result.differs(f"{address} still has sessions: {', '.join(sessions[address])}")
                self.add(result, f"who {address}", sessions.get(address, []), "dovecot anvil")

    def _old_sessions(self) -> None:
        """Of accounts that may sign in, whether what was open when its sessions were ended is gone: the agent saw to it
        by `who` (agent_loop.py)."""
        for one in self.expected:
            for address in sorted(one.open):
                result, left = self.results[one.todo.todo], address in self.closing
                if left:
                    result.differs(f"{address} still has sessions of before")
                said = ["not all gone"] if left else []
                self.add(result, f"sessions of before {address}", said, "dovecot anvil")

    # The milter

    def _keys(self) -> None:
        touched = [
            one for one in self.expected
            if one.signing or one.not_signing or one.has.get("sender") or one.lacks.get("sender")
            or one.behalf or one.no_behalf
        ]  # fmt: skip
        if not touched:
            return
        domains = sorted({d for one in touched for d in one.signing} | {d for o in touched for d, _ in o.not_signing})
        status = milter_status(self.config, domains, sorted({p for o in touched for p in (*o.behalf, *o.no_behalf)}))
        for one in touched:
            file = "keys" if one.signing or one.not_signing else "maps"
            self.judge_generation("milter", file, _number(status.get(file)), status, [one])
            read_signing.judge(self, one, status)
            read_behalf.judge(self, one, status)

    # All

    def judge_generation(self, server: str, file: str, read: int, answer: Answer, these: Iterable[Expected]) -> None:
        for one in these:
            result = self.results[one.todo.todo]
            if read < 0:
                result.unknown(f"{server} did not answer: {_short(answer)}")
            elif read < self.generations[file]:
                result.unknown(f"{server} has read {file} {read}, not yet {self.generations[file]}")
            else:
                self.add(result, f"generation of {file}", read, server)

    def ask(self, question: dict[str, Any]) -> Answer:
        try:
            return asking.ask(self.config, question)
        except ParentAway as error:
            return {"error": str(error)}

    def add(self, result: ReadBack, question: str, answer: Any, server: str) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        where = f"{server} at {self.config.address}"
        result.evidence.append({"question": question, "answer": answer, "server": where, "at": now})


def _has(one: Expected, file: str) -> bool:
    return bool((one.todo.compiled or {}).get(file))


def _number(text: Any) -> int:
    """-1 for none."""
    return int(text) if isinstance(text, int) or (isinstance(text, str) and text.isdigit()) else -1


def _short(answer: Answer) -> str:
    return json.dumps(answer)[:200]
