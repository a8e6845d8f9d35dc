"""DMARC policy records (RFC 9989): read, built and compared.

`pct`, `rf` and `ri` of RFC 7489 are gone and only warned about; `np`, `psd` and `t` are new. Which domain
a record speaks for (the tree walk) is not decided here: dmarc_walk.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from postroom.protocols.tags import BadTags, read_tags, write_tags

POLICIES = ("none", "quarantine", "reject")
_GONE = {"pct": "share of mail", "rf": "report format", "ri": "report interval"}
_KNOWN = frozenset({"v", "V", "p", "sp", "np", "psd", "t", "adkim", "aspf", "rua", "ruf", "fo", *_GONE})
_FO = ("0", "1", "d", "s")
_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_MAILTO = re.compile(r"mailto:[^\s@;,!]+@[^\s@;,!]+(?:![0-9]+[kmgt]?)?", re.I)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s;,]+", re.I)


class BadDmarc(ValueError):
    """Receivers ignore this record; the message says why."""


Fault = tuple[str, str]  # cause, as the rule `dmarc.<cause>` has it; what it is


@dataclass(frozen=True)
class Dmarc:
    """A policy as receivers read it; `sp` and `np` are None where they follow from `p`. A record whose p, sp or np is
    no policy reads as p=none (4.10.1). faults: what was odd about it."""

    p: str = "none"
    sp: str | None = None
    np: str | None = None
    psd: str = "u"
    t: bool = False
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    fo: tuple[str, ...] = ("0",)
    faults: tuple[Fault, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(what for _, what in self.faults)

    @property
    def void(self) -> bool:
        """No policy at all: one that is none, and nowhere to report to (4.10.1)."""
        return not self.rua and any(cause == "bad_policy" for cause, _ in self.faults)

    @property
    def subdomains(self) -> str:
        return self.sp or self.p

    @property
    def nowhere(self) -> str:
        """The policy for names that do not exist."""
        return self.np or self.subdomains

    def strength(self, policy: str) -> int:
        """0 none, 1 quarantine, 2 reject; testing (`t=y`) takes one step off (4.7, t)."""
        return max(0, POLICIES.index(policy) - self.t)


def is_dmarc(text: str) -> bool:
    """True for a TXT text that receivers take for DMARC: `v=DMARC1` first, in this case exactly (4.8)."""
    return _VERSION.match(text) is not None


def dmarc_in_use(texts: Iterable[str]) -> str | None:
    """The record receivers use: the only one; several count as none."""
    found = [text for text in texts if is_dmarc(text)]
    return found[0] if len(found) == 1 else None


def build(rua: Iterable[str], p: str = "none", *, sp: str | None = None, np: str | None = None, t: bool = False) -> str:
    """A record; `rua` are mail addresses that get the aggregate reports. Raises BadDmarc."""
    for policy in (p, sp or "none", np or "none"):
        if policy not in POLICIES:
            raise BadDmarc(f"“{policy[:20]}” is not one of {', '.join(POLICIES)}")
    uris = [f"mailto:{address}" for address in rua]
    for uri in uris:
        if not _MAILTO.fullmatch(uri):
            raise BadDmarc(f"“{uri[7:47]}” cannot stand in rua=: a mail address without , ; ! is needed")
    tags = {"v": "DMARC1", "p": p, "sp": sp, "np": np, "t": "y" if t else None, "rua": ",".join(uris)}
    return write_tags({name: value for name, value in tags.items() if value})


def write(record: Dmarc) -> str:
    """The record as text: what receivers read and nothing else, defaults left out."""
    tags = {
        "v": "DMARC1",
        "p": record.p,
        "sp": record.sp,
        "np": record.np,
        "psd": record.psd if record.psd != "u" else None,
        "t": "y" if record.t else None,
        "adkim": "s" if record.adkim == "s" else None,
        "aspf": "s" if record.aspf == "s" else None,
        "rua": ",".join(uri.partition("!")[0] for uri in record.rua),
        "ruf": ",".join(uri.partition("!")[0] for uri in record.ruf),
        "fo": ":".join(record.fo) if record.fo != ("0",) else None,
    }
    return write_tags({name: value for name, value in tags.items() if value})


@lru_cache(maxsize=4096)
def parse(text: str) -> Dmarc:
    """Read one record; odd values fall back to their defaults with a warning. Raises BadDmarc."""
    if not is_dmarc(text):
        raise BadDmarc("it does not start with v=DMARC1")
    try:
        tags, junk = read_tags(text)
    except BadTags as why:
        raise BadDmarc(str(why)) from None
    read = _Reader(tags)
    read.faults += [("syntax", f"“{part[:40]}” is not a tag like p=none, so it is skipped") for part in junk]
    record = Dmarc(
        p=read.one_of("p", POLICIES, "bad_policy") or "none",
        sp=read.one_of("sp", POLICIES, "bad_policy"),
        np=read.one_of("np", POLICIES, "bad_policy"),
        psd=read.one_of("psd", ("y", "n", "u")) or "u",
        t=read.one_of("t", ("y", "n")) == "y",
        adkim=read.one_of("adkim", ("r", "s")) or "r",
        aspf=read.one_of("aspf", ("r", "s")) or "r",
        rua=read.uris("rua"),
        ruf=read.uris("ruf"),
        fo=read.options(),
        faults=read.all_faults(),
    )
    bad = any(cause == "bad_policy" for cause, _ in record.faults)
    return replace(record, p="none", sp=None, np=None) if bad else record


class _Reader:
    """Takes tags one by one and collects what was odd about them."""

    def __init__(self, tags: dict[str, str]) -> None:
        self.tags = tags
        self.faults: list[Fault] = []

    def one_of(self, name: str, allowed: tuple[str, ...], cause: str = "bad_value") -> str | None:
        value = self.tags.get(name)
        if value is None or value.lower() in allowed:
            return value.lower() if value is not None else None
        self.faults.append((cause, f"{name}={value[:40]} is not one of {', '.join(allowed)}, so it does not count"))
        return None

    def options(self) -> tuple[str, ...]:
        """`fo`: 0 or 1, d and s, each once; anything else is its default (4.7, 4.8)."""
        parts = [part.strip().lower() for part in self.tags.get("fo", "0").split(":")]
        wrong = [f"fo={part[:40]} is not known" for part in parts if part not in _FO]
        wrong += ["fo= has a value twice"] if len(set(parts)) < len(parts) else []
        wrong += ["fo= has 0 and 1, which exclude each other"] if {"0", "1"} <= set(parts) else []
        self.faults += [("bad_value", what) for what in wrong]
        return tuple(parts) if not wrong else ("0",)

    def uris(self, name: str) -> tuple[str, ...]:
        parts = [part.strip() for part in self.tags.get(name, "").split(",") if part.strip()]
        good = tuple(part for part in parts if _reads(part))
        for part in parts:
            if part not in good:
                self.faults.append(("bad_uri", f"{name}= holds “{part[:40]}”, which is no URI"))
            elif "!" in part:
                self.faults.append(("uri_size", f"{name}= holds a size limit (!), which no longer counts"))
            elif part[:7].lower() != "mailto:":
                self.faults.append(("uri_scheme", f"{name}= holds “{part[:40]}”, which is not mailto:"))
        return good

    def all_faults(self) -> tuple[Fault, ...]:
        names = list(self.tags)
        gone = [
            ("obsolete", f"{name}= ({what}) no longer counts (RFC 9989)")
            for name, what in _GONE.items()
            if name in self.tags
        ]
        missing = [] if "p" in self.tags else [("p_missing", "p= is missing, which reads as none")]
        unknown = [("unknown_tag", f"{name[:20]}= is not known") for name in names if name not in _KNOWN]
        late = [("p_late", "p= does not follow v=")] if "p" in self.tags and names[1] != "p" else []
        return tuple(self.faults + gone + missing + unknown + late)


def _reads(uri: str) -> bool:
    return bool((_MAILTO if uri[:7].lower() == "mailto:" else _URI).fullmatch(uri))
