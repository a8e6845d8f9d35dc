"""DKIM signatures (RFC 6376, 8463): rsa-sha256 or ed25519-sha256, relaxed/relaxed, From oversigned, no `l=`.

Pure functions over headers and a body as bytes; keys are somebody else's (key_store.py).
"""

import base64
import hashlib
import re
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

# What a reader sees or acts on (6376, 5.4.1; 8058, 4): a change to any of these breaks the signature.
SIGNED = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "sender", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
WHITE = re.compile(rb"[ \t]+")
LONE_NEWLINE = re.compile(rb"(?<!\r)\n")
WIDTH = 72

Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Headers = Sequence[tuple[bytes, bytes]]  # name, value as in the message


def signature(headers: Headers, body: bytes, domain: str, selector: str, key: Key, now: int) -> str:
    """The value of a DKIM-Signature header, folded with CRLF. `now` is in seconds since 1970."""
    names, data = _chosen(headers)
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    value = (
        f" v=1; a={algorithm(key)}-sha256; c=relaxed/relaxed; d={domain}; s={selector}; t={now};\r\n"
        f" h={_folded(names)};\r\n bh={digest};\r\n b="
    )
    data += relaxed_header(b"DKIM-Signature", value.encode()).removesuffix(b"\r\n")
    signed = base64.b64encode(_sign(key, data)).decode()
    return value + "\r\n ".join(signed[at : at + WIDTH] for at in range(0, len(signed), WIDTH))


def algorithm(key: Key) -> str:
    return "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ed25519"


def _sign(key: Key, data: bytes) -> bytes:
    """Ed25519 signs the hash of what is signed, not the text itself (RFC 8463, 3)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(hashlib.sha256(data).digest())


def _chosen(headers: Headers) -> tuple[list[str], bytes]:
    """Names for `h=` and their canonical text: each instance from the bottom up (5.4.2), and one From more than there
    is, so that nobody can add a second one that is shown instead."""
    names, data = [], b""
    for wanted in SIGNED:
        for name, value in reversed(headers):
            if name.strip().lower() == wanted.encode():
                names.append(wanted)
                data += relaxed_header(name, value)
    return [*names, "from"], data


def _folded(names: Sequence[str]) -> str:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > WIDTH:
            lines.append("")
        lines[-1] += name + ":"
    return "\r\n  ".join(lines).removesuffix(":")


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """6376, 3.4.2."""
    flat = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return name.strip().lower() + b":" + WHITE.sub(b" ", flat).strip() + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """6376, 3.4.4: line ends, blanks at ends and runs of blanks, empty lines at the end."""
    lines = [WHITE.sub(b" ", line).rstrip(b" ") for line in LONE_NEWLINE.sub(b"\r\n", body).split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"\r\n".join(lines) + b"\r\n" if lines else b""
