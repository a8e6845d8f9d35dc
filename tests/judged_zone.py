"""Zones to judge: a domain that is all right, as a store that answers like a resolver, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postroom.protocols import dkim
from postroom.protocols.answers import Answers, Held, Key

ACME = "acme.example"
MX1, MX2 = "mx1.northlight.example", "mx2.northlight.example"
NS1, NS2 = "ns1.northlight.example", "ns2.northlight.example"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: *.northlight.example\r\nmax_age: 604800\r\n"
FAILS = Held(failed="no answer")
# Made once, 2048 bits: what is judged is the record, so every test may publish the same one.
PUBLIC = dkim.make_rsa()[1]
Zone = dict[Key, Any]  # values, or a Held as it stands; None takes a record set out

CLEAN: Zone = {
    (ACME, "NS"): (NS1, NS2),
    (NS1, "A"): ("45.0.0.1",),
    (NS2, "A"): ("45.0.1.1",),
    (ACME, "MX"): ((10, MX1), (20, MX2)),
    (MX1, "A"): ("45.0.0.25",),
    (MX1, "AAAA"): ("2a00::25",),
    (MX2, "A"): ("45.0.1.25",),
    ("25.0.0.45.in-addr.arpa", "PTR"): (MX1,),
    (f"5.2.{'0.' * 26}0.0.a.2.ip6.arpa", "PTR"): (MX1,),
    ("25.1.0.45.in-addr.arpa", "PTR"): (MX2,),
    (ACME, "TXT"): ("v=spf1 include:_spf.northlight.example -all",),
    ("_spf.northlight.example", "TXT"): ("v=spf1 ip4:45.0.0.0/23 -all",),
    (f"s1._domainkey.{ACME}", "TXT"): (dkim.key_record(PUBLIC),),
    (f"_dmarc.{ACME}", "TXT"): ("v=DMARC1; p=reject; rua=mailto:dmarc@northlight.example",),
    (f"{ACME}._report._dmarc.northlight.example", "TXT"): ("v=DMARC1",),
    ("northlight.example", "MX"): ((10, MX1),),
    (f"_mta-sts.{ACME}", "TXT"): ("v=STSv1; id=20261201;",),
    (f"mta-sts.{ACME}", "A"): ("45.0.0.80",),
    (f"_smtp._tls.{ACME}", "TXT"): (f"v=TLSRPTv1; rua=mailto:tls@{ACME}",),
    (ACME, "CAA"): ((0, "issue", "ca.example"), (0, "iodef", "mailto:ca@acme.example")),
}
PARKED: Zone = {
    (ACME, "NS"): (NS1, NS2),
    (NS1, "A"): ("45.0.0.1",),
    (NS2, "A"): ("45.0.1.1",),
    (ACME, "MX"): ((0, ""),),
    (ACME, "TXT"): ("v=spf1 -all",),
    (f"_dmarc.{ACME}", "TXT"): ("v=DMARC1; p=reject",),
    (f"*._domainkey.{ACME}", "TXT"): ("v=DKIM1; p=",),
}


class Resolver(Mapping[Key, Held]):
    """Every name of a zone as a resolver answers it: CNAMEs followed, NXDOMAIN for what nothing stands at or under."""

    def __init__(self, zone: Zone) -> None:
        self.zone = {key: value for key, value in zone.items() if value is not None}
        self.names = {name for name, _ in self.zone}

    def __getitem__(self, key: Key) -> Held:
        name, type = key
        chain: list[str] = []
        while key not in self.zone and type != "CNAME" and (name, "CNAME") in self.zone and len(chain) < 4:
            name = self.zone[name, "CNAME"][0]
            chain.append(name)
            key = name, type
        found = self.zone.get(key, ())
        if isinstance(found, Held):
            return found._replace(chain=(*chain, *found.chain))
        nowhere = not any(one == name or one.endswith(f".{name}") for one in self.names)
        return Held(tuple(sorted(found)), 300, nowhere, tuple(chain))

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Key]:
        return iter(self.zone)

    def __len__(self) -> int:
        return len(self.zone)


def answers(*changes: Zone) -> Answers:
    """The store over these zones, later ones over earlier ones."""
    return Answers(Resolver({key: value for zone in changes for key, value in zone.items()}))


@cache
def certificate() -> bytes:
    """A certificate, DER."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, MX1)])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(datetime(2026, 1, 1)).not_valid_after(datetime(2027, 1, 1))
    return made.sign(key, None).public_bytes(Encoding.DER)


def pinned(usage: int = 3) -> tuple[int, int, int, str]:
    """The TLSA record of that certificate's key."""
    public = x509.load_der_x509_certificate(certificate()).public_key()
    key = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return usage, 1, 1, sha256(key).hexdigest()


def signed(*values: object) -> Held:
    """An answer that DNSSEC proved."""
    return Held(tuple(sorted(values)), 300, secure=True)  # type: ignore[type-var]


def dane(*records: object) -> Zone:
    """Both MX with these TLSA records, all signed."""
    held = signed(*records)
    both: Zone = {(f"_25._tcp.{MX1}", "TLSA"): held, (f"_25._tcp.{MX2}", "TLSA"): held}
    return both | {(ACME, "MX"): signed(*CLEAN[ACME, "MX"])}
