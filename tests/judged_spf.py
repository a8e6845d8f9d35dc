"""The smallest spoiling of a clean zone for each rule of SPF."""

from __future__ import annotations

from judged_zone import ACME, FAILS, Zone

HELPER, OTHER = "_spf.northlight.example", "_spf.other.example"
Case = tuple[str, Zone]


def own(rule: str, text: str, *more: Zone) -> Case:
    """The domain's own record is another; and more."""
    zone: Zone = {(ACME, "TXT"): (text,)}
    for one in more:
        zone |= one
    return f"spf.{rule}", zone


def a(*names: str) -> Zone:
    return {(name, "A"): ("45.0.0.9",) for name in names}


def spf(name: str, text: str) -> Zone:
    return {(name, "TXT"): (text,)}


TEN = " ".join(f"a:h{n}.other.example" for n in range(11))
NINE = " ".join(f"a:h{n}.other.example" for n in range(9))
FOUR = a(*(f"h{n}.other.example" for n in range(11)))
HOSTS: Zone = FOUR | {(name, "AAAA"): ("2a00::9",) for name, _ in FOUR}
MANY: Zone = {("many.example", "MX"): tuple((n, f"h{n}.other.example") for n in range(11))}
VOIDS = " ".join(f"a:none{n}.other.example" for n in range(3))

SPF: list[Case] = [
    own("unknown", "v=spf1 include:_spf.other.example -all", {(OTHER, "TXT"): FAILS}),
    ("spf.none", {(ACME, "TXT"): ("hello",)}),
    ("spf.several", {(ACME, "TXT"): ("v=spf1 -all", "v=spf1 mx -all")}),
    own("syntax", "v=spf1 ipv4:192.0.2.1 -all"),
    own("lookups", f"v=spf1 {TEN} -all", HOSTS),
    own("lookups_near", f"v=spf1 {NINE} -all", HOSTS),
    own("voids", f"v=spf1 {VOIDS} -all"),
    own("voids_ipv6", "v=spf1 a:h0.other.example a:h1.other.example a:h2.other.example -all", FOUR),
    own("finds_nothing", "v=spf1 a:none.other.example -all"),
    own("loop", f"v=spf1 include:{OTHER} -all", spf(OTHER, f"v=spf1 include:{ACME} -all")),
    own("mx_many", "v=spf1 mx:many.example -all", MANY, HOSTS),
    own("include_none", f"v=spf1 include:{OTHER} -all"),
    own("no_name", f"v=spf1 include:{'x' * 64}.example -all"),
    own("open", "v=spf1 include:%{i}.other.example -all"),
    own("plus_all", "v=spf1 +all"),
    own("include_all", f"v=spf1 include:{OTHER} -all", spf(OTHER, "v=spf1 +all")),
    own("exists", "v=spf1 exists:h0.other.example -all", HOSTS),
    own("exists_others", "v=spf1 -exists:h0.other.example -all", HOSTS),
    own("neutral", "v=spf1 ?all"),
    own("no_all", "v=spf1 ip4:192.0.2.1"),
    own("after_all", "v=spf1 -all ip4:192.0.2.1"),
    own("redirect_unused", f"v=spf1 -all redirect={HELPER}"),
    own("ptr", "v=spf1 ptr -all"),
    own("macro_p", "v=spf1 exists:%{p}.other.example -all"),
    own("obsolete_type", "v=spf1 -all", {(ACME, "SPF"): ("v=spf1 -all",)}),
    ("spf.large", {(ACME, "TXT"): ("v=spf1 -all", "x" * 600)}),
    own("softfail", "v=spf1 ~all"),
    own("good", "v=spf1 -all"),
]
# What else comes of the same defect: each look-up that finds nothing is one of too many.
SPF_ALSO = {"spf.voids": {"spf.finds_nothing"}}
