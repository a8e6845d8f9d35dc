"""With which credential each open session was signed in: Dovecot 2.3 says so in its login log and nowhere else.

    2026-11-30 00:44:24 imap-login: Info: Login: user=<mia@acme.example>, cred=app:…, method=PLAIN, …, mpid=30941, …

Read from its end, for processes that run: a line older than the process of its number was another's. What the log does
not say (it was rotated, or is behind) is not known, and nothing is made of it here.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

LINE = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) [a-z]+-login: Info: Login: user=<([^<>]*)>, cred=(\S*), method=.*, mpid=(\d+),"
)
BLOCK, FURTHEST = 65_536, 64_000_000  # bytes: of one read, and back from the end
SLACK = 2.0  # seconds: the log counts whole ones, and a process starts a moment before its sign-in is written


def credentials(log: Path, started: Mapping[int, float]) -> dict[int, tuple[str, str]]:
    """pid → (address, credential), of those of these processes that the log names; `started`: seconds since 1970."""
    found: dict[int, tuple[str, str]] = {}
    oldest = min(started.values(), default=0.0) - SLACK
    for line in _backwards(log):
        read = LINE.match(line)
        if read is None:
            continue
        at = time.mktime(time.strptime(read[1].decode(), "%Y-%m-%d %H:%M:%S"))
        if at < oldest or len(found) == len(started):
            break
        pid = int(read[4])
        if pid in started and pid not in found and at >= started[pid] - SLACK:
            found[pid] = (read[2].decode(errors="replace"), read[3].decode(errors="replace"))
    return found


def _backwards(path: Path) -> Iterator[bytes]:
    """Its lines, the newest first; none of a file that is not there."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        at = file.seek(0, os.SEEK_END)
        end, rest = max(0, at - FURTHEST), b""
        while at > end:
            size = min(BLOCK, at - end)
            at -= size
            file.seek(at)
            first, *lines = (file.read(size) + rest).split(b"\n")
            rest = first
            yield from reversed(lines)
        if end == 0:
            yield rest
