"""Messages a second through our node with everything on, beside the same Postfix and Dovecot with static maps.

The other side is bench/plain/: none of our code, no agent, no milter, no proxy. Three ways in, rounds in turns:
- from outside: Postfix's own smtp-source to port 25, a connection a message;
- submission, one message a sign-in: over TLS, with the password hash of production on both sides;
- submission, ten messages a sign-in. Ours goes through Dovecot's proxy, the check of sender and From:, the milter,
  and is signed with RSA-2048; theirs checks the envelope's sender alone and signs nothing.
A message counts when it lies in its Maildir: the time is from the first connection to the last file's ctime.
Goal: at least 0.5 of their rate. Usage: mail.py [rounds]
"""

import base64
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests"), str(CHECKOUT / "tests/engines")]

from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: E402
from live_node import PASSWORD, LiveNode, domain, live_node, mailbox, named, unchecked, until  # noqa: E402
from nacl.public import PublicKey, SealedBox  # noqa: E402
from plain import plain  # noqa: E402

from postroom.engines import own_keys  # noqa: E402
from postroom.engines.layout import Ports  # noqa: E402
from postroom.protocols.passwords import HASHER  # noqa: E402

GOAL = 0.5
SESSIONS = 10
SIZE = 2000  # bytes of body
DOMAINS = [f"d{n}.example" for n in range(20)]
EACH = 25  # mailboxes a domain
# As smtp-source -N numbers recipients: Postfix 3.10's begins at 0, 3.7's at 1; with nothing beside the number it does
# not matter that the one puts it behind and the other in front.
MAILBOXES = [f"{n}@{name}" for n in range(EACH + 1) for name in DOMAINS]
BODY = ("A line of the sort that people write to one another, not much longer.\r\n" * 40)[:SIZE] + "\r\n"
SOURCE = "/usr/sbin/smtp-source"
WITHIN = 60


@dataclass
class Side:
    name: str
    address: str
    mail: Path
    ports: Ports
    turn: Iterator[int]  # who writes to whom next


def main(rounds: int) -> None:
    hash = "{ARGON2ID}" + HASHER.hash(PASSWORD)
    with our_node(hash) as node, plain(node.config.folder / "tls", dict.fromkeys(MAILBOXES, hash)) as theirs:
        ours = Side("ours", node.address, node.config.folder / "mail", node.config.ports, count())
        sides = (ours, Side("theirs", theirs.address, theirs.mail, theirs.ports, count()))
        for side in sides:  # every mailbox has its folder, every cache is warm
            rate(side, from_outside, EACH * len(DOMAINS))
            rate(side, lambda side, n: submitted(side, n, 2), 40)
        ways: dict[str, tuple[Callable[[Side, int], None], int]] = {
            "from outside": (from_outside, 300),
            "submission, one message a sign-in": (lambda side, n: submitted(side, n, 1), 50),
            "submission, ten messages a sign-in": (lambda side, n: submitted(side, n, 10), 200),
        }
        for what, (way, messages) in ways.items():
            found: dict[str, list[float]] = {"ours": [], "theirs": []}
            for number in range(rounds):
                for side in sides if number % 2 else reversed(sides):
                    found[side.name].append(rate(side, way, messages))
            _tell(what, found["ours"], found["theirs"])
        _all_signed(ours)


