"""The search for secrets finds each spelling that it knows, wherever it stands and however it is packed."""

import base64
import gzip
import hashlib
import io
import urllib.parse
import zipfile
from collections.abc import Callable

import pytest

from spellings import found_in

SECRET = "four plain words? + 1/3 more"
HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda plain: plain,
    "in an address": lambda plain: urllib.parse.quote(plain).encode(),
    "in a form": lambda plain: urllib.parse.quote_plus(plain).encode(),
    "base64": base64.b64encode,
    "as SASL PLAIN shows it": lambda plain: base64.b64encode(b"\0mia@acme.example\0" + plain),
    "after one letter more": lambda plain: base64.b64encode(b"x" + plain + b"yz"),
    "base64 for addresses": lambda plain: base64.urlsafe_b64encode(b"xy" + plain + b"z"),
    "hex": lambda plain: plain.hex().encode(),
    "as PostgreSQL writes bytes": lambda plain: b"\\\\x" + plain.hex().encode(),
    "unsalted": lambda plain: hashlib.sha256(plain).hexdigest().encode(),
    "unsalted, raw": lambda plain: hashlib.sha1(plain).digest(),
    "unsalted, base64": lambda plain: b"{SHA256}" + base64.b64encode(hashlib.sha256(plain).digest()),
    "in a gzip": lambda plain: gzip.compress(b"before " + plain),
    "in an archive": lambda plain: archive(plain),
}


def archive(plain: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("log.txt", b"before " + plain)
    return held.getvalue()


@pytest.mark.parametrize("how", HIDDEN)
def test_each_is_found(how: str) -> None:
    heap = HIDDEN[how](SECRET.encode())
    heap = heap if heap.startswith((b"PK", b"\x1f\x8b")) else b"before " + heap + b" after"
    assert {name for name, _ in found_in(heap, {"hers": SECRET, "another": "not these words at all"})} == {"hers"}


def test_nothing_is_found_where_nothing_is() -> None:
    assert list(found_in(b"four plain words, and more", {"hers": SECRET})) == []
