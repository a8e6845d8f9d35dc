"""Short visits to our own ports, as a stranger would make them: a greeting, a RCPT that sends nothing."""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

# Postfix slows a session down from the tenth unknown recipient on (smtpd_soft_error_limit), at the twentieth it ends.
UNKNOWN_A_SESSION = 9
KNOWN_A_SESSION = 50


class NoAnswer(Exception):
    """The port did not answer as its protocol says: nothing is known."""


@dataclass(frozen=True)
class Greeting:
    ok: bool
    text: str
    seconds: float


def greeting(address: str, port: int, begins: bytes, timeout: float = 5) -> Greeting:
    """Connect, read one line. It is good if it begins so (`220 `, `* OK`)."""
    started = time.monotonic()
    try:
        with socket.create_connection((address, port), timeout) as line:
            first = line.recv(500)
    except OSError as error:
        return Greeting(False, str(error), time.monotonic() - started)
    return Greeting(first.startswith(begins), first.decode("latin-1").strip()[:200], time.monotonic() - started)


def answers(address: str, port: int, timeout: float = 1) -> bool:
    """Does anybody listen there?"""
    try:
        socket.create_connection((address, port), timeout).close()
    except OSError:
        return False
    return True


def recipients(address: str, port: int, known: Sequence[str], unknown: Sequence[str] = ()) -> dict[str, str]:
    """Address → what RCPT TO answers; the sender is empty and no message follows. Raises NoAnswer."""
    asked = [*known[:KNOWN_A_SESSION], *unknown[:UNKNOWN_A_SESSION]]
    try:
        with socket.create_connection((address, port), 5) as line, line.makefile("rwb") as stream:
            answers = _session(cast(BinaryIO, stream), asked)
    except OSError as error:
        raise NoAnswer(str(error)) from error
    return answers


def _session(stream: BinaryIO, asked: Sequence[str]) -> dict[str, str]:
    _say(stream, None)
    _say(stream, "EHLO probe.invalid")
    _say(stream, "MAIL FROM:<>")
    answers = {one: _say(stream, f"RCPT TO:<{one}>") for one in asked}
    _say(stream, "RSET")
    _say(stream, "QUIT")
    return answers


def _say(stream: BinaryIO, command: str | None) -> str:
    if command is not None:
        stream.write(command.encode() + b"\r\n")
        stream.flush()
    while True:
        line = stream.readline(2000)
        if len(line) < 4:
            raise NoAnswer("the session ended")
        if line[3:4] != b"-":
            return line.decode("latin-1").strip()
