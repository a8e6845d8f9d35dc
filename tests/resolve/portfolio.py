"""Zones as an agency's clients have them, drawn from a seed: the same seed, the same zones, octet for octet.

Their mail is at one of two providers, at servers of their own, or nowhere; SPF includes nest up to three deep into the
providers' zones; the second DKIM key is an alias for three in ten. One in ten has a fault of its own. Everything is
below `.test` (RFC 6761). Not signed; the keys have the shape of RSA keys and are none.
"""

import base64
import random
from collections.abc import Iterator

SEED = 20261124
WORDS = ("acme", "bakery", "clinic", "dental", "energy", "florist", "garage", "hotel", "invest", "jewel", "kitchen")
FAULTS = (
    "spf twice", "spf over ten", "spf syntax", "spf include gone", "spf loop", "spf none", "spf void", "dmarc none",
    "dmarc twice", "dmarc syntax", "dkim revoked", "dkim short", "mx gone", "mx alias", "sts syntax", "tls rpt twice",
)  # fmt: skip
ASKED = (
    ("", "MX"), ("", "TXT"), ("", "NS"), ("", "CAA"), ("", "DS"), ("_dmarc.", "TXT"), ("_mta-sts.", "TXT"),
    ("_smtp._tls.", "TXT"), ("default._bimi.", "TXT"), ("s1._domainkey.", "TXT"), ("s2._domainkey.", "TXT"),
)  # fmt: skip
SOA = "@ SOA ns1.farm.test. hostmaster.farm.test. 1 7200 3600 1209600 300\n@ NS ns1.farm.test.\n@ NS ns2.farm.test.\n"
HEAD = "$TTL 3600\n" + SOA
RSA_HEAD = {
    2048: "30820122300d06092a864886f70d01010105000382010f003082010a0282010100",
    1024: "30819f300d06092a864886f70d010101050003818d0030818902818100",
}


def zones(many: int, seed: int = SEED) -> Iterator[tuple[str, str]]:
    """(zone, its master file) of as many clients, and before them the zones they share; the root is `.`."""
    draw = random.Random(seed)
    keys = [_key(draw, 2048) for _ in range(24)]
    names = list(domains(many))
    shared = dict(_shared(draw))
    below = "".join(f"{zone}. NS ns1.farm.test.\n" for zone in [*shared, *names])
    yield ".", HEAD + "test. NS ns1.farm.test.\n"
    yield "test", HEAD + below
    yield from shared.items()
    for domain in names:
        yield domain, HEAD + "".join(f"{record}\n" for record in _client(draw, domain, keys))


def domains(many: int) -> Iterator[str]:
    return (f"{WORDS[n % len(WORDS)]}{n:05d}.test" for n in range(many))


def questions(many: int) -> Iterator[tuple[str, str]]:
    """Eleven of each domain, as a first look asks them."""
    return ((prefix + domain, type) for domain in domains(many) for prefix, type in ASKED)


def _shared(draw: random.Random) -> Iterator[tuple[str, str]]:
    hosts = "".join(f"mx{n} A 192.0.2.{20 + n}\nmx{n} AAAA 2001:db8::{20 + n}\n" for n in range(1, 6))
    yield "farm.test", HEAD + "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
    yield "reports.test", HEAD + '*._report._dmarc TXT "v=DMARC1"\n'
    yield "proa.test", HEAD + hosts + "".join((
        _txt("_spf 300", "v=spf1 include:_nb1.proa.test include:_nb2.proa.test include:_nb3.proa.test ~all"),
        _txt("_nb1", f"v=spf1 {_nets(draw, 9)} ~all"), _txt("_nb3", f"v=spf1 {_nets(draw, 6)} ~all"),
        _txt("_nb2", "v=spf1 ip6:2001:db8:1::/48 ip6:2001:db8:2::/48 ~all"),
    ))  # fmt: skip
    yield "prob.test", HEAD + _txt("spf", f"v=spf1 {_nets(draw, 8)} -all") + "*.mail 300 A 192.0.2.60\n"
    yield "bulk.test", HEAD + "".join((
        _txt("_spf", "v=spf1 include:_spf1.bulk.test ip4:203.0.113.9 ~all"),
        _txt("_spf1", f"v=spf1 include:_spf2.bulk.test {_nets(draw, 5)} ~all"),
        _txt("_spf2", f"v=spf1 {_nets(draw, 10)} ~all"), _txt("loop", "v=spf1 include:loop.bulk.test ~all"),
    ))  # fmt: skip


