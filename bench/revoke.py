"""From *suspend this mailbox*, or *end this app password*, to the next login refused and the live session gone.

Ours: `mailboxes.suspend` and `app_passwords.end` by the API of a running demo installation, each with its entry,
delivery and read-back. Theirs: a suspension by hand on the plain stack (bench/plain/): the line taken out of the
passwd-file, `doveadm kick`, then a look whether the running daemons agree; it knows no app passwords. Seconds from the
start:
- applied: the API has answered, the file is written;
- password refused: from here on, whoever signs in over IMAP with what was revoked is refused. It is tried from
  *applied* on, again and again, so this is late by up to one sign-in (some 50 ms). Theirs has half a second more:
  Dovecot looks whether a passwd-file is new once a second;
- session gone: an open IDLE has read BYE;
- verified: the change says so; auth and `who` know the account, or the app password, no more.
And of ours: how often the node and the control plane spoke meanwhile (pull: what is to be done; ack: it is done and
read back; report: what else it tells by then, such as sessions).
Medians of 20, in turns. No goal is set. Usage: revoke.py [times], POSTROOM_TEST_STACK=<state folder>
"""

import imaplib
import re
import secrets
import sys
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from running import RoundTrips, demo  # isort: skip  # says where the others are

from live_node import BoundImap
from plain import Plain, plain

from postroom.protocols.passwords import HASHER
from world import Browser, Forms, Person, Stack, until

SECRET = "four plain words here"
PARTS = ("applied", "password refused", "session gone", "verified")
MAILBOXES = 4  # used in turns, so that one comes back while the others are measured
OTHERS = 60  # as many more as a demo has
WITHIN = 30


class Side(Protocol):
    at: tuple[str, int]
    mailboxes: dict[str, str]  # address → what its owner signs in with

    def revoke(self, address: str) -> Any: ...
    def finish(self, address: str, asked: Any) -> None: ...
    def give_back(self, address: str) -> None: ...


class Suspension:
    def __init__(self, stack: Stack) -> None:
        self.stack, self.at = stack, stack.host_port("imaps")
        self.operator: Person = stack.person("operator@northlight.example")
        self.mailboxes = {f"bench{uuid.uuid4().hex[:8]}@acme.example": SECRET for _ in range(MAILBOXES)}
        contacts = {one: f"{one.partition('@')[0]}@home.test" for one in self.mailboxes}
        params = [{"address": one, "contact": contact} for one, contact in contacts.items()]
        self.operator.verified(self.operator.change("mailboxes.create", params, "measured"))
        for contact in contacts.values():
            browser = Browser()
            browser.open(stack.mailed_link(contact))
            browser.fill(password=SECRET)
            assert "recovery code" in browser.page, browser.page[:2000]

    def revoke(self, address: str) -> Any:
        return self._change("mailboxes.suspend", mailbox=address)

    def finish(self, address: str, asked: Any) -> None:
        path = f"/changes/{asked['id']}"
        until("it is verified", lambda: self.operator.get(path)["stage"] == "verified", within=WITHIN, every=0.05)

    def give_back(self, address: str) -> None:
        self.operator.verified(self.operator.change("mailboxes.resume", {"mailbox": address}, "measured"))

    def _change(self, kind: str, **params: str) -> Any:
        change = self.operator.change(kind, params, "measured")
        assert change["stage"] in ("applied", "verified"), change
        return change


class OneDevice(Suspension):
    """Each mailbox has one app password besides, which its owner makes on their own page."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.owners = {address: self._owner(address) for address in self.mailboxes}
        for address in self.mailboxes:
            self.give_back(address)

    def revoke(self, address: str) -> Any:
        found = self.operator.get(f"/credentials?client=acme&search={urllib.parse.quote(address)}")["items"]
        (live,) = [one for one in found if not one["ended_at"]]
        return self._change("app_passwords.end", app_password=live["id"])

    def give_back(self, address: str) -> None:
        owner = self.owners[address]
        owner.open(f"{self.stack.at['web']}/mailbox/app-passwords/new/")
        _sent(owner, name=f"phone {uuid.uuid4().hex[:6]}", imap="on", password=SECRET)
        shown = re.search(r'id="secret"[^>]*value="([^"]+)"', owner.page)
        assert shown, owner.page[-3000:]
        self.mailboxes[address] = shown[1]

    def _owner(self, address: str) -> Browser:
        def signed_in() -> Browser | None:
            browser = Browser()
            browser.open(f"{self.stack.at['web']}/mailbox/sign-in/")
            _sent(browser, address=address, password=SECRET)
            return browser if browser.url.endswith("/mailbox/") else None

        browser: Browser = until("the owner is on their page", signed_in)
        return browser


def _sent(browser: Browser, **typed: str) -> None:
    """The page's first form with a password in it, so filled in."""
    form = next(one for one in Forms(browser.page).forms if "password" in one["types"].values())
    browser.open(urllib.parse.urljoin(browser.url, form["action"]), {**form["fields"], **typed})


