"""From *suspend this mailbox* to the old password refused and the live session gone, with its parts.

Ours: `mailboxes.suspend` by the API of a running demo installation, with its entry, delivery and read-back. Theirs:
the same by hand on the plain stack (bench/plain/): the line taken out of the passwd-file, `doveadm kick`, then a look
whether the running daemons agree. Seconds from the start:
- applied: the API has answered, the file is written;
- password refused: from here on, whoever signs in over IMAP with the old password is refused. It is tried from
  *applied* on, again and again, so this is late by up to one sign-in (some 50 ms). Theirs has half a second more:
  Dovecot looks whether a passwd-file is new once a second;
- session gone: an open IDLE has read BYE;
- verified: the change says so; auth and `who` know the account no more.
Medians of 20, in turns. No goal is set for the ratios. Usage: revoke.py [times], POSTROOM_TEST_STACK=<state folder>
"""

import imaplib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests"), str(CHECKOUT / "tests/engines")]

from live_node import BoundImap  # noqa: E402
from plain import Plain, plain  # noqa: E402

from postroom.protocols.passwords import HASHER  # noqa: E402
from world import Browser, Person, Stack, until  # noqa: E402

SECRET = "four plain words here"
PARTS = ("applied", "password refused", "session gone", "verified")
MAILBOXES = 4  # used in turns, so that one comes back while the others are measured
OTHERS = 60  # as many more as a demo has
WITHIN = 30
STARTED_WITHIN = 240


class Side(Protocol):
    at: tuple[str, int]
    mailboxes: list[str]

    def suspend(self, address: str) -> Any: ...
    def finish(self, address: str, asked: Any) -> None: ...
    def resume(self, address: str) -> None: ...


class Ours:
    def __init__(self, stack: Stack) -> None:
        self.at = stack.host_port("imaps")
        self.operator: Person = stack.person("operator@northlight.example")
        self.mailboxes = [f"bench{uuid.uuid4().hex[:8]}@acme.example" for _ in range(MAILBOXES)]
        params = [{"address": one, "contact": f"{n}@home.test"} for n, one in enumerate(self.mailboxes)]
        self.operator.verified(self.operator.change("mailboxes.create", params, "measured"))
        for one in self.mailboxes:
            (invite,) = self.operator.get(f"/invites?client=acme&mailbox={one}")["items"]
            link = self.operator.ask("POST", f"/invites/{invite['id']}/link", {"why": "measured"})["link"]
            browser = Browser()
            browser.open(link)
            browser.fill(password=SECRET)
            assert "recovery code" in browser.page, browser.page[:2000]

    def suspend(self, address: str) -> Any:
        change = self.operator.change("mailboxes.suspend", {"mailbox": address}, "measured")
        assert change["stage"] in ("applied", "verified"), change
        return change

    def finish(self, address: str, asked: Any) -> None:
        path = f"/changes/{asked['id']}"
        until("it is verified", lambda: self.operator.get(path)["stage"] == "verified", within=WITHIN, every=0.05)

    def resume(self, address: str) -> None:
        self.operator.verified(self.operator.change("mailboxes.resume", {"mailbox": address}, "measured"))


class Theirs:
    """The words an administrator types, one after another."""

    def __init__(self, stack: Plain, hashes: dict[str, str]) -> None:
        self.stack, self.hashes = stack, dict(hashes)
        self.taken_out: dict[str, str] = {}
        self.at = (stack.address, stack.ports.imaps)
        self.mailboxes = list(hashes)[:MAILBOXES]

    def suspend(self, address: str) -> Any:
        self.taken_out[address] = self.hashes.pop(address)
        self.stack.write_users(self.hashes)

    def finish(self, address: str, asked: Any) -> None:
        self.stack.doveadm("kick", address)
        until("auth does not know it", lambda: self.stack.doveadm("auth", "lookup", address)[0] == 67, every=0.05)
        until("nobody is signed in", lambda: address not in self.stack.doveadm("who", address)[1], every=0.05)

    def resume(self, address: str) -> None:
        self.hashes[address] = self.taken_out.pop(address)
        self.stack.write_users(self.hashes)


