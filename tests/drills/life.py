"""Ordinary mail life beside a drill: sign in, send, be sent to, again and again; whatever fails is kept."""

import contextlib
import imaplib
import smtplib
import threading
import time
from collections.abc import Iterator

from conftest import SECRET
from world import Stack, received


class Life(threading.Thread):
    """Rounds of mail for one mailbox until told to stop."""

    def __init__(self, stack: Stack, address: str) -> None:
        super().__init__(daemon=True)
        self.stack, self.address = Stack(stack.state), address
        self.over = threading.Event()
        self.rounds, self.failures, self.longest = 0, list[str](), 0.0

    def run(self) -> None:
        while not self.over.wait(0.1):
            started = time.monotonic()
            try:
                self.round(f"life {self.rounds} {started}")
            except (OSError, AssertionError, imaplib.IMAP4.error, smtplib.SMTPException) as error:
                self.failures.append(f"round {self.rounds}: {error!r}")
            self.longest = max(self.longest, time.monotonic() - started)
            self.rounds += 1

    def round(self, subject: str) -> None:
        self.stack.submit(self.address, SECRET, self.address, f"{subject} from inside")
        self.stack.from_outside(self.address, f"{subject} from outside")
        with contextlib.closing(self.stack.imap(self.address, SECRET)) as box:
            message = received(box, f"{subject} from inside")
            signatures = message.count(b"\nDKIM-Signature:") + message.startswith(b"DKIM-Signature:")
            assert signatures == 2, "signed once by each key"
            received(box, f"{subject} from outside")
        self.stack.leave()


@contextlib.contextmanager
def living(stack: Stack, address: str) -> Iterator[Life]:
    """Mail flows meanwhile; at the end nothing of it has failed, and something has been done."""
    life = Life(stack, address)
    life.start()
    try:
        yield life
    finally:
        life.over.set()
        life.join(60)
    assert life.failures == [], life.failures
    assert life.rounds >= 3