class Theirs:
    """The words an administrator types, one after another."""

    def __init__(self, stack: Plain, hashes: dict[str, str]) -> None:
        self.stack, self.hashes = stack, dict(hashes)
        self.taken_out: dict[str, str] = {}
        self.at = (stack.address, stack.ports.imaps)
        self.mailboxes = dict.fromkeys(list(hashes)[:MAILBOXES], SECRET)

    def revoke(self, address: str) -> Any:
        self.taken_out[address] = self.hashes.pop(address)
        self.stack.write_users(self.hashes)

    def finish(self, address: str, asked: Any) -> None:
        self.stack.doveadm("kick", address)
        until("auth does not know it", lambda: self.stack.doveadm("auth", "lookup", address)[0] == 67, every=0.05)
        until("nobody is signed in", lambda: address not in self.stack.doveadm("who", address)[1], every=0.05)

    def give_back(self, address: str) -> None:
        self.hashes[address] = self.taken_out.pop(address)
        self.stack.write_users(self.hashes)


@dataclass
class Watch:
    """One revocation, seen from outside."""

    side: Side
    address: str
    secret: str = ""
    began: float = 0.0  # seconds since 1970
    ended: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        self.secret = self.side.mailboxes[self.address]
        phone = until("the owner is in", self._signed_in)
        phone.select("INBOX")
        phone.send(b"i1 IDLE\r\n")
        assert phone.readline().startswith(b"+")
        waiting = [self._line() for _ in range(4)]  # connected before, so that only the sign-in itself is timed
        start, self.began = time.monotonic(), time.time()
        self._beside(self._until_gone, phone, start)
        asked = self.side.revoke(self.address)
        self.parts["applied"] = time.monotonic() - start
        self._beside(self._until_refused, waiting, start)
        self.side.finish(self.address, asked)
        self.parts["verified"] = time.monotonic() - start
        self.ended = time.time()

    def over(self) -> dict[str, float]:
        """Its parts; the mailbox is open again afterwards."""
        for one in self.threads:
            one.join(WITHIN)
        assert set(self.parts) == set(PARTS), f"{self.address}: {self.parts}"
        self.side.give_back(self.address)
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
                line.login(self.address, self.secret)
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
            line.login(self.address, self.secret)
            return line
        except imaplib.IMAP4.error:
            line.shutdown()
            return None


def main(times: int) -> None:
    hash = "{ARGON2ID}" + HASHER.hash(SECRET)
    hashes = dict.fromkeys([f"u{n}@plain.example" for n in range(MAILBOXES + OTHERS)], hash)
    with demo() as stack, plain(stack.state / "node/tls", hashes) as by_hand:
        sides: dict[str, Side] = {
            "suspension": Suspension(stack), "by hand": Theirs(by_hand, hashes), "app password": OneDevice(stack),
        }  # fmt: skip
        trips = RoundTrips(stack.state)
        found: dict[str, list[Watch]] = {name: [] for name in sides}
        last: dict[tuple[str, int], Watch] = {}
        for number in range(times):
            at = number % MAILBOXES
            for name, side in sides.items() if number % 2 else reversed(sides.items()):
                if before := last.pop((name, at), None):
                    before.over()
                last[name, at] = Watch(side, list(side.mailboxes)[at])
                last[name, at].run()
                found[name].append(last[name, at])
        for watch in last.values():
            watch.over()
        _tell(found, trips)


def _tell(found: dict[str, list[Watch]], trips: RoundTrips) -> None:
    for part in PARTS:
        ours, theirs, app = (_median([one.parts[part] for one in found[name]]) for name in found)
        print(f"revoke, {part}: suspension {ours:.3f} s (by hand {theirs:.3f} s, ratio {ours / theirs:.1f}), "
              f"app password {app:.3f} s (no goal)")  # fmt: skip
    for name in ("suspension", "app password"):
        calls = [trips.between(one.began, one.ended) for one in found[name]]
        told = ", ".join(f"{what} {_median([one[what] for one in calls])}" for what in ("pull", "ack", "report"))
        total = _median([one.total() for one in calls])
        print(f"revoke, {name}: {total} round trips of the node with the control plane ({told})")


def _median(values: list[Any]) -> Any:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
