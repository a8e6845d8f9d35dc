"""The smallest spoiling of a clean zone for each rule: nothing but that rule may come of it, beside good and info."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from judged_spf import SPF, SPF_ALSO
from judged_zone import (
    ACME,
    CLEAN,
    FAILS,
    MX1,
    MX2,
    NS1,
    NS2,
    PARKED,
    POLICY,
    PUBLIC,
    Zone,
    certificate,
    dane,
    pinned,
    signed,
)
from postroom.protocols import dkim
from postroom.protocols.answers import Held
from postroom.protocols.judges.dkim import Selector
from postroom.protocols.judges.domain import Known
from postroom.protocols.judges.mta_sts import Fetched

DMARC, STS, TLS = f"_dmarc.{ACME}", f"_mta-sts.{ACME}", f"_smtp._tls.{ACME}"
KEY, BIMI, WILD = f"s1._domainkey.{ACME}", f"default._bimi.{ACME}", f"*._domainkey.{ACME}"
DS = ((12345, 13, 2, "ab" * 32),)
RUA = "rua=mailto:dmarc@northlight.example"


def rsa_of(bits: int) -> str:
    """The public half of an RSA key of so many bits; nobody has the private one."""
    key = rsa.RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


OTHER, SHORT, LONG = rsa_of(2048), rsa_of(2040), rsa_of(4104)
ED = dkim.make_ed25519()[1]
LOGO = "l=https://acme.example/logo.svg"
KNOWN = Known(selectors=(Selector("s1", PUBLIC),), policy=Fetched(body=POLICY), authorities=("ca.example",))
PARK = replace(KNOWN, parked=True)
Case = tuple[str, Zone, Known]


def case(rule: str, known: Known = KNOWN, base: Zone = CLEAN) -> Callable[..., Case]:
    """Takes what is different from the clean zone."""

    def take(*changes: Zone) -> Case:
        zone = dict(base)
        for change in changes:
            zone |= change
        return rule, zone, known

    return take


def txt(name: str, *texts: str) -> Zone:
    return {(name, "TXT"): texts}


def mx(*pairs: tuple[int, str]) -> Zone:
    return {(ACME, "MX"): pairs}


def dmarc(rule: str, *texts: str) -> Case:
    return case(f"dmarc.{rule}")(txt(DMARC, *texts))


def key(rule: str, *texts: str, public: str = "") -> Case:
    known = replace(KNOWN, selectors=(Selector("s1", public),))
    return case(f"dkim.{rule}", known)(txt(KEY, *texts))


def ours(public: str, rule: str) -> Case:
    algorithm = dkim.algorithm_of(public)
    return key(rule, dkim.key_record(public, algorithm), public=public)


def policy(rule: str, **fetched: Any) -> Case:
    return case(f"mta_sts.{rule}", replace(KNOWN, policy=Fetched(**{"body": POLICY, **fetched})))()


def mode(rule: str, old: bytes, new: bytes) -> Case:
    return policy(rule, body=POLICY.replace(old, new))


def bimi(rule: str, *texts: str) -> Case:
    return case(f"bimi.{rule}")(txt(BIMI, *texts))


def caa(rule: str, *records: tuple[int, str, str]) -> Case:
    return case(f"caa.{rule}")({(ACME, "CAA"): records})


MXS = [
    case("mx.unknown")({(MX1, "A"): FAILS, (MX1, "AAAA"): None}),
    case("mx.good")(),
    case("mx.none")({(ACME, "MX"): None}),
    case("mx.implicit")({(ACME, "MX"): None, (ACME, "A"): ("45.0.0.80",)}),
    case("mx.null", replace(KNOWN, policy=None))(mx((0, "")), {(STS, "TXT"): None}),
    case("mx.null_and_others")(mx((0, ""), (10, MX1))),
    case("mx.null_preference", replace(KNOWN, policy=None))(mx((10, "")), {(STS, "TXT"): None}),
    case("mx.literal", replace(KNOWN, policy=Fetched(body=POLICY + b"mx: 45.0.0.25\n")))(mx((10, "45.0.0.25"))),
    case("mx.bad_name")(mx((10, "mx_1.northlight.example"))),
    case("mx.cname")(
        {(MX1, "A"): None, (MX1, "AAAA"): None, (MX1, "CNAME"): (MX2,)},
    ),
    case("mx.nowhere")({(MX1, "A"): None, (MX1, "AAAA"): None}),
    case("mx.no_address")({(MX1, "A"): None, (MX1, "AAAA"): None, (MX1, "TXT"): ("here",)}),
    case("mx.private")({(MX1, "A"): ("10.0.0.25",)}),
    case("mx.duplicate")(mx((10, MX1), (20, MX1), (20, MX2))),
    case("mx.same_address")({(MX1, "A"): ("45.0.0.25",), (MX1, "AAAA"): None, (MX2, "A"): ("45.0.0.25",)}),
]
NAMES = [
    case("ns.unknown")({(NS1, "A"): FAILS}),
    case("ns.good")(),
    case("ns.inherited")({(ACME, "NS"): None}),
    case("ns.single")({(ACME, "NS"): (NS1,)}),
    case("ns.bad_name")({(ACME, "NS"): (NS1, NS2, "ns_3.northlight.example")}),
    case("ns.cname")({(NS1, "A"): None, (NS1, "CNAME"): (MX1,)}),
    case("ns.unresolved")({(NS1, "A"): None}),
    case("ns.private")({(NS1, "A"): ("192.168.1.1",)}),
    case("ns.same_address")({(NS1, "A"): ("45.0.1.1",)}),
    case("cname.unknown")({(ACME, "CNAME"): FAILS}),
    case("cname.good")(),
    case("cname.apex")({(ACME, "CNAME"): ("www.northlight.example",)}),
    case("cname.beside")({(DMARC, "CNAME"): ("acme.dmarc.example",)}),
    case("cname.several")({(DMARC, "CNAME"): ("a.dmarc.example", "b.dmarc.example")}),
    case("cname.dangling")({(f"autoconfig.{ACME}", "CNAME"): ("gone.northlight.example",)}),
    case("cname.empty")(
        {(f"autoconfig.{ACME}", "CNAME"): ("here.northlight.example",), ("here.northlight.example", "TXT"): ("a",)}
    ),
    case("cname.loop")(
        {(f"autoconfig.{ACME}", "A"): Held(chain=(f"autodiscover.{ACME}", f"autoconfig.{ACME}"))},
    ),
]
KEYS = [
    case("dkim.unknown")({(KEY, "TXT"): FAILS}),
    case("dkim.unlisted", replace(KNOWN, selectors=()))(),
    case("dkim.good")(),
    case("dkim.delegated")(
        {(KEY, "TXT"): None, (KEY, "CNAME"): ("s1.keys.example",)}, txt("s1.keys.example", dkim.key_record(PUBLIC))
    ),
    case("dkim.dangling")({(KEY, "TXT"): None, (KEY, "CNAME"): ("s1.keys.example",)}),
    case("dkim.missing")({(KEY, "TXT"): None}),
    key("several", dkim.key_record(PUBLIC), dkim.key_record(OTHER)),
    key("bad_version", f"v=DKIM2; p={PUBLIC}"),
    key("bad_key_type", f"v=DKIM1; k=dsa; p={PUBLIC}"),
    key("bad_hash", f"v=DKIM1; h=sha1; p={PUBLIC}"),
    key("bad_service", f"v=DKIM1; s=tlsrpt; p={PUBLIC}"),
    key("bad_key", f"v=DKIM1; p={PUBLIC[:-5]}"),
    key("broken", f"v=DKIM1; k=rsa; {PUBLIC}"),
    key("revoked", "v=DKIM1; p="),
    key("revoked_in_use", "v=DKIM1; p=", public=PUBLIC),
    key("weak", f"v=DKIM1; p={rsa_of(1016)}"),
    ours(SHORT, "short"),
    ours(LONG, "long"),
    key("testing", f"v=DKIM1; t=y; p={PUBLIC}"),
    key("strict", f"v=DKIM1; t=s; p={PUBLIC}"),
    key("other_key", dkim.key_record(OTHER), public=PUBLIC),
    ours(ED, "ed25519_alone"),
]
DMARCS = [
    case("dmarc.unknown")({(DMARC, "TXT"): FAILS}),
    dmarc("none"),
    dmarc("several", f"v=DMARC1; p=reject; {RUA}", f"v=DMARC1; p=none; {RUA}"),
    dmarc("broken", f"v=DMARC1; p=reject; p=none; {RUA}"),
    dmarc("bad_policy", f"v=DMARC1; p=reject; sp=block; {RUA}"),
    dmarc("p_missing", f"v=DMARC1; {RUA}"),
    dmarc("p_none", f"v=DMARC1; p=none; {RUA}"),
    dmarc("quarantine", f"v=DMARC1; p=quarantine; {RUA}"),
    dmarc("reject", f"v=DMARC1; p=reject; {RUA}"),
    dmarc("testing", f"v=DMARC1; p=reject; t=y; {RUA}"),
    dmarc("sp_weaker", f"v=DMARC1; p=reject; sp=none; {RUA}"),
    dmarc("np_weaker", f"v=DMARC1; p=reject; np=none; {RUA}"),
    case("dmarc.inherited")({(DMARC, "TXT"): None}, txt("_dmarc.example", "v=DMARC1; p=reject; psd=y")),
    case("dmarc.delegated")(
        {(DMARC, "TXT"): None, (DMARC, "CNAME"): ("d.keys.example",)},
        txt("d.keys.example", f"v=DMARC1; p=reject; {RUA}"),
    ),
    dmarc("psd", f"v=DMARC1; p=reject; psd=y; {RUA}"),
    dmarc("obsolete", f"v=DMARC1; p=reject; pct=50; {RUA}"),
    dmarc("syntax", f"v=DMARC1; p=reject; junk; {RUA}"),
    dmarc("bad_value", f"v=DMARC1; p=reject; adkim=x; {RUA}"),
    dmarc("unknown_tag", f"v=DMARC1; p=reject; foo=bar; {RUA}"),
    dmarc("p_late", f"v=DMARC1; {RUA}; p=reject"),
    case("dmarc.misplaced")(txt(ACME, "v=spf1 -all", "v=DMARC1; p=none")),
    dmarc("stray", f"v=DMARC1; p=reject; {RUA}", "v=spf1 -all"),
    dmarc("no_rua", "v=DMARC1; p=reject"),
    dmarc("bad_uri", f"v=DMARC1; p=reject; {RUA},dmarc@{ACME}"),
    dmarc("uri_size", f"v=DMARC1; p=reject; {RUA}!10m"),
    dmarc("uri_scheme", f"v=DMARC1; p=reject; {RUA},https://{ACME}/reports"),
    case("dmarc.report_unknown")(
        txt(DMARC, "v=DMARC1; p=reject; rua=mailto:a@reports.example"),
        {("reports.example", "MX"): ((10, MX1),), (f"{ACME}._report._dmarc.reports.example", "TXT"): FAILS},
    ),
    case("dmarc.report_unauthorised")(
        txt(DMARC, "v=DMARC1; p=reject; rua=mailto:a@reports.example"), {("reports.example", "MX"): ((10, MX1),)}
    ),
    case("dmarc.report_dead")(
        txt(DMARC, "v=DMARC1; p=reject; rua=mailto:a@reports.example"),
        txt(f"{ACME}._report._dmarc.reports.example", "v=DMARC1"),
    ),
]
TRANSPORTS = [
    case("mta_sts.unknown")({(STS, "TXT"): FAILS}),
    case("mta_sts.none", replace(KNOWN, policy=None))({(STS, "TXT"): None}),
    case("mta_sts.several")(txt(STS, "v=STSv1; id=1;", "v=STSv1; id=2;")),
    case("mta_sts.broken")(txt(STS, "v=STSv1; id=2026-12-01;")),
    case("mta_sts.no_record")({(STS, "TXT"): None}),
    case("mta_sts.no_host")({(f"mta-sts.{ACME}", "A"): None}),
    policy("unread", failed="no answer"),
    policy("untrusted", untrusted="it is for www.acme.example"),
    policy("no_policy", status=404),
    policy("media_type", media_type="text/html"),
    mode("bad_policy", b"mode: enforce", b"mode: on"),
    policy("big", body=POLICY + b"x: y\n" * 20_000),
    policy("duplicate_key", body=POLICY + b"mode: none\n"),
    mode("mode_none", b"enforce", b"none"),
    mode("testing", b"enforce", b"testing"),
    mode("short_age", b"604800", b"3600"),
    mode("mx_uncovered", b"*.northlight.example", MX1.encode()),
    policy("mx_unused", body=POLICY + b"mx: old.acme.example\n"),
    policy("good"),
    case("tls_rpt.unknown")({(TLS, "TXT"): FAILS}),
    case("tls_rpt.none")({(TLS, "TXT"): None}),
    case("tls_rpt.several")(txt(TLS, "v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@d.example")),
    case("tls_rpt.broken")(txt(TLS, "v=TLSRPTv1")),
    case("tls_rpt.bad_uri")(txt(TLS, "v=TLSRPTv1; rua=tls@acme.example")),
    case("tls_rpt.good")(),
    case("dane.unknown")({(f"_25._tcp.{MX1}", "TLSA"): FAILS}),
    case("dane.none")(),
    case("dane.partial")(dane(pinned()), {(f"_25._tcp.{MX2}", "TLSA"): None}),
    case("dane.mx_insecure")(dane(pinned()), {(ACME, "MX"): CLEAN[ACME, "MX"]}),
    case("dane.insecure")(dane(pinned()), {(f"_25._tcp.{MX1}", "TLSA"): (pinned(),)}),
    case("dane.usage")(dane(pinned(), pinned(1))),
    case("dane.malformed")(dane(pinned(), (3, 1, 1, "abcd"))),
    case("dane.unusable")(dane(pinned(0))),
    case("dane.mismatch", replace(KNOWN, certificates={MX1: (certificate(),)}))(dane((3, 1, 1, "ab" * 32))),
    case("dane.unchecked")(dane(pinned())),
    case("dane.good", replace(KNOWN, certificates={MX1: (certificate(),), MX2: (certificate(),)}))(dane(pinned())),
]
OTHERS = [
    case("ptr.good")(),
    case("ptr.none")({("25.1.0.45.in-addr.arpa", "PTR"): None}),
    case("ptr.other")({("25.1.0.45.in-addr.arpa", "PTR"): (MX1,)}),
    case("ptr.unknown")({("25.1.0.45.in-addr.arpa", "PTR"): FAILS}),
    case("dnssec.none")(),
    case("dnssec.good")({(ACME, "MX"): signed(*CLEAN[ACME, "MX"])}),
    case("dnssec.unproven")({(ACME, "DS"): DS}),
    case("dnssec.unknown")({(ACME, "DS"): FAILS}),
    case("caa.unknown")({(ACME, "CAA"): FAILS}),
    caa("none"),
    caa("critical", (0, "issue", "ca.example"), (128, "tbs", "x")),
    caa("flags", (1, "issue", "ca.example")),
    caa("bad_value", (0, "issue", "ca example")),
    caa("unknown_property", (0, "issue", "ca.example"), (0, "tbs", "x")),
    case("caa.closed", replace(KNOWN, authorities=()))({(ACME, "CAA"): ((0, "issue", ";"),)}),
    caa("shuts_ours_out", (0, "issue", "other.example")),
    caa("open", (0, "iodef", "mailto:ca@acme.example")),
    caa("good", (0, "issue", "ca.example; account=1")),
    case("bimi.unknown")({(BIMI, "TXT"): FAILS}),
    bimi("none"),
    bimi("several", f"v=BIMI1; {LOGO}", f"v=BIMI1; {LOGO}; a="),
    bimi("broken", "v=BIMI1"),
    bimi("declined", "v=BIMI1; l=; a="),
    bimi("not_https", "v=BIMI1; l=http://acme.example/logo.svg; a=https://acme.example/vmc.pem"),
    bimi("not_svg", "v=BIMI1; l=https://acme.example/logo.png; a=https://acme.example/vmc.pem"),
    bimi("no_evidence", f"v=BIMI1; {LOGO}"),
    case("bimi.dmarc_weak")(txt(BIMI, f"v=BIMI1; {LOGO}"), txt(DMARC, f"v=DMARC1; p=none; {RUA}")),
    bimi("good", f"v=BIMI1; {LOGO}; a=https://acme.example/vmc.pem"),
    case("parked.unknown", PARK, PARKED)({(WILD, "TXT"): FAILS}),
    case("parked.takes_mail", PARK, PARKED)(mx((10, MX1))),
    case("parked.spf_open", PARK, PARKED)(txt(ACME, "v=spf1 ~all")),
    case("parked.dmarc_open", PARK, PARKED)(txt(DMARC, "v=DMARC1; p=quarantine")),
    case("parked.dkim_open", PARK, PARKED)({(WILD, "TXT"): None}),
    case("parked.good", PARK, PARKED)(),
]
SPFS: list[Case] = [case(rule)(zone) for rule, zone in SPF]
CASES: list[Case] = [*MXS, *NAMES, *SPFS, *KEYS, *DMARCS, *TRANSPORTS, *OTHERS]
# What else comes of the same defect.
ALSO = {"bimi.dmarc_weak": {"dmarc.p_none"}} | SPF_ALSO
