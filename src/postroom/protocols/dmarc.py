"""DMARC policy records (RFC 9989): read, built and compared.

`pct`, `rf` and `ri` of RFC 7489 are gone and only warned about; `np`, `psd` and `t` are new. Which domain
a record speaks for (the tree walk) is not decided here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.protocols.tags import BadTags, parse_tags, write_tags

POLICIES = ("none", "quarantine", "reject")
_GONE = {"pct": "share of mail", "rf": "report format", "ri": "report interval"}
_MAILTO = re.compile(r"mailto:[^\s@;,!]+@[^\s@;,!]+(?:![0-9]+[kmgt]?)?", re.I)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s;,]+", re.I)


class BadDmarc(ValueError):
    """Receivers ignore this record; the message says why."""


@dataclass(frozen=True)
class Dmarc:
    """A policy as receivers read it; `sp` and `np` are None where they follow from `p`."""

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
    warnings: tuple[str, ...] = ()

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
    """True for a TXT text that receivers take for DMARC: `v=DMARC1` first, in this case exactly."""
    return re.match(r"v\s*=\s*DMARC1\s*(;|$)", text) is not None


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


def parse(text: str) -> Dmarc:
    """Read one record; odd values fall back to their defaults with a warning. Raises BadDmarc."""
    if not is_dmarc(text):
        raise BadDmarc("it does not start with v=DMARC1")
    try:
        tags = parse_tags(text)
    except BadTags as why:
        raise BadDmarc(str(why)) from None
    read = _Reader(tags)
    return Dmarc(
        p=read.one_of("p", POLICIES) or "none",
        sp=read.one_of("sp", POLICIES),
        np=read.one_of("np", POLICIES),
        psd=read.one_of("psd", ("y", "n", "u")) or "u",
        t=read.one_of("t", ("y", "n")) == "y",
        adkim=read.one_of("adkim", ("r", "s")) or "r",
        aspf=read.one_of("aspf", ("r", "s")) or "r",
        rua=read.uris("rua"),
        ruf=read.uris("ruf"),
        fo=read.options("fo", ("0", "1", "d", "s")) or ("0",),
        warnings=read.all_warnings(),
    )


class _Reader:
    """Takes tags one by one and collects what was odd about them."""

    def __init__(self, tags: dict[str, str]) -> None:
        self.tags = tags
        self.warnings: list[str] = []

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str | None:
        value = self.tags.get(name)
        if value is None or value.lower() in allowed:
            return value.lower() if value is not None else None
        self.warnings.append(f"{name}={value[:40]} is not one of {', '.join(allowed)}, so it does not count")
        return None

    def options(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        parts = [part.strip().lower() for part in self.tags.get(name, "").split(":") if part.strip()]
        self.warnings += [f"{name}={part[:40]} is not known" for part in parts if part not in allowed]
        return tuple(part for part in parts if part in allowed)

    def uris(self, name: str) -> tuple[str, ...]:
        parts = [part.strip() for part in self.tags.get(name, "").split(",") if part.strip()]
        good = tuple(part for part in parts if _URI.fullmatch(part))
        self.warnings += [f"{name}= holds “{part[:40]}”, which is no URI" for part in parts if part not in good]
        self.warnings += [f"{name}= holds a size limit (!), which no longer counts" for part in good if "!" in part]
        return good

    def all_warnings(self) -> tuple[str, ...]:
        gone = [f"{name}= ({what}) no longer counts (RFC 9989)" for name, what in _GONE.items() if name in self.tags]
        missing = [] if "p" in self.tags else ["p= is missing, which reads as none"]
        return tuple(self.warnings + gone + missing)
