"""Is this the mailbox's password? Asked of Dovecot itself, so that no hash is ever in our hands and one counter counts.

Dovecot's authentication protocol (its developer's manual, Authentication Protocol v1.1 and v1.2; the same in 2.3 and
2.4), at a unix socket of `service auth` (rendered in dovecot23.py and dovecot24.py). `service=web` is what password
databases and the auth policy see as the protocol. One connection a question; it opens nothing.
"""

import base64
import ipaddress
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LINE = 8192  # the longest line Dovecot takes, and the longest that is taken from it
LONGEST = 1024  # bytes of a password; none that was ever set is longer (protocols/passwords.py)
WITHIN = 20.0  # seconds; Dovecot keeps whoever guessed wrong waiting for up to 17 (its penalty, and the delay)


class NotAnswered(Exception):
    """Dovecot said neither yes nor no."""


def is_password(where: Path, address: str, password: str, source: str, *, within: float = WITHIN) -> bool:
    """Whether the main password of this mailbox is this one. source: the client's address, by which failures count.

    An app password is never one. NotAnswered where nothing answers, in time or at all, or cannot tell.
    """
    typed = password.encode()
    if "\0" in address or b"\0" in typed or len(typed) > LONGEST:
        return False
    until = time.monotonic() + within
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(within)
            asking.connect(str(where))
            # Every connection needs a number that no other has; Dovecot takes any above 0.
            asking.sendall(f"VERSION\t1\t1\nCPID\t{secrets.randbelow(2**31 - 1) + 1}\n".encode())
            lines = _lines(asking, until)
            for words in lines:
                if words[0] == "VERSION" and words[1:2] != ["1"]:
                    raise NotAnswered(f"it speaks another protocol: {' '.join(words)}")
                if words[0] == "DONE":
                    break
            asking.sendall(_question(address.encode(), typed, source))
            return _answer(lines)
    except (OSError, ValueError) as error:
        raise NotAnswered(f"{where}: {error}") from error


def _question(address: bytes, typed: bytes, source: str) -> bytes:
    """`secured`: the page came over TLS, or from this machine. `nologin`: nobody will ask who signed in."""
    came = []
    with suppress(ValueError):  # no address: nothing to count by
        came = [f"rip={ipaddress.ip_address(source)}"]
    response = base64.b64encode(b"\0" + address + b"\0" + typed).decode()
    return "\t".join(["AUTH", "1", "PLAIN", "service=web", *came, "secured", "nologin", f"resp={response}\n"]).encode()


def _answer(lines: Iterator[list[str]]) -> bool:
    for words in lines:
        said, facts = words[0], words[2:]
        if words[1:2] != ["1"] or said not in ("OK", "FAIL", "CONT"):
            continue
        if said == "OK":
            return "cred=main" in facts
        if said == "CONT" or "temp" in facts or "code=temp_fail" in facts:
            raise NotAnswered("it cannot tell now")
        return False
    raise NotAnswered("it hung up")


def _lines(asking: socket.socket, until: float) -> Iterator[list[str]]:
    """Each line as it comes, in words; ends when it hangs up. TimeoutError, which is an OSError, when time is over."""
    rest = b""
    while True:
        line, end, after = rest.partition(b"\n")
        if end:
            rest = after
            yield line.decode().split("\t")
            continue
        if len(rest) > LINE:
            raise ValueError("a line that does not end")
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError("no answer in time")
        asking.settimeout(left)
        if not (more := asking.recv(LINE)):
            return
        rest += more
