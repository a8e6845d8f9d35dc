"""MTA-STS records and policy files (RFC 8461, 3): read, and matched with a host.

The record at `_mta-sts` says only that there is a policy, and which one (id); the file under
`https://mta-sts.<domain>/.well-known/mta-sts.txt` is the policy. Who fetches it is not decided here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from postroom.protocols.tags import BadTags, read_tags

MAX_OCTETS = 64 * 1024  # 3.3
MAX_AGE = 31_557_600  # seconds; 3.2
MODES = ("enforce", "testing", "none")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*)")
_PATTERN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class BadPolicy(ValueError):
    """Senders ignore this policy file; the message says why."""


@dataclass(frozen=True)
class MtaSts:
    """A policy. max_age: seconds. mx: patterns, lower case. doubled: keys that stood more than once."""

    mode: str
    max_age: int
    mx: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    def covers(self, host: str) -> bool:
        """True when a pattern matches the MX host; `*.` stands for exactly one label (4.1)."""
        return any(matches(pattern, host) for pattern in self.mx)


def is_record(text: str) -> bool:
    """True for a TXT text that senders take for an MTA-STS record (3.1)."""
    return text.startswith("v=STSv1;")


@lru_cache(maxsize=4096)
def record_id(text: str) -> str | None:
    """The id of a record; None where it does not follow the grammar (3.1)."""
    try:
        tags, junk = read_tags(text)
    except BadTags:
        return None
    found = tags.get("id", "")
    return found if is_record(text) and not junk and _ID.fullmatch(found) else None


def matches(pattern: str, host: str) -> bool:
    """Whether one mx pattern means this host."""
    host = host.lower().rstrip(".")
    return host.partition(".")[2] == pattern[2:] if pattern.startswith("*.") else host == pattern


@lru_cache(maxsize=1024)
def parse_policy(body: bytes) -> MtaSts:
    """Read a policy file as it came over HTTPS. Raises BadPolicy."""
    if len(body) > MAX_OCTETS:
        raise BadPolicy(f"it has {len(body)} octets")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPolicy("it is not UTF-8") from None
    first: dict[str, str] = {}
    mx: list[str] = []
    doubled: list[str] = []
    for key, value in _fields(text):
        if key == "mx":
            mx.append(value.lower())
        elif key in first:
            doubled.append(key)
        else:
            first[key] = value
    return _checked(first, tuple(mx), tuple(doubled))


def _fields(text: str) -> list[tuple[str, str]]:
    """Key and value of each line; a line ends with LF or CR LF, and an empty one says nothing."""
    found = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        field = _FIELD.fullmatch(line.rstrip(" \t"))
        if field is None or "\r" in line:
            raise BadPolicy(f"the line “{line[:40]!r}” is not a key, a colon and a value")
        found.append((field[1], field[2]))
    return found


def _checked(first: dict[str, str], mx: tuple[str, ...], doubled: tuple[str, ...]) -> MtaSts:
    if first.get("version") != "STSv1":
        raise BadPolicy("version: STSv1 is missing")
    mode, age = first.get("mode", ""), first.get("max_age", "")
    if mode not in MODES:
        raise BadPolicy(f"mode: “{mode[:20]}” is not one of {', '.join(MODES)}")
    if not (age.isascii() and age.isdigit() and len(age) <= 10 and int(age) <= MAX_AGE):
        raise BadPolicy(f"max_age: “{age[:20]}” is not a number of seconds up to {MAX_AGE}")
    if mode != "none" and not mx:
        raise BadPolicy("it names no mx")
    for pattern in mx:
        if not _PATTERN.fullmatch(pattern):
            raise BadPolicy(f"mx: “{pattern[:60]}” is not a host name, with *. in front or not")
    return MtaSts(mode, int(age), mx, doubled)
