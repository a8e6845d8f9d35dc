"""Tokens as our own sign-in makes them, and as somebody else might: what a mail app shows instead of a password."""

import base64
import imaplib
import smtplib
import socket
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from live_node import BoundImap, LiveNode, mailbox, named, unchecked

from postroom.engines.source import Compiled

ISSUER, KID = "https://postroom.example", "first"
SIGNS, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
EVERY = "imap submission managesieve"


def public(key: ec.EllipticCurvePrivateKey = SIGNS) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def key_row(kid: str = KID, key: ec.EllipticCurvePrivateKey = SIGNS, until: int | None = None) -> dict[str, Any]:
    return {"kid": kid, "public": public(key), "issuer": ISSUER, "until": until}


def token_key(kid: str = KID, key: ec.EllipticCurvePrivateKey = SIGNS) -> Compiled:
    """As the control plane compiles one."""
    return {"maps": {"token_key": [key_row(kid, key)]}}


def consent(address: str, app: str, protocols: str = EVERY, until: int | None = None) -> dict[str, Any]:
    return {"address": address, "cred": str(named(address + app)), "subject": str(named(address)),
            "protocols": protocols, "access_epoch": 0, "until": until}  # fmt: skip


def letting_in(address: str, *apps: dict[str, Any], **options: Any) -> Compiled:
    compiled = mailbox(address, **options)
    compiled["maps"]["consent"] = list(apps)
    return compiled


def claims(address: str, app: str, /, **other: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER, "aud": "mail", "sub": str(named(address)), "cred": str(named(address + app)),
        "scope": EVERY, "iat": now, "exp": now + 300, "jti": str(now),
    } | other  # fmt: skip


def token(address: str, app: str, /, *, key: Any = SIGNS, kid: str = KID, algorithm: str = "ES256", typ: str = "at+jwt",
          **other: Any) -> str:  # fmt: skip
    return jwt.encode(claims(address, app, **other), key, algorithm=algorithm, headers={"kid": kid, "typ": typ})


def xoauth2(address: str, shown: str) -> bytes:
    """As Google defined it, and mail programs send it."""
    return f"user={address}\x01auth=Bearer {shown}\x01\x01".encode()


def oauthbearer(address: str, shown: str) -> bytes:
    """RFC 7628, 3.1."""
    return f"n,a={address},\x01auth=Bearer {shown}\x01\x01".encode()


SAYS = {"XOAUTH2": xoauth2, "OAUTHBEARER": oauthbearer}


def imap(node: LiveNode, address: str, shown: str, way: str = "XOAUTH2", source: str = "") -> BoundImap:
    """Signed in. Raises imaplib's error where it is refused."""
    box = BoundImap(node.address, node.config.ports.imaps, source or node.client)
    box.sock.settimeout(40)
    # A refusal comes as a challenge with the reason; the answer to it is empty (RFC 7628, 3.2.3).
    said = iter([SAYS[way](address, shown)])
    try:
        box.authenticate(way, lambda challenge: next(said, b""))
    except imaplib.IMAP4.error:
        box.shutdown()
        raise
    return box


def submission(node: LiveNode, address: str, shown: str, way: str = "XOAUTH2") -> smtplib.SMTP_SSL:
    line = smtplib.SMTP_SSL(node.address, node.config.ports.submissions, local_hostname="laptop.example",
                            timeout=40, context=unchecked(), source_address=(node.client, 0))  # fmt: skip
    line.ehlo()
    code, said = line.docmd("AUTH", f"{way} {base64.b64encode(SAYS[way](address, shown)).decode()}")
    if code == 334:
        code, said = line.docmd("")
    if code != 235:
        line.close()
        raise smtplib.SMTPAuthenticationError(code, said)
    return line


def managesieve(node: LiveNode, address: str, shown: str, way: str = "XOAUTH2") -> bool:
    """RFC 5804: STARTTLS, AUTHENTICATE."""
    plain = socket.create_connection((node.address, node.config.ports.managesieve), 40, (node.client, 0))
    with plain.makefile("rb") as lines:
        _last(lines)
        plain.sendall(b"STARTTLS\r\n")
        _last(lines)
    with unchecked().wrap_socket(plain) as line, line.makefile("rb") as lines:
        _last(lines)
        said = base64.b64encode(SAYS[way](address, shown)).decode()
        line.sendall(f'AUTHENTICATE "{way}" "{said}"\r\n'.encode())
        answer = bytes(lines.readline())
        if answer.startswith((b'"', b"{")):  # a challenge with the reason
            if answer.startswith(b"{"):
                lines.readline()
            line.sendall(b'""\r\n')
            answer = _last(lines)
        return answer.startswith(b"OK")


def _last(lines: Any) -> bytes:
    while line := bytes(lines.readline()):
        if line.startswith((b"OK", b"NO", b"BYE")):
            return line
    return b""


def opens(node: LiveNode, address: str, shown: str, way: str = "XOAUTH2") -> dict[str, bool]:
    """Which protocols it opens."""
    return {"imap": _imap(node, address, shown, way), "submission": _submission(node, address, shown, way),
            "managesieve": managesieve(node, address, shown, way)}  # fmt: skip


def _imap(node: LiveNode, address: str, shown: str, way: str) -> bool:
    try:
        imap(node, address, shown, way).logout()
    except imaplib.IMAP4.error:
        return False
    return True


def _submission(node: LiveNode, address: str, shown: str, way: str) -> bool:
    try:
        submission(node, address, shown, way).close()
    except smtplib.SMTPAuthenticationError:
        return False
    return True