def _client(draw: random.Random, domain: str, keys: list[str]) -> Iterator[str]:
    fault = draw.choice(FAULTS) if draw.random() < 0.1 else ""
    (sort,) = draw.choices(("a", "b", "own", "none"), (45, 35, 17, 3))
    yield f"@ A {_address(draw)}\nwww CNAME @"
    yield from _mail(draw, domain, sort, fault)
    yield from _spf(draw, sort, fault)
    if sort != "none":
        first = {"dkim revoked": "", "dkim short": _key(draw, 1024)}.get(fault) if fault.startswith("dkim") else None
        yield _txt("s1._domainkey", f"v=DKIM1; k=rsa; p={draw.choice(keys) if first is None else first}")
        alias = draw.random() < 0.3
        yield "s2._domainkey CNAME s2key" if alias else ""
        yield _txt("s2key" if alias else "s2._domainkey", f"v=DKIM1; k=rsa; p={draw.choice(keys)}")
    yield from _promises(draw, sort, fault)


def _mail(draw: random.Random, domain: str, sort: str, fault: str) -> Iterator[str]:
    if fault in ("mx gone", "mx alias"):
        yield "@ MX 10 gone" if fault == "mx gone" else f"@ MX 10 mxc\nmxc CNAME mxt\nmxt A {_address(draw)}"
    elif sort == "a":
        yield "\n".join(f"@ MX {5 * n} mx{n}.proa.test." for n in range(1, 6))
    elif sort == "b":
        yield f"@ MX 0 {domain.replace('.', '-')}.mail.prob.test."
    elif sort == "own":
        yield f"@ MX 10 mx1\n@ MX 20 mx2\nmx1 A {_address(draw)}\nmx2 A {_address(draw)}"
    else:
        yield "@ MX 0 ."


def _spf(draw: random.Random, sort: str, fault: str) -> Iterator[str]:
    terms = {"a": "include:_spf.proa.test", "b": "include:spf.prob.test", "own": f"mx ip4:{_address(draw)}"}.get(
        sort, ""
    )
    terms += " include:_spf.bulk.test" if sort != "none" and draw.random() < 0.35 else ""
    terms += {
        "spf over ten": " include:_spf.proa.test a mx include:_spf.bulk.test include:spf.prob.test",
        "spf syntax": " ip4:300.1.2.3", "spf include gone": " include:gone.bulk.test",
        "spf loop": " include:loop.bulk.test", "spf void": " a:v1.bulk.test a:v2.bulk.test a:v3.bulk.test",
    }.get(fault, "")  # fmt: skip
    if fault != "spf none":
        yield _txt("@", f"v=spf1 {terms} {draw.choice(('~all', '-all'))}")
    if fault == "spf twice":
        yield _txt("@", "v=spf1 ip4:192.0.2.77 -all")
    yield _txt("@", f"site-verification={draw.getrandbits(128):032x}")


def _promises(draw: random.Random, sort: str, fault: str) -> Iterator[str]:
    """DMARC, MTA-STS, TLS-RPT, BIMI, CAA."""
    policy = "rejekt" if fault == "dmarc syntax" else draw.choice(("none", "none", "quarantine", "reject"))
    if fault != "dmarc none":
        yield _txt("_dmarc", f"v=DMARC1; p={policy}; rua=mailto:agg@reports.test")
    if fault == "dmarc twice":
        yield _txt("_dmarc", "v=DMARC1; p=none")
    if fault == "sts syntax" or (sort != "none" and draw.random() < 0.6):
        yield _txt("_mta-sts", "v=STSv1; id=" + ("no-id!" if fault == "sts syntax" else f"{draw.getrandbits(40)}"))
    if fault == "tls rpt twice" or draw.random() < 0.6:
        yield _txt("_smtp._tls", "v=TLSRPTv1; rua=mailto:tls@reports.test")
    if fault == "tls rpt twice":
        yield _txt("_smtp._tls", "v=TLSRPTv1; rua=mailto:other@reports.test")
    if draw.random() < 0.1:
        yield _txt("default._bimi", "v=BIMI1; l=https://logo.test/l.svg; a=")
    if draw.random() < 0.5:
        yield '@ CAA 0 issue "ca.test"'


def _txt(owner: str, text: str) -> str:
    return f"{owner} TXT " + " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) + "\n"


def _nets(draw: random.Random, many: int) -> str:
    return " ".join(f"ip4:203.0.113.{draw.randrange(255)}/32" for _ in range(many))


def _address(draw: random.Random) -> str:
    return f"{draw.choice(('192.0.2', '198.51.100'))}.{draw.randrange(1, 255)}"


def _key(draw: random.Random, bits: int) -> str:
    """SubjectPublicKeyInfo with an odd number of this length, in base64; nobody has a private half."""
    number = (draw.getrandbits(bits) | 1 << (bits - 1) | 1).to_bytes(bits // 8, "big")
    return base64.b64encode(bytes.fromhex(RSA_HEAD[bits]) + number + bytes.fromhex("0203010001")).decode()
