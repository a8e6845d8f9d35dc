"""Sign-ins a second with app passwords, against sign-ins a second with main passwords (argon2id), at the same node.

A real node (Postfix and Dovecot, work from a folder), one mailbox with both; eight at once, in turns of some seconds
each, the median of the turns. Two ratios:
- sign-ins: Dovecot's auth answers *this is Mia*, as it is asked for IMAP, submission and our pages. The goal, 5 ×, is
  for these: it is what a password costs.
- with a session: a new connection by TLS, LOGIN, LOGOUT. What a TLS handshake and two new processes cost comes on top
  of either, so this ratio is smaller.
Usage: app_logins.py [seconds a turn]
"""

import base64
import hashlib
import itertools
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT / "src"), str(CHECKOUT / "tests"), str(CHECKOUT / "tests/engines")]

from live_node import MIA, BoundImap, LiveNode, domain, live_node, mailbox  # noqa: E402

from postroom.protocols.passwords import hashed  # noqa: E402

GOAL, TURNS, AT_ONCE, SECONDS = 5.0, 5, 8, 6.0
MAIN = "four plain words here"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    passwords = {"app": secrets.token_urlsafe(20), "main": MAIN}
    with live_node() as node:
        node.start()
        assert node.ready(), node.log()
        node.put("domain", "acme.example", domain("acme.example"))
        node.put("address", MIA, _account(passwords["app"]))
        for what, sign_in, goal in (("sign-ins", _asked, f" (goal {GOAL:g})"), ("with a session", _session, "")):
            rates: dict[str, list[float]] = {name: [] for name in passwords}
            for name, secret in list(passwords.items()) * TURNS:
                rates[name].append(_rate(node, sign_in, secret, seconds))
            app, argon2id = (sorted(found)[TURNS // 2] for found in rates.values())
            print(f"{what} a second: app password {app:.1f}, main password (argon2id) {argon2id:.1f}")
            print(f"  ratio {app / argon2id:.2f}{goal}")


def _account(app: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    compiled = mailbox(MIA)
    compiled["secrets"]["password"][0]["hash"] = hashed(MAIN)
    row = {"address": MIA, "cred": "bench", "sha256": hashlib.sha256(app.encode()).hexdigest(), "protocols": "imap"}
    compiled["secrets"]["app"] = [row]
    return compiled


def _rate(
    node: LiveNode, sign_in: Callable[[LiveNode, str, str], Iterator[None]], secret: str, seconds: float
) -> float:
    """Sign-ins a second, all of them right ones."""
    counts = [0] * AT_ONCE
    end = time.monotonic() + seconds

    def run(place: int) -> None:
        for _ in sign_in(node, secret, f"127.{64 + secrets.randbelow(64)}.0.{place + 1}"):
            counts[place] += 1
            if time.monotonic() > end:
                return

    threads = [threading.Thread(target=run, args=(place,)) for place in range(AT_ONCE)]
    began = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(counts) / (time.monotonic() - began)


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


def _session(node: LiveNode, secret: str, source: str) -> Iterator[None]:
    while True:
        box = BoundImap(node.address, node.config.ports.imaps, source)
        box.login(MIA, secret)
        box.logout()
        yield


if __name__ == "__main__":
    main()
