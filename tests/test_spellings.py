"""The search for secrets finds each spelling that it knows, wherever it stands and however it is packed."""

import base64
import gzip
import hashlib
import io
import urllib.parse
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

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
    "in a mail, its lines made to fit": lambda plain: mail(plain, "quoted-printable"),
    "in a mail, in letters": lambda plain: mail(plain, "base64"),
    "in an archive": lambda plain: archive(plain),
}


def mail(plain: bytes, encoding: str) -> bytes:
    made = EmailMessage()
    made["Subject"] = "Hello"
    made.set_content("é " * 8 + plain.decode() + " and more\n", cte=encoding)
    heap = made.as_bytes()
    assert plain not in heap
    return heap


def archive(plain: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("log.txt", b"before " + plain)
    return held.getvalue()


@pytest.mark.parametrize("how", HIDDEN)
def test_each_is_found(how: str) -> None:
    heap = HIDDEN[how](SECRET.encode())
    packed = heap.startswith((b"PK", b"\x1f\x8b", b"Subject"))
    heap = heap if packed else b"before " + heap + b" after"
    assert {name for name, _ in found_in(heap, {"hers": SECRET, "another": "not these words at all"})} == {"hers"}


@pytest.mark.parametrize("how", ["as it is", "in a form", "base64", "hex", "unsalted", "in a gzip"])
def test_a_code_of_digits_is_found_where_it_stands_for_itself(how: str) -> None:
    heap = HIDDEN[how](b"49027316")
    heap = heap if heap.startswith(b"\x1f\x8b") else b"said=" + heap + b"&"
    assert {name for name, _ in found_in(heap, {"code": "49027316"})} == {"code"}


@pytest.mark.parametrize("heap", [b"0.4902731699", b"a49027316f", b"1764849027316", b"4902 7316"])
def test_and_not_where_it_is_part_of_another_number(heap: bytes) -> None:
    assert list(found_in(heap, {"code": "49027316"})) == []


def test_nothing_is_found_where_nothing_is() -> None:
    assert list(found_in(b"four plain words, and more", {"hers": SECRET})) == []
