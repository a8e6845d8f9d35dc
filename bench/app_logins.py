"""Sign-ins a second with app passwords, against sign-ins a second with main passwords (argon2id), at the same node.

A real node (Postfix and Dovecot, work from a folder), one mailbox with both; eight at once, in turns of some seconds
each, the median of the turns. Three ways:
- asked: Dovecot's auth answers *this is Mia*, as it is asked for IMAP, submission and our pages;
- greeted: a new connection by TLS that reads the greeting and leaves. No password, so no ratio: it is a part of the
  next;
- signed in: a new connection by TLS, LOGIN, LOGOUT, as a mail program does that keeps none open.
Goal: 5 × for the first and the last. A ratio is that of CPU: what the node takes for one sign-in with one and with the
other. That is what it can do a second where it is busy, whatever the machine does besides and whatever the eight
clients take, who stand on the same machine here. The rates that were reached are told beside.
Usage: app_logins.py [seconds a turn]
"""

import base64
import hashlib
import imaplib
import itertools
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests"), str(CHECKOUT / "tests/engines")]

from live_node import MIA, BoundImap, LiveNode, domain, live_node, mailbox, unchecked  # noqa: E402
from node_cpu import taken  # noqa: E402

from postroom.protocols.passwords import hashed  # noqa: E402

GOAL, TURNS, AT_ONCE, SECONDS = 5.0, 5, 8, 6.0
MAIN = "four plain words here"
SignIn = Callable[[LiveNode, str, str], Iterator[None]]


@dataclass(frozen=True)
class Found:
    """Of one turn."""

    rate: float  # a second
    cpu: float  # milliseconds of the node's, each


def main(seconds: float) -> None:
    with live_node() as node:
        app = _started(node)
        asked = _both(node, "asked", _asked, app, seconds)
        greeted = _measured(node, _greeted, ("",), seconds)[""]
        print(f"greeted: {greeted.rate:.0f}/s; {greeted.cpu:.2f} ms of CPU, process and handshake", flush=True)
        session = _both(node, "signed in", _signed_in, app, seconds)
        for which, whole in session.items():
            rest = whole.cpu - greeted.cpu - asked[which].cpu
            print(f"  {which}: {greeted.cpu:.2f} greeted + {asked[which].cpu:.2f} asked + {rest:.2f} the session's own "
                  f"process = {whole.cpu:.2f} ms")  # fmt: skip


def _started(node: LiveNode) -> str:
    """With the mailbox; its app password."""
    app = secrets.token_urlsafe(20)
    node.start()
    assert node.ready(), node.log()
    node.put("domain", "acme.example", domain("acme.example"))
    compiled = mailbox(MIA)
    compiled["secrets"]["password"][0]["hash"] = hashed(MAIN)
    row = {"address": MIA, "cred": "bench", "sha256": hashlib.sha256(app.encode()).hexdigest(), "protocols": "imap"}
    compiled["secrets"]["app"] = [row]
    node.put("address", MIA, compiled)
    return app


def _both(node: LiveNode, what: str, sign_in: SignIn, app: str, seconds: float) -> dict[str, Found]:
    """Main password and app password, in turns; tells the ratio."""
    by_secret = _measured(node, sign_in, (app, MAIN), seconds)
    found = {"app password": by_secret[app], "main password": by_secret[MAIN]}
    a, b = found.values()
    print(f"{what}: app password {a.rate:.0f}/s, argon2id {b.rate:.0f}/s, {a.rate / b.rate:.1f} times; "
          f"CPU {a.cpu:.2f} and {b.cpu:.2f} ms: ratio {b.cpu / a.cpu:.2f} (goal {GOAL:.2f})", flush=True)  # fmt: skip
    return found


def _measured(node: LiveNode, sign_in: SignIn, passwords: tuple[str, ...], seconds: float) -> dict[str, Found]:
    turns: dict[str, list[Found]] = {one: [] for one in passwords}
    for one in passwords * TURNS:
        turns[one].append(_turn(node, sign_in, one, seconds))
    return {one: sorted(found, key=lambda turn: turn.cpu)[TURNS // 2] for one, found in turns.items()}


def _turn(node: LiveNode, sign_in: SignIn, secret: str, seconds: float) -> Found:
    """Eight at once, all of them right ones."""
    assert node.process
    counts = [0] * AT_ONCE
    began, before = time.monotonic(), taken(node.config, node.process.pid)

    def run(place: int) -> None:
        # From another address each time: Dovecot slows a source down for its failures.
        with closing(sign_in(node, secret, f"127.{64 + secrets.randbelow(64)}.0.{place + 1}")) as sign_ins:
            for _ in sign_ins:
                counts[place] += 1
                if time.monotonic() > began + seconds:
                    return

    threads = [threading.Thread(target=run, args=(place,)) for place in range(AT_ONCE)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    took, cpu = time.monotonic() - began, taken(node.config, node.process.pid) - before
    return Found(sum(counts) / took, cpu / sum(counts) * 1000)


def _asked(node: LiveNode, secret: str, source: str) -> Iterator[None]:
    """Dovecot's authentication protocol 1.2, by the socket that Postfix has."""
    response = base64.b64encode(f"\0{MIA}\0{secret}".encode()).decode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, line.makefile("rwb") as stream:
        line.settimeout(60)
        line.connect(str(node.config.folder / "dovecot/run/auth-postfix"))
        stream.write(f"VERSION\t1\t2\nCPID\t{secrets.randbelow(2**31)}\n".encode())
        stream.flush()
        while stream.readline() != b"DONE\n":
            pass
        for number in itertools.count(1):
            stream.write(f"AUTH\t{number}\tPLAIN\tservice=imap\tsecured\trip={source}\tresp={response}\n".encode())
            stream.flush()
            answer = stream.readline()
            assert answer.startswith(f"OK\t{number}\t".encode()), answer
            yield


def _greeted(node: LiveNode, secret: str, source: str) -> Iterator[None]:
    context = unchecked()
    while True:
        plain = socket.create_connection((node.address, node.config.ports.imaps), 15, (source, 0))
        with context.wrap_socket(plain) as line:
            assert line.recv(1000).startswith(b"* OK")
            line.sendall(b"a LOGOUT\r\n")
            while line.recv(1000):
                pass
        yield


def _signed_in(node: LiveNode, secret: str, source: str) -> Iterator[None]:
    while True:
        box = BoundImap(node.address, node.config.ports.imaps, source)
        try:
            box.login(MIA, secret)
        except imaplib.IMAP4.error as error:
            raise SystemExit(f"{error}: {node.log('dovecot')[-2000:]}") from error
        box.logout()
        yield


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
