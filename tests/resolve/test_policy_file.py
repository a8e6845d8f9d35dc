"""An MTA-STS policy file over HTTPS: from the address that was looked at, a valid certificate, without redirect."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from postroom.resolve.policy_file import LARGEST, PATH, fetch

HOST, HERE = "mta-sts.acme.example", "127.0.0.1"
BODY = b"version: STSv1\nmode: enforce\nmx: mx.acme.example\nmax_age: 604800\n"


class Handler(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']}{self.path}")
        host = self.headers["Host"].partition(":")[0]
        if host.endswith("moved.example"):
            self.send_response(301)
            self.send_header("Location", f"https://{HOST}{PATH}")
            self.end_headers()
            return
        body = b"x" * 200_000 if host.endswith("big.example") else BODY
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the screen."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cert.pem and key.pem for three hosts, signed by themselves."""
    folder = tmp_path_factory.mktemp("policy")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.DNSName(one) for one in (HOST, "mta-sts.moved.example", "mta-sts.big.example")]
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(
        now + datetime.timedelta(1)).add_extension(x509.SubjectAlternativeName(hosts), critical=True).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True)  # fmt: skip
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with ThreadingHTTPServer((HERE, 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def trusted(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


def test_the_file_of_the_host_at_the_address_that_was_looked_at(port: int, trusted: ssl.SSLContext) -> None:
    found = fetch(HOST, [HERE], port=port, trusted=trusted, ours=[HERE])
    assert found == (200, "text/plain", BODY, "", "")
    assert Handler.asked[-1] == f"{HOST}:{port}{PATH}"


def test_a_redirect_is_not_followed(port: int, trusted: ssl.SSLContext) -> None:
    before = len(Handler.asked)
    found = fetch("mta-sts.moved.example", [HERE], port=port, trusted=trusted, ours=[HERE])
    assert found.status == 301 and len(Handler.asked) == before + 1


def test_of_a_large_one_no_more_is_read_than_shows_that_it_is(port: int, trusted: ssl.SSLContext) -> None:
    found = fetch("mta-sts.big.example", [HERE], port=port, trusted=trusted, ours=[HERE])
    assert len(found.body) == LARGEST


def test_a_certificate_of_another_or_of_nobody_is_not_trusted(port: int, trusted: ssl.SSLContext) -> None:
    other = fetch("mta-sts.other.example", [HERE], port=port, trusted=trusted, ours=[HERE])
    nobody = fetch(HOST, [HERE], port=port, ours=[HERE])
    assert other.untrusted and nobody.untrusted and not (other.body or nobody.body)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"])
def test_an_address_of_our_own_network_is_not_gone_to(address: str, port: int, trusted: ssl.SSLContext) -> None:
    before = len(Handler.asked)
    found = fetch(HOST, [address], port=port, trusted=trusted)
    assert "not of the public network" in found.failed and len(Handler.asked) == before


def test_where_nobody_answers_the_next_address_is_asked(port: int, trusted: ssl.SSLContext) -> None:
    ours = ["127.0.0.2", HERE]  # nothing listens at the first
    assert fetch(HOST, ours, port=port, trusted=trusted, ours=ours).body == BODY
    found = fetch(HOST, ["127.0.0.2"], port=port, trusted=trusted, ours=ours)
    assert found.failed == "ConnectionRefusedError at 127.0.0.2" and not found.body
