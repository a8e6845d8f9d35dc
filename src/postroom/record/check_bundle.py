#!/usr/bin/env python3
"""Verify an exported record. Standard library alone; nothing here asks the program that made the export.

    python3 verify.py FOLDER [KEY]

FOLDER holds what was in the export: entries.jsonl, checkpoint.note and key.txt. KEY is the signer's line as you know it
from elsewhere; left out, key.txt is believed, which proves only that the export fits itself.

What is worked out: every entry is hashed from its lines (canonical JSON, salted, SHA-256) and led by its proof to the
root of the checkpoint (RFC 9162, 2.1.3.2); the checkpoint's signature is checked (Ed25519, RFC 8032); the entries
number from 0 without a gap, versions from 1, and each says itself that it is this client's. A line that was erased
counts by the hash that is left of it, where a later entry says that it was erased. Exit code 1 where anything differs.

What it cannot know is whether entries behind the last one were left out: of those that belong to others in the log only
hashes are here, and hashes do not say whose they are. So it says how far the entries go, to be held against what you
know from elsewhere: the client's version on its page, or another export, made by somebody else or later.
"""

import base64
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


class Wrong(Exception):
    """Something does not fit."""


@dataclass
class Reach:
    """How far an export goes: entries 0 to `entries` - 1, versions to `version`, of a log of `size` entries."""

    entries: int = 0
    version: int = 0
    size: int = 0

    def __str__(self) -> str:
        return (
            f"every entry is what was signed: 0 to {self.entries - 1:,}, versions to {self.version:,},"
            f" of a log of {self.size:,} entries\n"
            "whether entries of this client come after these, an export cannot show"
        )


def main(folder: Path, key: str) -> list[str]:
    """Everything that is wrong; nothing when all of it fits."""
    return looked_at(folder, key)[1]


def looked_at(folder: Path, key: str) -> tuple[Reach, list[str]]:
    """(how far it goes, everything that is wrong)."""
    try:
        text = opened((folder / "checkpoint.note").read_text(encoding="utf-8"), key.strip())
        origin, size, root = text.split("\n")[:3]
        if origin != key.partition("+")[0]:
            raise Wrong(f"the checkpoint is of {origin}, the key of another log")
    except (Wrong, ValueError) as wrong:
        return Reach(), [f"checkpoint.note: {wrong}"]
    return of_entries(folder / "entries.jsonl", int(size), base64.b64decode(root))


def of_entries(path: Path, size: int, root: bytes) -> tuple[Reach, list[str]]:
    problems: list[str] = []
    number, version, client = 0, 0, ""
    gone: dict[tuple[str, int], int] = {}  # leaf and line of what was erased → where, until an entry says so
    with path.open(encoding="utf-8") as lines:
        for place, line in enumerate(lines, start=1):
            try:
                one = json.loads(line)
                client = client or one["client"]
                number, version = checked(one, number, version, client)
                found = leaf(one["lines"])
                included(found, one["index"], size, [bytes.fromhex(h) for h in one["proof"]], root)
                account(one["lines"], found.hex(), place, gone)
            except (Wrong, KeyError, TypeError, ValueError) as wrong:
                problems.append(f"entries.jsonl, line {place}: {wrong}")
    problems += [
        f"entries.jsonl, line {at}: line {n} of it was erased without a record of it" for (_, n), at in gone.items()
    ]
    problems += [] if number else ["entries.jsonl: there is no entry"]
    return Reach(number, version, size), problems


def checked(one: dict[str, Any], number: int, version: int, client: str) -> tuple[int, int]:
    """(the next number, the last version)."""
    head = one["lines"][0]
    said = {"client_id": client, "version": one["version"]} if "hashed" in head else head["after"]
    if one["number"] != number:
        raise Wrong(f"entry {one['number']}, {number} was due")
    if one["client"] != client or said["client_id"] != client:
        raise Wrong("an entry of another client")
    if (one["version"] is not None) != (len(one["lines"]) > 1):
        raise Wrong("what changed something is a version, and nothing else is")
    if one["version"] is None:
        return number + 1, version
    if one["version"] != version + 1 or said["version"] != one["version"]:
        raise Wrong(f"version {one['version']}, {version + 1} was due")
    return number + 1, version + 1


def leaf(lines: list[dict[str, Any]]) -> bytes:
    """H(0x00 || salted hash of each line)."""
    found = hashlib.sha256(b"\x00")
    for one in lines:
        if "hashed" in one:
            found.update(erased(one))
            continue
        parts = [one["table"], one["row"], one["before"], one["after"]]
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        found.update(hashlib.sha256(bytes.fromhex(one["salt"]) + text.encode()).digest())
    return found.digest()


def erased(one: dict[str, Any]) -> bytes:
    """What is left of an erased line: its salted hash, and nothing else."""
    kept = bytes.fromhex(one["hashed"])
    if len(kept) != 32 or one["salt"] or one["before"] is not None or one["after"] is not None:
        raise Wrong("a line is erased, and there is more of it than its hash")
    return kept


def account(lines: list[dict[str, Any]], found: str, place: int, gone: dict[tuple[str, int], int]) -> None:
    """Note what was erased of this entry, and what it says that was erased of earlier ones."""
    gone.update({(found, n): place for n, one in enumerate(lines) if "hashed" in one})
    for one in lines[1:]:
        if one["table"] == "erasures" and one["before"] is None and "hashed" not in one:
            for line in one["after"]["lines"]:
                gone.pop((one["after"]["leaf"], line["n"]), None)


def included(found: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        raise Wrong(f"entry at {index} is not among the {size} that were signed")
    number, last = index, size - 1
    for one in proof:
        if last == 0:
            raise Wrong("the proof is too long")
        if number & 1 or number == last:
            found = hashlib.sha256(b"\x01" + one + found).digest()
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + one).digest()
        number, last = number >> 1, last >> 1
    if last or found != root:
        raise Wrong("it is not what was signed")


def opened(note: str, key: str) -> str:
    """The text of a signed note, if the key's owner signed it (C2SP signed-note)."""
    name, _, rest = key.partition("+")
    raw = base64.b64decode(rest.partition("+")[2])
    mark = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    text, gap, below = note.rpartition("\n\n")
    for line in below.splitlines() if gap else ():
        who, _, signature = line.removeprefix("\u2014 ").partition(" ")
        signed = base64.b64decode(signature)
        if who == name and signed[:4] == mark and verified(raw[1:], (text + "\n").encode(), signed[4:]):
            return text + "\n"
    raise Wrong(f"not signed by {name}")


# Ed25519 as RFC 8032, 6 writes it: slow, short, and for verification alone.


def verified(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    point, given = decoded(public), decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or given is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(scalar, BASE), added(given, times(challenge, point)))


def added(a: Point, b: Point) -> Point:
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = added(total, point)
        point, scalar = added(point, point), scalar >> 1
    return total


def same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def x_of(y: int, sign: int) -> "int | None":
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def decoded(raw: bytes) -> "Point | None":
    number = int.from_bytes(raw, "little")
    y = number & (1 << 255) - 1
    x = x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


Y = 4 * pow(5, P - 2, P) % P
BASE: Point = (x_of(Y, 0) or 0, Y, 1, (x_of(Y, 0) or 0) * Y % P)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    where = Path(sys.argv[1])
    line = sys.argv[2] if len(sys.argv) == 3 else (where / "key.txt").read_text(encoding="utf-8")
    reach, wrong = looked_at(where, line)
    print("\n".join(wrong) if wrong else reach)
    sys.exit(1 if wrong else 0)