def _tell(what: str, ours: list[float], theirs: list[float]) -> None:
    """The ratio is that of the medians: single rounds meet whatever else the machine does."""
    a, b = sorted(ours)[len(ours) // 2], sorted(theirs)[len(theirs) // 2]
    rounds = " ".join(f"{x / y:.2f}" for x, y in zip(ours, theirs, strict=True))
    print(f"mail {what}: ours {a:.0f}/s, theirs {b:.0f}/s; ratio {a / b:.2f} (goal {GOAL:.2f}); rounds {rounds}",
          flush=True)  # fmt: skip


def rate(side: Side, send: Callable[[Side, int], None], messages: int) -> float:
    """Messages a second, from the first connection to the last of them in its Maildir."""
    before, start = len(arrived(side)), time.time()
    send(side, messages)
    if not until(lambda: len(arrived(side)) >= before + messages, WITHIN):
        raise SystemExit(f"{side.name}: {len(arrived(side)) - before} of {messages} arrived within {WITHIN} s")
    now = arrived(side)
    assert len(now) == before + messages, "not one more than was sent"
    return messages / (max(now) - start)


def arrived(side: Side) -> list[float]:
    """When each message was put into its Maildir; seconds since 1970."""
    return [path.stat().st_ctime for path in side.mail.glob("*/*/Maildir/new/*")]


def from_outside(side: Side, messages: int) -> None:
    """One smtp-source a domain, ten at once, each message to another mailbox of it."""
    each = -(-messages // len(DOMAINS))

    def source(name: str) -> None:
        done = subprocess.run(
            [SOURCE, "-4", "-N", "-M", "far.example", "-f", "far@out.example", "-t", f"@{name}", "-l", str(SIZE),
             "-m", str(each), f"{side.address}:{side.ports.smtp}"],
            capture_output=True, text=True, timeout=WITHIN,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{side.name}: {done.stderr}")

    with ThreadPoolExecutor(SESSIONS) as sessions:
        list(sessions.map(source, DOMAINS))


def submitted(side: Side, messages: int, each: int) -> None:
    """Ten people at once sign in and send `each` messages, to other mailboxes here."""

    def session(number: int) -> None:
        sender = MAILBOXES[number * 7 % len(MAILBOXES)]
        line = smtplib.SMTP_SSL(side.address, side.ports.submissions, local_hostname="laptop.example",
                                timeout=WITHIN, context=unchecked())  # fmt: skip
        with line:
            line.login(sender, PASSWORD)
            for one in range(each):
                to = MAILBOXES[(number * 31 + one + 1) % len(MAILBOXES)]
                assert line.sendmail(sender, [to], _letter(sender, to, f"{number}-{one}")) == {}

    numbers = [next(side.turn) for _ in range(messages // each)]
    with ThreadPoolExecutor(SESSIONS) as sessions:
        list(sessions.map(session, numbers))


def _letter(sender: str, to: str, name: str) -> bytes:
    head = (
        f"From: Somebody <{sender}>\r\nTo: {to}\r\nSubject: bench {name}\r\nMessage-ID: <{name}@laptop.example>\r\n"
        "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    )
    return (head + BODY).encode()


def _all_signed(side: Side) -> None:
    """What was measured is what is claimed: every message that was submitted carries a signature."""
    texts = [path.read_bytes() for path in side.mail.glob("*/*/Maildir/new/*")]
    submitted = [one for one in texts if b"Subject: bench" in one]
    assert submitted and all(b"DKIM-Signature:" in one for one in submitted), "unsigned mail"


@contextmanager
def our_node(hash: str) -> Iterator[LiveNode]:
    """Filled before it starts, as a node is; keys are sealed to it afterwards. Left to settle: nothing on its list."""
    with live_node() as node:
        for name in DOMAINS:
            node.source.put("domain", named(name), domain(name))
        for address in MAILBOXES:
            row = mailbox(address) | {"secrets": {"password": [{"address": address, "hash": hash, "until": None}]}}
            node.source.put("address", named(address), row)
        node.start()
        assert node.ready(), node.log() + node.log("agent")
        lock = PublicKey(base64.b64decode(own_keys.public_key(node.config)))
        for name in DOMAINS:
            node.source.put("key", named(f"s1.{name}"), {"keys": {"key": [_key(name, lock)]}})
        todo = node.source.folder / "todo"
        assert until(lambda: not list(todo.glob("*.json")), 60), node.log("agent")[-3000:]
        yield node


def _key(name: str, lock: PublicKey) -> dict[str, str]:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    sealed = base64.b64encode(SealedBox(lock).encrypt(pem)).decode()
    return {"domain": name, "selector": "s1", "algorithm": "rsa-sha256", "sealed": sealed}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
