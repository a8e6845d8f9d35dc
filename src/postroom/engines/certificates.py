"""TLS material a node makes for itself: a server certificate for demo and tests, and the inside one.

The inside certificate is how Postfix knows Dovecot's submission proxy: on loopback an address proves nothing, and
whoever may speak on that port says who is signed in (XCLIENT). Nobody outside ever sees it. A server certificate that
is there already is left alone: production puts its own.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from postroom.host import files

from .layout import NodeConfig

YEARS = datetime.timedelta(days=3650)
EARLIER = datetime.timedelta(days=1)  # clocks differ


def make_missing(config: NodeConfig) -> None:
    """cert.pem, key.pem, inside.pem, inside.key in the node's tls folder."""
    tls = config.folder / "tls"
    names = [x509.DNSName(config.hostname), x509.DNSName("localhost")]
    server = [*names, x509.IPAddress(ipaddress.ip_address(config.address))]
    _pair(tls / "cert.pem", tls / "key.pem", config.hostname, server, ExtendedKeyUsageOID.SERVER_AUTH)
    inside = [x509.DNSName("submission.inside")]
    _pair(tls / "inside.pem", tls / "inside.key", "submission.inside", inside, ExtendedKeyUsageOID.CLIENT_AUTH)


def _pair(
    certificate: Path, key: Path, name: str, names: Sequence[x509.GeneralName], use: x509.ObjectIdentifier
) -> None:
    if certificate.exists() and key.exists():
        return
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + YEARS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .sign(private, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files.write(key, private.private_bytes(serialization.Encoding.PEM, form, plain), mode=0o600)
    files.write(certificate, signed.public_bytes(serialization.Encoding.PEM))
