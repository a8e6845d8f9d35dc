"""Signed notes and checkpoints of a log, as Go's sumdb and C2SP's signed-note and tlog-checkpoint write them.

A note is a text that ends in a newline, an empty line, and a line a signature: `— name base64(key hash || signature)`.
A checkpoint's text is the log's origin, its size and its root in base64, a line each. Ed25519 (RFC 8032) alone.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
DASH = "— "
HASH = 32


class BadNote(ValueError):
    """A text that is no note, no checkpoint, or not signed by whom it should be; the message says which."""


@dataclass(frozen=True)
class Verifier:
    """Who signs: a name without spaces and plus signs, and a public key."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or any(char.isspace() or char == "+" for char in self.name):
            raise BadNote(f"{self.name!r} is no name of a key: no spaces, no plus")
        if len(self.public) != HASH:
            raise BadNote(f"an Ed25519 key has {HASH} octets, this one {len(self.public)}")

    @property
    def hash(self) -> bytes:
        """What tells keys of one name apart (signed-note, "Signatures")."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The one line that people compare and programs are given: name+hash+key."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def verifier(line: str) -> Verifier:
    """The one that a line of `name+hash+key` means; BadNote for any other."""
    name, _, rest = line.strip().partition("+")
    hexed, _, key = rest.partition("+")
    raw = _bytes(key)
    if raw[:1] != ED25519:
        raise BadNote("this is no Ed25519 key of a note")
    found = Verifier(name, raw[1:])
    if found.hash.hex() != hexed:
        raise BadNote(f"the key's hash is {found.hash.hex()}, the line says {hexed}")
    return found


def signed(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The text as a note with one signature."""
    if not text.endswith("\n"):
        raise BadNote("a note's text ends in a newline")
    who = Verifier(name, key.public_key().public_bytes_raw())
    mark = base64.b64encode(who.hash + key.sign(text.encode())).decode()
    return f"{text}\n{DASH}{name} {mark}\n"


def opened(note: str, who: Verifier) -> str:
    """The note's text, if `who` signed it; signatures of others are let be. BadNote says what is wrong."""
    text, marks = _parts(note)
    mine = [mark for name, mark in marks if name == who.name and mark[:4] == who.hash]
    if not mine:
        raise BadNote(f"not signed by {who.name}+{who.hash.hex()}")
    for mark in mine:
        try:
            Ed25519PublicKey.from_public_bytes(who.public).verify(mark[4:], text.encode())
        except InvalidSignature:
            raise BadNote(f"the signature of {who.name} does not fit the text") from None
    return text


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: whose it is, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; lines after the third are extensions and let be (tlog-checkpoint)."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0]:
        raise BadNote("a checkpoint is three lines: origin, size, root")
    origin, size, root = lines[:3]
    if not size.isdecimal() or not size.isascii() or (size.startswith("0") and size != "0") or len(size) > 19:
        raise BadNote(f"{size[:40]!r} is no size of a log")
    found = _bytes(root)
    if len(found) != HASH:
        raise BadNote("the root is no SHA-256")
    return Checkpoint(origin, int(size), found)


def _parts(note: str) -> tuple[str, Sequence[tuple[str, bytes]]]:
    text, gap, below = note.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise BadNote("this is no signed note: no empty line before signatures")
    return text + "\n", list(_marks(below))


def _marks(below: str) -> Iterator[tuple[str, bytes]]:
    for line in below.removesuffix("\n").split("\n"):
        name, _, mark = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not name or not mark:
            raise BadNote(f"{line[:60]!r} is no signature line")
        raw = _bytes(mark)
        if len(raw) < 5:
            raise BadNote(f"the signature of {name[:60]} is too short")
        yield name, raw


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{text[:60]!r} is no base64") from None
