"""Every spelling of a secret by which it would be known again, and where in a heap of bytes one of them stands."""

import base64
import email
import gzip
import hashlib
import io
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Mapping

HASHES = ("md5", "sha1", "sha256", "sha512")
ENOUGH = 8  # letters of base64
BESIDE = rb"[0-9A-Za-z.]"  # with one of these beside them, eight digits are part of some other number


def spellings(secret: str) -> dict[str, bytes]:
    """By its name, each as it would stand in a file. A base64 of more than the secret holds the same inner letters,
    whichever of three places it begins at; of a short one these are too few to say anything."""
    plain = secret.encode()
    found = {"clear": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    found |= {
        "path": urllib.parse.quote(secret).encode(),
        "url": urllib.parse.quote(secret, safe="").encode(),
        "form": urllib.parse.quote_plus(secret).encode(),
    }
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain)
        inner = whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
        if len(inner) >= ENOUGH:
            found[f"base64 {before}"] = inner
            found[f"base64url {before}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    for name in HASHES:
        digest = hashlib.new(name, plain).digest()
        found |= {f"{name} hex": digest.hex().encode(), f"{name} base64": base64.b64encode(digest).rstrip(b"=")}
        found[f"{name} raw"] = digest
    return found


def found_in(heap: bytes, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(secret's name, spelling) of all that stand in it; packed parts are unpacked first."""
    parts = [heap, *unpacked(heap)]
    for name, secret in secrets.items():
        for spelling, text in spellings(secret).items():
            if any(_stands(text, part) for part in parts):
                yield name, spelling


def _stands(text: bytes, part: bytes) -> bool:
    """Digits alone are met by chance inside of a hash or a time: they count where they stand for themselves."""
    if text not in part or not text.isdigit():
        return text in part
    return bool(re.search(rb"(?<!%b)%b(?!%b)" % (BESIDE, text, BESIDE), part))


def unpacked(heap: bytes) -> Iterator[bytes]:
    """What is packed in it: files of an archive, a gzip, streams of a PDF, a mail whose lines were made to fit."""
    if heap.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(heap)) as archive:
            for name in archive.namelist():
                one = archive.read(name)
                yield one
                yield from unpacked(one)
    elif heap.startswith(b"\x1f\x8b"):
        yield gzip.decompress(heap)
    elif heap.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", heap, re.DOTALL):
            yield zlib.decompressobj().decompress(_ascii85(stream))
    elif ENCODED.search(heap):
        yield from (bytes(one.get_payload(decode=True) or b"") for one in email.message_from_bytes(heap).walk())


ENCODED = re.compile(rb"^content-transfer-encoding:\s*(?:quoted-printable|base64)", re.IGNORECASE | re.MULTILINE)


def _ascii85(stream: bytes) -> bytes:
    """Streams may be written in letters; those that are not stay as they are."""
    try:
        return base64.a85decode(stream.strip().removesuffix(b"~>"))
    except ValueError:
        return stream
