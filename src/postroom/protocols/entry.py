"""What an entry of the record is hashed over: canonical JSON lines, each salted, under one leaf.

Canonical: keys sorted, no spaces, UTF-8, no floats but what JSON itself tells apart. Salted, so that a line whose
content was erased gives nothing away and its leaf still verifies.
"""

import hashlib
import json
from collections.abc import Iterable

encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def line(table: str, row: str, before: str | None, after: str | None) -> bytes:
    """One edit, its rows as `encode` wrote them; None where there is no row."""
    return f'["{table}","{row}",{before or "null"},{after or "null"}]'.encode()


def salted(salt: bytes, text: bytes) -> bytes:
    """What stands in the leaf for a line."""
    return hashlib.sha256(salt + text).digest()


def leaf(lines: Iterable[bytes]) -> bytes:
    """RFC 9162, 2.1.1: a leaf is H(0x00 || entry). Our entry is the salted hashes of its lines, in order."""
    found = hashlib.sha256(b"\x00")
    for one in lines:
        found.update(one)
    return found.digest()
