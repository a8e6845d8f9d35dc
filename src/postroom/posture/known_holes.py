"""Holes of Postfix and Dovecot that are known, as shipped with this version of Postroom: what is older than its mend.

A distribution mends its own package without the engine's number moving: where Debian names the package that carries
the mend, that counts for packages of that base (deb-version(7): `…+deb12u7`). Any other is judged by the engine's own
number; a package that carries the mend all the same is for a person to accept. Sources: the engines' advisories
(postfix.org/smtp-smuggling.html, OXDC-ADV-2026-0001 and -0002) and security-tracker.debian.org.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Number = tuple[int, ...]
OWN = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")
MENDED = re.compile(r"(.+\+deb\d+)u(\d+)")


@dataclass(frozen=True)
class Hole:
    """mended: branch of the engine → the first number without it; "" for all others. since: the first number with it.
    packages: Debian's packages that carry the mend."""

    engine: str
    name: str
    severity: str
    what: str
    mended: Mapping[str, str]
    since: str = "0"
    packages: tuple[str, ...] = field(default=())

    def open_in(self, version: str) -> bool | None:
        """Whether this version has it; None for a version that cannot be read."""
        own = number(version)
        if own is None:
            return None
        if own < (number(self.since) or ()):
            return False
        known = MENDED.fullmatch(version)
        for base, needed in (one.groups() for one in map(MENDED.fullmatch, self.packages) if one):
            if known and known[1] == base:
                return int(known[2]) < int(needed)
        branch = ".".join(map(str, own[:2]))
        return own < (number(self.mended.get(branch, self.mended[""])) or ())


def number(version: str) -> Number | None:
    """`1:2.3.19.1+dfsg1-2.1+deb12u7` → (2, 3, 19, 1)."""
    found = OWN.match(version)
    return tuple(map(int, found[1].split("."))) if found else None


DSA_6197 = ("1:2.3.19.1+dfsg1-2.1+deb12u2", "1:2.4.1+dfsg1-6+deb13u4")
HOLES = (
    Hole("postfix", "CVE-2023-51764", "high", "a second message smuggled behind a bare line end, from a sender who is"
         " not asked; Postroom shuts it by a setting that older versions do not have",
         {"3.5": "3.5.23", "3.6": "3.6.13", "3.7": "3.7.9", "": "3.8.4"}),
    Hole("dovecot", "CVE-2024-23184", "medium", "a message with very many address headers takes minutes to read",
         {"": "2.3.21.1"}, packages=("1:2.3.19.1+dfsg1-2.1+deb12u1",)),
    Hole("dovecot", "CVE-2026-27855", "medium", "a one-time password counts twice where the cache of sign-ins is on;"
         " Postroom has it off", {"": "2.4.3"}, packages=DSA_6197),
    Hole("dovecot", "CVE-2026-27856", "high", "the key of its administrative interface is told by how long an answer"
         " takes", {"": "2.4.3"}, packages=DSA_6197),
    Hole("dovecot", "CVE-2026-27859", "medium", "a message with very many MIME parameters keeps delivery busy",
         {"": "2.4.3"}, packages=DSA_6197),
    Hole("dovecot", "CVE-2026-27851", "high", "after the filter `safe` nothing is escaped any more, so that a name"
         " reaches a query as it is; Postroom renders no such filter", {"": "2.4.4"}, since="2.4.0"),
)  # fmt: skip


def holes(engine: str, version: str) -> Iterator[Hole]:
    """Those that this version of an engine has."""
    return (one for one in HOLES if one.engine == engine and one.open_in(version))
