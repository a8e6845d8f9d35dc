"""TLSA records of mail servers (RFC 6698, 2.1; RFC 7672): which of them count, and whether they fit a certificate."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Tlsa = tuple[int, int, int, str]  # usage, selector, matching type, data in hex
DANE_TA, DANE_EE = 2, 3
_OCTETS = {1: 32, 2: 64}


def malformed(record: Tlsa) -> str:
    """What cannot be in a record; empty when it can be read."""
    usage, selector, matching, data = record
    if usage not in range(4) or selector not in range(2) or matching not in range(3):
        return f"{usage} {selector} {matching} are not a usage, a selector and a matching type"
    try:
        octets = len(bytes.fromhex(data))
    except ValueError:
        return "the data is not hex"
    wanted = _OCTETS.get(matching, octets)
    return f"the data has {octets} octets instead of {wanted}" if octets != wanted or not octets else ""


def counts(record: Tlsa) -> bool:
    """Whether mail servers use the record: usages 2 and 3 only (RFC 7672, 3.1)."""
    return record[0] in (DANE_TA, DANE_EE) and not malformed(record)


def fits(records: Iterable[Tlsa], chain: Sequence[bytes]) -> bool:
    """Whether one record fits the certificates a server shows, DER, its own first. Usage 3 means that one, usage 2 one
    above it; names, dates and signatures of a chain under usage 2 are the TLS library's to check. Raises ValueError
    for what is no certificate."""
    above = chain[1:] or chain
    return any(
        counts(record)
        and any(_data(der, record[1], record[2]) == record[3].lower() for der in _shown(record, chain, above))
        for record in records
    )


def _shown(record: Tlsa, chain: Sequence[bytes], above: Sequence[bytes]) -> Sequence[bytes]:
    return chain[:1] if record[0] == DANE_EE else above


@lru_cache(maxsize=4096)
def _data(der: bytes, selector: int, matching: int) -> str:
    taken = _key(der) if selector else der
    return {0: taken, 1: hashlib.sha256(taken).digest(), 2: hashlib.sha512(taken).digest()}[matching].hex()


def _key(der: bytes) -> bytes:
    public = x509.load_der_x509_certificate(der).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