@dataclass
class Watch:
    """One suspension, seen from outside."""

    side: Side
    address: str
    parts: dict[str, float] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        phone = until("the owner is in", self._signed_in)
        phone.select("INBOX")
        phone.send(b"i1 IDLE\r\n")
        assert phone.readline().startswith(b"+")
        waiting = [self._line() for _ in range(4)]  # connected before, so that only the sign-in itself is timed
        start = time.monotonic()
        self._beside(self._until_gone, phone, start)
        asked = self.side.suspend(self.address)
        self.parts["applied"] = time.monotonic() - start
        self._beside(self._until_refused, waiting, start)
        self.side.finish(self.address, asked)
        self.parts["verified"] = time.monotonic() - start

    def over(self) -> dict[str, float]:
        """Its parts; the mailbox is open again afterwards."""
        for one in self.threads:
            one.join(WITHIN)
        assert set(self.parts) == set(PARTS), f"{self.address}: {self.parts}"
        self.side.resume(self.address)
        return self.parts

    def _beside(self, watch: Any, *given: Any) -> None:
        self.threads.append(threading.Thread(target=watch, args=given, daemon=True))
        self.threads[-1].start()

    def _until_gone(self, phone: imaplib.IMAP4, start: float) -> None:
        for line in iter(phone.readline, b""):
            if line.startswith(b"* BYE"):
                break
        self.parts["session gone"] = time.monotonic() - start
        phone.shutdown()

    def _until_refused(self, waiting: list[BoundImap], start: float) -> None:
        while "password refused" not in self.parts:
            line = waiting.pop() if waiting else self._line()
            sent = time.monotonic() - start
            try:
                line.login(self.address, SECRET)
            except imaplib.IMAP4.abort:  # signed in, and kicked before it was told
                pass
            except imaplib.IMAP4.error as error:
                assert "AUTHENTICATIONFAILED" in str(error), error
                self.parts["password refused"] = sent
            line.shutdown()
        for line in waiting:
            line.shutdown()

    def _line(self) -> BoundImap:
        """From another address each time: Dovecot slows a source down for its failures."""
        source = f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
        return BoundImap(*self.side.at, source)

    def _signed_in(self) -> BoundImap | None:
        line = self._line()
        try:
            line.login(self.address, SECRET)
            return line
        except imaplib.IMAP4.error:
            line.shutdown()
            return None


def main(times: int) -> None:
    hash = "{ARGON2ID}" + HASHER.hash(SECRET)
    hashes = dict.fromkeys([f"u{n}@plain.example" for n in range(MAILBOXES + OTHERS)], hash)
    with demo() as stack, plain(stack.state / "node/tls", hashes) as by_hand:
        sides: dict[str, Side] = {"ours": Ours(stack), "theirs": Theirs(by_hand, hashes)}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        last: dict[tuple[str, int], Watch] = {}
        for number in range(times):
            at = number % MAILBOXES
            for name, side in sides.items() if number % 2 else reversed(sides.items()):
                if before := last.pop((name, at), None):
                    found[name].append(before.over())
                last[name, at] = Watch(side, side.mailboxes[at])
                last[name, at].run()
        for (name, _), watch in last.items():
            found[name].append(watch.over())
        for part in PARTS:
            a, b = (_median([one[part] for one in found[name]]) for name in sides)
            print(f"revoke, {part}: ours {a:.3f} s, theirs {b:.3f} s; ratio {a / b:.1f} (no goal)", flush=True)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@contextmanager
def demo() -> Iterator[Stack]:
    """The one that POSTROOM_TEST_STACK names; or one of our own, as the stories have it (tests/stack.py)."""
    if given := os.environ.get("POSTROOM_TEST_STACK"):
        yield Stack(Path(given))
        return
    state = Path(tempfile.mkdtemp(prefix="postroom-bench-", dir="/var/tmp"))
    state.chmod(0o755)
    environ = {**os.environ, "POSTROOM_STATE": str(state), "POSTROOM_TOOLS": "/var/cache/postroom"}
    running = None
    try:
        subprocess.run(["bash", "install/install.sh"], cwd=CHECKOUT, env=environ, check=True, stdin=subprocess.DEVNULL)
        with (state / "up.log").open("wb") as log:
            running = subprocess.Popen(
                [state / "venv/bin/postroom", "up", "--demo"], cwd="/", env=environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        _until_it_answers(running, state)
        yield Stack(state)
    finally:
        if running:
            running.send_signal(signal.SIGINT)
            running.wait(60)
        shutil.rmtree(state, ignore_errors=True)


def _until_it_answers(running: "subprocess.Popen[bytes]", state: Path) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while not (state / "endpoints.json").exists():
        if running.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the demo did not start:\n{(state / 'up.log').read_text()[-4000:]}")
        time.sleep(0.2)
    json.loads((state / "endpoints.json").read_text())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
