"""The policy file of MTA-STS, fetched as senders do: over HTTPS, certificate valid, no redirect (RFC 8461, 3.3).

Whose host it is decides its address, so only addresses of the public network are gone to, and the connection is made to
the very address that was looked at: another answer a moment later changes nothing. Addresses of our own that are to be
asked all the same are named by whoever asks.
"""

import http.client
import socket
import ssl
from collections.abc import Collection, Sequence
from typing import NamedTuple

from postroom.protocols.judges.mx import public as _public

LARGEST = 64 * 1024 + 1  # octets: one more than counts
SECONDS = 10.0
PATH = "/.well-known/mta-sts.txt"


class File(NamedTuple):
    """status: of HTTP. untrusted: why the certificate is not one of the host. failed: why there was no answer."""

    status: int = 0
    media_type: str = ""
    body: bytes = b""
    untrusted: str = ""
    failed: str = ""


def fetch(
    host: str, addresses: Sequence[str], *, port: int = 443, trusted: ssl.SSLContext | None = None,
    ours: Collection[str] = (),
) -> File:  # fmt: skip
    """The file of `mta-sts.<domain>`, from the first address that answers. ours: addresses that need not be public."""
    last = File(failed="its address is not of the public network, so it is not gone to")
    for address in addresses:
        if address in ours or _public(address):
            last = _from(host, address, port, trusted or ssl.create_default_context())
            if not last.failed:
                return last
    return last


def _from(host: str, address: str, port: int, trusted: ssl.SSLContext) -> File:
    asked = _At(host, address, port, trusted)
    try:
        asked.request("GET", PATH, headers={"Accept": "text/plain", "User-Agent": "Postroom"})
        answer = asked.getresponse()
        return File(answer.status, answer.headers.get_content_type(), answer.read(LARGEST))
    except ssl.SSLCertVerificationError as why:
        return File(untrusted=why.verify_message)
    except (OSError, http.client.HTTPException) as why:
        return File(failed=f"{type(why).__name__} at {address}")
    finally:
        asked.close()


class _At(http.client.HTTPSConnection):
    """The host, at one given address."""

    def __init__(self, host: str, address: str, port: int, trusted: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=SECONDS, context=trusted)
        self.address, self.trusted = address, trusted

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), SECONDS)
        self.sock = self.trusted.wrap_socket(plain, server_hostname=self.host)
