"""A whole node for a test: real Postfix and Dovecot on a loopback address of its own, work from a folder."""

import base64
import imaplib
import ipaddress
import os
import secrets
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nacl.public import PublicKey, SealedBox

from postroom.engines import own_keys
from postroom.engines.fake_source import FakeSource
from postroom.engines.layout import NodeConfig, save
from postroom.engines.source import Compiled
from postroom.host import claim

HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
NETWORK = ipaddress.IPv4Network("127.64.0.0/10")
MIA, JOE, KIM = "mia@acme.example", "joe@acme.example", "kim@globex.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSWORD = "a long enough pass phrase"
CODE = Path(__file__).resolve().parents[2] / "src"


def until(condition: Callable[[], object], within: float = 10) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def named(text: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, text)


def domain(name: str) -> Compiled:
    return {"maps": {"domain": [{"name": name}]}}


def mailbox(address: str, password: str | None = PASSWORD, *, sign_in: int = 1, epoch: int = 0,
            until: int | None = None) -> Compiled:  # fmt: skip
    """As the control plane compiles one; suspended: no password, no sender, no sign-in."""
    end = {"until": until}
    compiled: Compiled = {
        "maps": {
            "mailbox": [{"address": address, "quota_mb": 100}],
            "route": [{"source": address, "destination": address}],
            "login": [{"address": address, "sign_in": sign_in, "access_epoch": epoch, **end}],
        }
    }
    if sign_in and password:
        compiled["maps"]["sender"] = [{"sender": address, "login": address, **end}]
        compiled["secrets"] = {"password": [{"address": address, "hash": hashed(password), **end}]}
    return compiled


def hashed(password: str) -> str:
    return "{ARGON2ID}" + HASHER.hash(password)


def letter(sender: str, subject: str, to: str = JOE) -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello  there\r\n.\r\n".encode()


class LiveNode:
    def __init__(self, folder: Path, address: str, **settings: object) -> None:
        self.folder, self.address = folder, address
        self.source = FakeSource(folder / "source")
        (folder / "source").chmod(0o777)
        password = folder / "system.password"
        password.write_text(secrets.token_urlsafe(24))
        self.config = NodeConfig(
            name="mx1", folder=folder / "node", address=address, sink=folder / "sink", system_password=password,
            notices_from="postroom@northlight.example", **settings,  # type: ignore[arg-type]
        )  # fmt: skip
        self.settings = folder / "node.json"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> str:
        """Another address each time: Dovecot slows a source down for its failures, of which tests have many."""
        return f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"

    # Its life

    def start(self) -> None:
        save(self.config, f"file:{self.source.folder}", self.settings)
        with open(self.folder / "node.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "postroom.engines.node", "--config", str(self.settings)],
                stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(CODE)}, start_new_session=True,
            )  # fmt: skip

    def ready(self) -> bool:
        return until(lambda: self.greets(self.config.ports.smtp) and self.greets(self.config.ports.imap), 30)

    def greets(self, port: int) -> bool:
        try:
            with socket.create_connection((self.address, port), 2) as line:
                return bool(line.recv(4))
        except OSError:
            return False

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def pid(self, name: str) -> int:
        """0 while it has none."""
        path = self.config.folder / f"run/{name}.pid"
        return int(path.read_text() or 0) if path.exists() else 0

    def log(self, name: str = "") -> str:
        path = self.config.folder / f"log/{name}.log" if name else self.folder / "node.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # The control plane's side

    def put(self, object: str, name: str, compiled: Compiled | None, *, within: float = 15) -> float:
        """On the list, and acknowledged by the node with evidence; seconds it took."""
        started = time.monotonic()
        number = self.source.put(object, named(name), compiled)  # type: ignore[arg-type]
        assert until(lambda: self.source.evidence(number) is not None, within), self.log("agent")[-3000:]
        return time.monotonic() - started

    def evidence(self, question: str, answer: object) -> bool:
        """Was anything ever acknowledged with this?"""
        said = [one for line in self.source._lines("acks.jsonl") for one in line["evidence"]]
        return any((one["question"], one["answer"]) == (question, answer) for one in said)

    def put_mailbox(self, address: str, **options: object) -> None:
        self.put("address", address, mailbox(address, **options))  # type: ignore[arg-type]

    def put_key(self, domain: str, selector: str, key: rsa.RSAPrivateKey) -> None:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        box = SealedBox(PublicKey(base64.b64decode(own_keys.public_key(self.config))))
        row = {"domain": domain, "selector": selector, "algorithm": "rsa-sha256",
               "sealed": base64.b64encode(box.encrypt(pem)).decode()}  # fmt: skip
        self.put("key", f"{selector}._domainkey.{domain}", {"keys": {"key": [row]}})

    # A person's side

    def imap(self, address: str, password: str = PASSWORD) -> imaplib.IMAP4_SSL:
        """Signed in."""
        box = BoundImap(self.address, self.config.ports.imaps, self.client)
        try:
            box.login(address, password)
        except imaplib.IMAP4.error:
            box.shutdown()
            raise
        return box

    def can_sign_in(self, address: str, password: str = PASSWORD) -> bool:
        try:
            self.imap(address, password).logout()
        except imaplib.IMAP4.error:
            return False
        return True

    def submission(self, address: str, password: str = PASSWORD) -> smtplib.SMTP_SSL:
        line = smtplib.SMTP_SSL(self.address, self.config.ports.submissions, local_hostname="laptop.example",
                                timeout=15, context=unchecked(), source_address=(self.client, 0))  # fmt: skip
        try:
            line.login(address, password)
        except smtplib.SMTPException:
            line.close()
            raise
        return line

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP(self.address, self.config.ports.smtp, local_hostname="far.example", timeout=15,
                            source_address=(self.client, 0))  # fmt: skip

    def received(self, address: str, subject: str, within: float = 30) -> list[bytes]:
        """The messages with this subject in the mailbox, by IMAP."""
        found: list[bytes] = []

        def look() -> bool:
            with self.imap(address) as box:
                box.select("INBOX")
                _, numbers = box.search(None, "SUBJECT", f'"{subject}"')
                found[:] = [box.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers[0].split()]  # type: ignore[index, misc]
            return bool(found)

        until(look, within)
        return found

    def flush(self) -> None:
        """What waits in Postfix' queue is tried again now."""
        subprocess.run(["postqueue", "-c", str(self.config.postfix_conf), "-f"], check=True)

    def sunk(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "sink/new").glob("*"))]


class BoundImap(imaplib.IMAP4_SSL):
    def __init__(self, host: str, port: int, source: str) -> None:
        self.source = source
        super().__init__(host, port, ssl_context=unchecked(), timeout=15)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = socket.create_connection((self.host, self.port), timeout, (self.source, 0))
        return self.ssl_context.wrap_socket(plain)


def unchecked() -> ssl.SSLContext:
    """The node's certificate is its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def live_node(**settings: object) -> Iterator[LiveNode]:
    folder = Path(tempfile.mkdtemp(prefix="postroom-node-"))
    folder.chmod(0o755)
    address = claim.address(network=NETWORK)
    node = LiveNode(folder, address.name, **settings)
    try:
        yield node
    finally:
        node.stop()
        address.release()
        shutil.rmtree(folder, ignore_errors=True)
